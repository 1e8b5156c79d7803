/**
 * Values of a scope to their tokens. `protect` is get-or-create with the insert of the by-value row as its gate, so one
 * value has one token whoever else is at work (docs/spec/vault-v1.md, "Protecting").
 */

import { utf8 } from '../core/bytes.ts';
import { LARGEST_BUCKET } from '../core/sealed-texts.ts';
import { fail, type Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { LINK, readId } from './content.ts';
import { nameOf, today } from './names.ts';
import { BATCH, BROKEN, cut, type Pair, type Report, type Scope } from './scope.ts';
import type { Found, Place } from './session.ts';
import type { Change, Stale } from './store.ts';
import { findSubjects, ROUNDS, type Subject, type SubjectState, subjectIssue } from './subjects.ts';
import { TOKEN, writeToken } from './token-text.ts';

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

/** What became of a value: its token, none, or an issue. */
type Settle = (one: Wanted, result: string | null | Issue) => void;

export function openValues(scope: Scope): Values {
  const { session } = scope;
  const { label, ttl, onErased } = scope.options;
  const { store } = session;

  /** Looks values up and, unless only asked, makes tokens for those that have none. */
  async function resolve(wanted: readonly Wanted[], create: boolean, settle: Settle): Promise<null | Stale> {
    const subjects = await subjectsOf(wanted, create);
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
      const again = create ? await getOrCreate(left, settle) : await get(left, settle);
      if (again === 'stale') return again;
      left = again;
    }
    return null;
  }

  /** Rows of values as they are. `stale` where another verb has read new metadata meanwhile: there are other places then. */
  async function read(left: readonly Ready[]) {
    const meta = session.meta();
    const names = left.map(({ one, subject }) => scope.nameOf(one.value, subject));
    const places = scope.placesOf('value', names);
    const rows = places.pick(await store.get('value', places.all));
    if (session.meta() !== meta) return 'stale';
    const found = session.openMany('value', rows);
    const inside = scope.openInner('value', found, names);
    const day = today();
    /** What the row of a value says: a token, or why there is none. */
    const said = (i: number): 'absent' | 'broken' | 'erased' | 'expired' | { readonly token: string } => {
      const row = rows[i];
      if (row === undefined) return 'absent';
      const one = found[i]!;
      if (one === null) return 'broken';
      if (one.content.state === 'erased') return 'erased';
      const token = tokenAt(i);
      if (token === null) return 'broken';
      if (row.expires !== null && row.expires <= day) return 'expired';
      return { token: writeToken(label, readId(one.content.rest, 0), token) };
    };
    const tokenAt = (i: number) => scope.tokenOf(inside[i]!, left[i]!.subject);
    return { places, found, said, tokenAt };
  }

  async function get(left: readonly Ready[], settle: Settle): Promise<never[] | Stale> {
    const rows = await read(left);
    if (rows === 'stale') return rows;
    const { said } = rows;
    const all = left.map((_, i) => said(i));
    // Before a value is said to be absent: it may have moved to an index that we did not know of.
    if (all.includes('absent') && (await session.refresh())) return 'stale';
    for (const [i, { one }] of left.entries()) {
      const what = all[i]!;
      settle(one, what === 'broken' ? BROKEN : typeof what === 'object' ? what.token : null);
    }
    return [];
  }

  async function getOrCreate(left: readonly Ready[], settle: Settle): Promise<Ready[] | Stale> {
    const rows = await read(left);
    if (rows === 'stale') return rows;
    const { places, found, said, tokenAt } = rows;
    // Of the same metadata as the places: what is written goes by both.
    const { generation, inner } = session.meta();
    const absent: number[] = [];
    const gone: { readonly i: number; readonly expired: boolean }[] = [];
    for (let i = 0; i < left.length; i++) {
      const { one } = left[i]!;
      const what = said(i);
      if (what === 'absent') absent.push(i);
      else if (what === 'broken') settle(one, BROKEN);
      else if (typeof what === 'object') settle(one, what.token);
      else if (what === 'erased' && onErased === 'error') settle(one, ERASED);
      else gone.push({ i, expired: what === 'expired' });
    }
    const again: Ready[] = [];
    for (const { i, expired } of gone) {
      const done = await replace(left[i]!, found[i]!, expired ? tokenAt(i) : null);
      if (done === 'stale') return done;
      again.push(left[i]!);
    }
    if (absent.length === 0) return again;
    if (session.meta().generation !== generation) return 'stale';
    const drafts = fresh(
      absent.map((i) => left[i]!),
      absent.map(() => inner[0]!),
      absent.map((i) => ({ index: places.first(i) })),
    );
    const { values, tokens } = scope.pairs(drafts);
    const entries = absent.map((i, k) => ({ row: values[k]!, with: tokens[k]!, unless: places.others(i) }));
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

  /** A new token in the place of one that is gone. @param old The token of an expired row: its row goes, too. */
  async function replace(ready: Ready, { row, content }: Found, old: Uint8Array | null): Promise<boolean | Stale> {
    const { generation } = session.meta();
    const { values, tokens } = scope.pairs(fresh([ready], [content.inner], [{ instead: row }]));
    const changes: Change[] = [
      { table: 'value', index: row.index, from: row.version, to: values[0]! },
      { table: 'token', index: tokens[0]!.index, from: 0, to: tokens[0]! },
    ];
    if (old !== null) {
      const places = scope.placesOf('token', [old]);
      for (const { index, version } of await store.get('token', places.all)) {
        changes.push({ table: 'token', index, from: version, to: null });
      }
    }
    return store.change(generation, changes);
  }

  /** The subject of each value: `null` where the rule has none. */
  async function subjectsOf(wanted: readonly Wanted[], create: boolean): Promise<(SubjectState | null)[] | Stale> {
    const indexes = new Map<string, Uint8Array>();
    for (const { subject } of wanted) {
      if (subject !== null && !indexes.has(subject)) indexes.set(subject, session.subjects.indexOf(utf8(subject)));
    }
    if (indexes.size === 0) return wanted.map(() => null);
    const missing = create ? (onErased === 'new' ? 'renew' : 'create') : 'leave';
    const states = await findSubjects(session, [...indexes.values()], missing);
    if (states === 'stale') return states;
    const byText = new Map<string, SubjectState>();
    for (const [text, index] of indexes) byText.set(text, states.get(nameOf(index)) ?? 'broken');
    return wanted.map(({ subject }) => (subject === null ? null : byText.get(subject)!));
  }

  async function find(values: readonly Named[], create: boolean, report: Report) {
    const out = new Array<string | null | undefined>(values.length).fill(undefined);
    const wanted = distinct(values, report);
    for (let first = 0; first < wanted.length; first += BATCH) {
      const batch = wanted.slice(first, first + BATCH);
      await session.steady(() =>
        resolve(batch, create, ({ rows }, result) => {
          for (const row of rows) {
            if (result === null || typeof result === 'string') out[row] = result;
            else report(row, result);
          }
        }),
      );
    }
    return out;
  }

  return {
    protect: async (values, report) => (await find(values, true, report)) as (string | undefined)[],
    lookup: (values, report) => find(values, false, report),
  };
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
