/**
 * Values of a scope to their tokens (docs/spec/vault-v1.md, "Protecting"). `protect` returns the token of a value, or
 * makes one. The insert of the row by value decides between several processes, so one value gets one token
 * even if others load it at the same moment.
 */

import { cut, utf8 } from '../../core/bytes.ts';
import { fail, type Issue } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { LARGEST_BUCKET } from '../../wire/sealed-texts.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { LINK, readId } from '../rows/content.ts';
import { graveChanges } from '../rows/graves.ts';
import type { Places } from '../rows/places.ts';
import { TOKEN, writeToken } from '../rows/token-text.ts';
import type { OpenedRow, Target, View } from '../rows/view.ts';
import type { Change, Row, Stale } from '../stores/store.ts';
import { findSubjects, ROUNDS, type Subject, type SubjectState, subjectIssue } from '../subjects.ts';
import { inHalves } from './halves.ts';
import { BATCH, BROKEN, lookUp, nameOf, placesOf, type ReportIssue, type Scope } from './scope.ts';
import { openInner, type Pair, sealPairs, tokensOf } from './sealing.ts';

/** A value, with the text of its subject if the rule has subjects. */
export interface Named {
  readonly value: string;
  readonly subject: string | null;
}

/** A value of a call, with all its positions in the list. */
interface DistinctValue extends Named {
  readonly positions: number[];
}

/** A value whose subject is known. */
interface ReadyValue {
  readonly value: DistinctValue;
  readonly subject: Subject | null;
}

/** What the store has for a value. */
interface Known {
  /** The token, or why there is none. */
  readonly state: 'absent' | 'broken' | 'erased' | 'expired' | { readonly token: string };
  /** The places of the value are those at `i` of `places`. */
  readonly places: Places;
  readonly i: number;
  /** All rows of the value, opened. */
  readonly all: readonly (OpenedRow | null)[];
}

/** Result for a value: its token, `null` for none, or an issue. */
type Result = string | null | Issue;
type SetResult = (value: DistinctValue, result: Result) => void;

export async function protectValues(
  scope: Scope,
  values: readonly Named[],
  report: ReportIssue,
): Promise<(string | undefined)[]> {
  return (await findTokens(scope, values, true, report)) as (string | undefined)[];
}

export function lookUpValues(
  scope: Scope,
  values: readonly Named[],
  report: ReportIssue,
): Promise<(string | null | undefined)[]> {
  return findTokens(scope, values, false, report);
}

async function findTokens(
  scope: Scope,
  values: readonly Named[],
  create: boolean,
  report: ReportIssue,
): Promise<(string | null | undefined)[]> {
  const out = new Array<string | null | undefined>(values.length).fill(undefined);
  for (const batch of batchesOf(distinctValues(values, report))) {
    // The results count only when the whole batch is done, because a batch may be repeated.
    let results = new Map<DistinctValue, Result>();
    await scope.session.withView((view) => {
      results = new Map();
      return resolveBatch(scope, view, batch, create, (value, result) => results.set(value, result));
    });
    for (const [{ positions }, result] of results) {
      for (const i of positions) {
        if (result === null || typeof result === 'string') out[i] = result;
        else report(i, result);
      }
    }
  }
  return out;
}

/** Looks values up and, with `create`, makes tokens for those that have none. */
async function resolveBatch(
  scope: Scope,
  view: View,
  values: readonly DistinctValue[],
  create: boolean,
  setResult: SetResult,
): Promise<null | Stale> {
  const subjects = await subjectsOf(scope, view, values, create);
  if (subjects === 'stale') return subjects;
  let left: ReadyValue[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const subject = subjects[i]!;
    if (subject === null || typeof subject === 'object') left.push({ value, subject });
    else if (subject === 'absent' || (subject === 'shredded' && !create)) setResult(value, null);
    else setResult(value, subjectIssue(subject));
  }
  for (let round = 0; left.length > 0; round++) {
    // If another process makes a token first, the next round finds that token.
    if (round === ROUNDS) fail('store_busy', 'other processes keep changing the same values; try again');
    const again = await (create ? getOrCreate : getExisting)(scope, view, left, setResult);
    if (again === 'stale') return again;
    left = again;
  }
  return null;
}

/** Returns the subject of each value; `null` if the scope has no subjects. */
async function subjectsOf(
  { session, options }: Scope,
  view: View,
  values: readonly DistinctValue[],
  create: boolean,
): Promise<(SubjectState | null)[] | Stale> {
  const positions = new Map<string, number>();
  for (const { subject } of values) {
    if (subject !== null && !positions.has(subject)) positions.set(subject, positions.size);
  }
  if (positions.size === 0) return values.map(() => null);
  const ifAbsent = create ? (options.onErased === 'new' ? 'renew' : 'create') : 'leave';
  const states = await findSubjects(view, session.subjects.indexesOf([...positions.keys()]), ifAbsent);
  if (states === 'stale') return states;
  return values.map(({ subject }) => (subject === null ? null : states[positions.get(subject)!]!));
}

/** Reads what the store has for values. */
async function readKnown(scope: Scope, view: View, values: readonly ReadyValue[]): Promise<Known[]> {
  return (await inHalves(values, (some) => readSome(scope, view, some))).flat();
}

async function readSome(scope: Scope, view: View, values: readonly ReadyValue[]): Promise<Known[]> {
  const names = values.map(({ value, subject }) => nameOf(value.value, subject));
  const { places, rows, opened, allOf } = await lookUp(scope, view, 'value', names);
  const inside = openInner(scope, 'value', opened, names);
  const tokens = tokensOf(
    scope,
    inside,
    values.map(({ subject }) => subject),
  );
  const day = today();
  const stateOf = (i: number): Known['state'] => {
    const row = rows[i];
    if (row === undefined) return 'absent';
    const own = opened[i]!;
    if (own === null) return 'broken';
    if (own.content.state === 'erased') return 'erased';
    const token = tokens[i]!;
    if (token === null) return 'broken';
    if (isOver(row, day)) return 'expired';
    return { token: writeToken(scope.options.label, readId(own.content.rest, 0), token) };
  };
  return values.map((_, i) => ({ state: stateOf(i), places, i, all: allOf(i) }));
}

async function getExisting(
  scope: Scope,
  view: View,
  values: readonly ReadyValue[],
  setResult: SetResult,
): Promise<never[] | Stale> {
  const states = (await readKnown(scope, view, values)).map(({ state }) => state);
  // A value that is absent or erased here may have moved to an index that this view does not know.
  if ((states.includes('absent') || states.includes('erased')) && (await view.isOutdated())) return 'stale';
  for (const [i, { value }] of values.entries()) {
    const state = states[i]!;
    setResult(value, state === 'broken' ? BROKEN : typeof state === 'object' ? state.token : null);
  }
  return [];
}

/** Returns the values that have to be looked up again. */
async function getOrCreate(
  scope: Scope,
  view: View,
  values: readonly ReadyValue[],
  setResult: SetResult,
): Promise<ReadyValue[] | Stale> {
  const { onErased } = scope.options;
  const known = await readKnown(scope, view, values);
  const absent: number[] = [];
  const gone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const { value } = values[i]!;
    const { state } = known[i]!;
    if (state === 'absent') absent.push(i);
    else if (state === 'broken') setResult(value, BROKEN);
    else if (typeof state === 'object') setResult(value, state.token);
    else if (state === 'erased' && onErased === 'error') setResult(value, ERASED);
    else gone.push(i);
  }
  // The store refuses a write if the metadata have changed. `erased` is reported without a write, so it is checked
  // here.
  const isRefused = known.some(({ state }) => state === 'erased') && onErased === 'error';
  if (isRefused && (await view.isOutdated())) return 'stale';
  const again: ReadyValue[] = [];
  for (const i of gone) {
    const done = await replaceToken(scope, view, values[i]!, known[i]!);
    if (done === 'stale') return done;
    again.push(values[i]!);
  }
  if (absent.length === 0) return again;
  const lost = await createTokens(
    scope,
    view,
    absent.map((i) => values[i]!),
    absent.map((i) => known[i]!),
    setResult,
  );
  return lost === 'stale' ? lost : [...again, ...lost];
}

/** Makes tokens for values that have none. Returns those for which another process has made one first. */
async function createTokens(
  scope: Scope,
  view: View,
  values: readonly ReadyValue[],
  known: readonly Known[],
  setResult: SetResult,
): Promise<ReadyValue[] | Stale> {
  const { generation, inner } = view.meta;
  const pairs = newPairs(
    scope,
    values,
    values.map(() => inner[0]!),
    known.map(({ places, i }) => ({ index: places.first(i) })),
  );
  const sealed = sealPairs(scope, view, pairs);
  const entries = known.map(({ places, i }, k) => {
    return { row: sealed.values[k]!, with: sealed.tokens[k]!, unless: places.others(i) };
  });
  const won = await view.store.create(generation, 'value', entries);
  if (won === 'stale') return won;
  const isWon = new Uint8Array(values.length);
  for (const k of won) isWon[k] = 1;
  const lost: ReadyValue[] = [];
  for (let k = 0; k < values.length; k++) {
    const { shown, body } = pairs[k]!;
    if (isWon[k] === 1) setResult(values[k]!.value, writeToken(scope.options.label, shown, body));
    else lost.push(values[k]!);
  }
  return lost;
}

/** Returns new mappings of values. */
function newPairs(
  { options }: Scope,
  values: readonly ReadyValue[],
  inners: readonly string[],
  at: readonly Target[],
): Pair[] {
  const expires = options.ttl === null ? null : today() + options.ttl + 1;
  const bodies = cut(randomBytes(TOKEN * values.length), TOKEN);
  const links = cut(randomBytes(LINK * values.length), LINK);
  return values.map(({ value, subject }, k) => {
    const inner = inners[k]!;
    const [body, link] = [bodies[k]!, links[k]!];
    return { value: utf8(value.value), subject, inner, shown: inner, body, link, expires, at: at[k]! };
  });
}

/**
 * Writes a new token for a value whose mapping was erased or has expired, under the first key of the inner layer. So an
 * older key makes no more tokens once another is the first. It does what the removal of expired rows and a new mapping
 * would do one after the other: the value's row under the first key is replaced, expired rows under other keys are
 * removed, and with them the rows of their tokens. Tombstones under other keys stay, so no import brings a row back in
 * their place. Each tombstone gets a grave, so that an export that contains it does not erase the new token.
 */
async function replaceToken(
  scope: Scope,
  view: View,
  value: ReadyValue,
  { places, i, all }: Known,
): Promise<boolean | Stale> {
  const inner = view.meta.inner[0]!;
  // A row that does not verify would count before the erased and expired ones.
  const rows = all.filter((one) => one !== null);
  const old = rows.find(({ content }) => content.inner === inner)?.row;
  const at: Target = old === undefined ? { index: places.first(i) } : { instead: old };
  const { values, tokens } = sealPairs(scope, view, newPairs(scope, [value], [inner], [at]));
  // Two processes that renew one value write this row, and the store lets one of them do it.
  const changes: Change[] = [
    { table: 'value', index: values[0]!.index, from: old?.version ?? 0, to: values[0]! },
    { table: 'token', index: tokens[0]!.index, from: 0, to: tokens[0]! },
  ];
  const expired = rows.filter(({ content }) => content.state === 'live');
  for (const { row } of expired) {
    if (row !== old) changes.push({ table: 'value', index: row.index, from: row.version, to: null });
  }
  for (const { index, version } of await tokenRowsOf(scope, view, value, expired)) {
    changes.push({ table: 'token', index, from: version, to: null });
  }
  const tombstones = rows.flatMap(({ content }) => (content.state === 'erased' ? [content.link] : []));
  for (const grave of await graveChanges(view, tombstones)) if (grave !== null) changes.push(grave);
  return view.store.change(view.meta.generation, changes);
}

/** Returns the rows of the tokens that rows of a value keep, except tombstones. */
async function tokenRowsOf(
  scope: Scope,
  view: View,
  { value, subject }: ReadyValue,
  rows: readonly OpenedRow[],
): Promise<readonly Row[]> {
  if (rows.length === 0) return [];
  const name = nameOf(value.value, subject);
  const inside = openInner(
    scope,
    'value',
    rows,
    rows.map(() => name),
  );
  const tokens = tokensOf(
    scope,
    inside,
    rows.map(() => subject),
  );
  // Two rows keep one token if an import has put an older row of the mapping beside a newer one.
  const distinct = new Map(tokens.flatMap((token) => (token === null ? [] : [[mapKey(token), token] as const])));
  if (distinct.size === 0) return [];
  const found = await view.store.get('token', placesOf(scope, view, 'token', [...distinct.values()]).all);
  const opened = view.openMany('token', found);
  return found.filter((_, k) => opened[k]?.content.state !== 'erased');
}

/** Characters of the values that go to the store at once: several copies of each are in memory at that time. */
const BATCH_CHARACTERS = 1 << 22;

function batchesOf(values: readonly DistinctValue[]): DistinctValue[][] {
  const batches: DistinctValue[][] = [];
  let batch: DistinctValue[] = [];
  let characters = 0;
  for (const value of values) {
    if (batch.length === BATCH || characters > BATCH_CHARACTERS) {
      batches.push(batch);
      batch = [];
      characters = 0;
    }
    batch.push(value);
    characters += value.value.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Returns the different values of a list. */
function distinctValues(values: readonly Named[], report: ReportIssue): DistinctValue[] {
  const byName = new Map<string, DistinctValue>();
  for (let i = 0; i < values.length; i++) {
    const { value, subject } = values[i]!;
    const name = subject === null ? value : `${subject.length} ${subject}${value}`;
    const known = byName.get(name);
    if (known !== undefined) known.positions.push(i);
    else if (isTooLong(value)) report(i, TOO_LONG);
    else byName.set(name, { value, subject, positions: [i] });
  }
  return [...byName.values()];
}

const TOO_LONG: Issue = {
  code: 'too_long',
  message: `the value is longer than ${LARGEST_BUCKET - 1} bytes of UTF-8`,
  maximum: LARGEST_BUCKET - 1,
};

function isTooLong(value: string): boolean {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  return 3 * value.length >= LARGEST_BUCKET && utf8(value).length >= LARGEST_BUCKET;
}

const ERASED: Issue = {
  code: 'erased',
  message:
    'the value was erased from the vault, and the rule refuses erased values (onErased: error); set onErased: missing ' +
    'to leave the value out, or use --on-error reject to leave its record out',
};
