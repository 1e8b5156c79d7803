/**
 * Values of a scope to their tokens. `protect` is get-or-create with the insert of the by-value row as its gate, so one
 * value has one token whoever else is at work (docs/spec/vault-v1.md, "Protecting").
 */

import { cut, utf8 } from '../../core/bytes.ts';
import { fail, type Issue } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { LARGEST_BUCKET } from '../../wire/sealed-texts.ts';
import { isOver, today } from '../days.ts';
import { LINK, readId } from '../rows/content.ts';
import { dig } from '../rows/graves.ts';
import type { Places } from '../rows/places.ts';
import { TOKEN, writeToken } from '../rows/token-text.ts';
import type { Found, Place, View } from '../rows/view.ts';
import type { Change, Stale } from '../stores/store.ts';
import { findSubjects, ROUNDS, type Subject, type SubjectState, subjectIssue } from '../subjects.ts';
import { inHalves } from './halves.ts';
import { BATCH, BROKEN, type Pair, type Report, type Scope } from './scope.ts';

/** A value, with the text of its subject where the rule has one. */
export interface Named {
  readonly value: string;
  readonly subject: string | null;
}

/** Values of a scope. A place with an issue is `undefined` in what the verbs give. */
export interface Values {
  readonly protect: (values: readonly Named[], report: Report) => Promise<(string | undefined)[]>;
  /** The token that a value has, or `null`. */
  readonly lookup: (values: readonly Named[], report: Report) => Promise<(string | null | undefined)[]>;
}

/** A different value of a call, and where it stands in the list. */
interface Wanted extends Named {
  readonly rows: number[];
}

/** One whose subject is known. */
interface Ready {
  readonly one: Wanted;
  readonly subject: Subject | null;
}

/** What the store has of a value. */
interface Known {
  /** What its row says: a token, or why there is none. */
  readonly said: 'absent' | 'broken' | 'erased' | 'expired' | { readonly token: string };
  /** Where its row may stand: the item at `i` of these places. */
  readonly places: Places;
  readonly i: number;
  readonly found: Found | null;
  /** All rows of the value, opened. */
  readonly all: readonly (Found | null)[];
  readonly token: Uint8Array | null;
}

/** What became of a value: its token, none, or an issue. */
type Settle = (one: Wanted, result: string | null | Issue) => void;

export function openValues(scope: Scope): Values {
  const { session } = scope;
  const { label, ttl, onErased } = scope.options;
  const { store } = session;

  /** Looks values up and, unless only asked, makes tokens for those that have none. */
  async function resolve(
    view: View,
    wanted: readonly Wanted[],
    create: boolean,
    settle: Settle,
  ): Promise<null | Stale> {
    const subjects = await subjectsOf(view, wanted, create);
    if (subjects === 'stale') return subjects;
    let left: Ready[] = [];
    for (let i = 0; i < wanted.length; i++) {
      const one = wanted[i]!;
      const subject = subjects[i]!;
      if (subject === null || typeof subject === 'object') left.push({ one, subject });
      else if (subject === 'absent' || (subject === 'shredded' && !create)) settle(one, null);
      else settle(one, subjectIssue(subject));
    }
    for (let round = 0; left.length > 0; round++) {
      // Who loses a race finds the winner's token in the next round.
      if (round === ROUNDS) fail('store_busy', 'others change the same values all the time; try again');
      const again = create ? await getOrCreate(view, left, settle) : await get(view, left, settle);
      if (again === 'stale') return again;
      left = again;
    }
    return null;
  }

  /** Rows of values as they are. */
  async function read(view: View, left: readonly Ready[]): Promise<Known[]> {
    return (await inHalves(left, (some) => readSome(view, some))).flat();
  }

  async function readSome(view: View, left: readonly Ready[]): Promise<Known[]> {
    const names = left.map(({ one, subject }) => scope.nameOf(one.value, subject));
    const { places, rows, found, allOf } = await scope.lookUp(view, 'value', names);
    const inside = scope.openInner('value', found, names);
    const tokens = scope.tokensOf(
      inside,
      left.map(({ subject }) => subject),
    );
    const day = today();
    const said = (i: number): Known['said'] => {
      const row = rows[i];
      if (row === undefined) return 'absent';
      const one = found[i]!;
      if (one === null) return 'broken';
      if (one.content.state === 'erased') return 'erased';
      const token = tokens[i]!;
      if (token === null) return 'broken';
      if (isOver(row, day)) return 'expired';
      return { token: writeToken(label, readId(one.content.rest, 0), token) };
    };
    return left.map((_, i) => ({ said: said(i), places, i, found: found[i]!, all: allOf(i), token: tokens[i]! }));
  }

  async function get(view: View, left: readonly Ready[], settle: Settle): Promise<never[] | Stale> {
    const all = (await read(view, left)).map(({ said }) => said);
    // Before a value is said to be absent, or erased: it may have moved to an index that we did not know of.
    if ((all.includes('absent') || all.includes('erased')) && (await view.isOlder())) return 'stale';
    for (const [i, { one }] of left.entries()) {
      const what = all[i]!;
      settle(one, what === 'broken' ? BROKEN : typeof what === 'object' ? what.token : null);
    }
    return [];
  }

  async function getOrCreate(view: View, left: readonly Ready[], settle: Settle): Promise<Ready[] | Stale> {
    const known = await read(view, left);
    const { generation, inner } = view.meta;
    const absent: number[] = [];
    const gone: { readonly i: number; readonly expired: boolean }[] = [];
    for (let i = 0; i < left.length; i++) {
      const { one } = left[i]!;
      const what = known[i]!.said;
      if (what === 'absent') absent.push(i);
      else if (what === 'broken') settle(one, BROKEN);
      else if (typeof what === 'object') settle(one, what.token);
      else if (what === 'erased' && onErased === 'error') settle(one, ERASED);
      else gone.push({ i, expired: what === 'expired' });
    }
    // A write is refused when the metadata are others; what is said without one is held against them here.
    const isRefused = known.some(({ said }) => said === 'erased') && onErased === 'error';
    if (isRefused && (await view.isOlder())) return 'stale';
    const again: Ready[] = [];
    for (const { i, expired } of gone) {
      const done = await replace(view, left[i]!, known[i]!, expired);
      if (done === 'stale') return done;
      again.push(left[i]!);
    }
    if (absent.length === 0) return again;
    const drafts = fresh(
      absent.map((i) => left[i]!),
      absent.map(() => inner[0]!),
      absent.map((i) => ({ index: known[i]!.places.first(known[i]!.i) })),
    );
    const { values, tokens } = scope.pairs(view, drafts);
    const entries = absent.map((i, k) => ({
      row: values[k]!,
      with: tokens[k]!,
      unless: known[i]!.places.others(known[i]!.i),
    }));
    const won = await store.create(generation, 'value', entries);
    if (won === 'stale') return won;
    const winners = new Uint8Array(absent.length);
    for (const k of won) winners[k] = 1;
    for (let k = 0; k < absent.length; k++) {
      const i = absent[k]!;
      const { shown, body } = drafts[k]!;
      if (winners[k] === 1) settle(left[i]!.one, writeToken(label, shown, body));
      else again.push(left[i]!);
    }
    return again;
  }

  /** New mappings of values. */
  function fresh(ready: readonly Ready[], inners: readonly string[], at: readonly Place[]): Pair[] {
    const expires = ttl === null ? null : today() + ttl + 1;
    const bodies = cut(randomBytes(TOKEN * ready.length), TOKEN);
    const links = cut(randomBytes(LINK * ready.length), LINK);
    return ready.map(({ one, subject }, k) => {
      const inner = inners[k]!;
      const [body, link] = [bodies[k]!, links[k]!];
      return { value: utf8(one.value), subject, inner, shown: inner, body, link, expires, at: at[k]! };
    });
  }

  /**
   * A new token in the place of one that is gone. The row that counts becomes live; other tombstones of the value stay, and
   * each gets a grave: an export in which they are does not erase what came after them.
   */
  async function replace(view: View, ready: Ready, { found, all, token }: Known, expired: boolean) {
    const { row, content } = found!;
    const { values, tokens } = scope.pairs(view, fresh([ready], [content.inner], [{ instead: row }]));
    const changes: Change[] = [
      { table: 'value', index: row.index, from: row.version, to: values[0]! },
      { table: 'token', index: tokens[0]!.index, from: 0, to: tokens[0]! },
    ];
    if (expired && token !== null) {
      const places = scope.placesOf(view, 'token', [token]);
      for (const { index, version } of await store.get('token', places.all)) {
        changes.push({ table: 'token', index, from: version, to: null });
      }
    }
    const tombstones = all.flatMap((one) => (one?.content.state === 'erased' ? [one.content.link] : []));
    for (const grave of await dig(view, tombstones)) if (grave !== null) changes.push(grave);
    return store.change(view.meta.generation, changes);
  }

  /** The subject of each value: `null` where the rule has none. */
  async function subjectsOf(
    view: View,
    wanted: readonly Wanted[],
    create: boolean,
  ): Promise<(SubjectState | null)[] | Stale> {
    const places = new Map<string, number>();
    for (const { subject } of wanted) {
      if (subject !== null && !places.has(subject)) places.set(subject, places.size);
    }
    if (places.size === 0) return wanted.map(() => null);
    const missing = create ? (onErased === 'new' ? 'renew' : 'create') : 'leave';
    const states = await findSubjects(view, session.subjects.indexesOf([...places.keys()]), missing);
    if (states === 'stale') return states;
    return wanted.map(({ subject }) => (subject === null ? null : states[places.get(subject)!]!));
  }

  async function find(values: readonly Named[], create: boolean, report: Report) {
    const out = new Array<string | null | undefined>(values.length).fill(undefined);
    const wanted = distinct(values, report);
    for (const batch of batchesOf(wanted)) {
      // What is said of a value counts when all of its batch is done: a batch may be begun anew.
      let results = new Map<Wanted, string | null | Issue>();
      await session.steady((view) => {
        results = new Map();
        return resolve(view, batch, create, (one, result) => results.set(one, result));
      });
      for (const [{ rows }, result] of results) {
        for (const row of rows) {
          if (result === null || typeof result === 'string') out[row] = result;
          else report(row, result);
        }
      }
    }
    return out;
  }

  return {
    protect: async (values, report) => (await find(values, true, report)) as (string | undefined)[],
    lookup: (values, report) => find(values, false, report),
  };
}

/** Characters of values that go to the store at once: of each, several copies are in memory on the way there. */
const BATCH_CHARACTERS = 1 << 22;

function batchesOf(wanted: readonly Wanted[]): Wanted[][] {
  const batches: Wanted[][] = [];
  let batch: Wanted[] = [];
  let characters = 0;
  for (const one of wanted) {
    if (batch.length === BATCH || characters > BATCH_CHARACTERS) {
      batches.push(batch);
      batch = [];
      characters = 0;
    }
    batch.push(one);
    characters += one.value.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Different values of a list, each once. */
function distinct(values: readonly Named[], report: Report): Wanted[] {
  const byName = new Map<string, Wanted>();
  for (let row = 0; row < values.length; row++) {
    const { value, subject } = values[row]!;
    const name = subject === null ? value : `${subject.length} ${subject}${value}`;
    const known = byName.get(name);
    if (known !== undefined) known.rows.push(row);
    else if (isTooLong(value)) report(row, TOO_LONG);
    else byName.set(name, { value, subject, rows: [row] });
  }
  return [...byName.values()];
}

const TOO_LONG: Issue = {
  code: 'too_long',
  message: `the value is longer than ${LARGEST_BUCKET - 1} bytes of UTF-8`,
  maximum: LARGEST_BUCKET - 1,
};

function isTooLong(value: string): boolean {
  // A character takes three bytes at most.
  return 3 * value.length >= LARGEST_BUCKET && utf8(value).length >= LARGEST_BUCKET;
}

const ERASED: Issue = {
  code: 'erased',
  message: 'the value was erased from the vault, and its policy says that it stays so',
};
