/**
 * One scope of a vault: values to random tokens and back. `protect` is get-or-create with the insert of the by-value row
 * as its gate, so one value has one token whoever else is at work (docs/spec/vault-v1.md, "Protecting").
 */

import { concat, encodeList, equalBytes, padTo, unpadded, utf8 } from '../core/bytes.ts';
import { bucketOf, LARGEST_BUCKET } from '../core/sealed-texts.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { randomPool } from '../kernel/random.ts';
import { sivOnce } from '../kernel/siv-once.ts';
import { type Content, eraseContent, LINK, readUnderSubject, writeUnderSubject } from './content.ts';
import { nameOf, today } from './names.ts';
import type { Found, Session } from './session.ts';
import type { Change, Entry, Row, Stale } from './store.ts';
import { findByHandle, findSubjects, ROUNDS, type Subject, type SubjectState, subjectIssue } from './subjects.ts';
import { KEPT, readToken, TOKEN, writeToken } from './token-text.ts';

/** What a scope is told. */
export interface MappingOptions {
  readonly scope: string;
  readonly label: string | undefined;
  /** Days that a mapping is kept; `null` for ever. */
  readonly ttl: number | null;
  readonly withSubject: boolean;
  readonly onErased: 'error' | 'new';
}

/** A value, with the text of its subject where the rule has one. */
export interface Named {
  readonly value: string;
  readonly subject: string | null;
}

type Report = (index: number, issue: Issue) => void;

/** One scope of a vault. All verbs take lists; a place with an issue is `undefined` in what they give. */
export interface Mapping {
  readonly protect: (values: readonly Named[], report: Report) => Promise<(string | undefined)[]>;
  /** The token that a value has, or `null`. */
  readonly lookup: (values: readonly Named[], report: Report) => Promise<(string | null | undefined)[]>;
  readonly reveal: (tokens: readonly string[], report: Report) => Promise<(string | undefined)[]>;
  /** Whether the vault gave these tokens out, forgotten ones included. */
  readonly exists: (tokens: readonly string[], report: Report) => Promise<(boolean | undefined)[]>;
  /** Destroys mappings and tells which were still there. */
  readonly forget: (tokens: readonly string[], report: Report) => Promise<(boolean | undefined)[]>;
  /** What a token's row says, for verification and for a change of the inner key. */
  readonly inspect: (tokens: readonly string[], report: Report) => Promise<(Opened | undefined)[]>;
  /** The by-value row of what was opened; `null` where it is not there, or is another's. */
  readonly valueRowOf: (opened: Opened) => Promise<Found | null>;
  /** Both rows of a mapping under the key that is written with now, for rows that are still under an older one. */
  readonly renew: (opened: Opened, value: Found) => readonly Change[] | null;
}

/** A token's row, opened. */
export interface Opened {
  readonly token: string;
  readonly body: Uint8Array;
  readonly found: Found;
  readonly subject: Subject | null;
  readonly value: Uint8Array;
}

/** A different value of a call. */
interface Wanted extends Named {
  readonly rows: number[];
  readonly bytes: Uint8Array;
  /** Its subject's inner index. */
  readonly subjectIndex: Uint8Array | null;
}

/** Values that go to the store at once. */
const BATCH = 1000;

/** Opens a scope of a vault. */
export function openMapping(session: Session, options: MappingOptions): Mapping {
  const { scope, label, ttl, withSubject, onErased } = options;
  const { store } = session;
  const random = randomPool();
  const innerOf = (id: string) => session.inner(id, scope, withSubject);

  /** The name of a value in the inner layer: with its subject's name before it, which dies with the subject, or alone. */
  const nameOfValue = (bytes: Uint8Array, subject: Subject | null) =>
    subject === null ? bytes : concat([subject.name, bytes]);

  const valuePlaces = (name: Uint8Array) =>
    session.indexesOf(session.meta().inner.map((id) => innerOf(id).value.indexOf(name)));
  const tokenPlaces = (body: Uint8Array) =>
    session.indexesOf(session.meta().inner.map((id) => innerOf(id).token.indexOf(body)));

  /** Different values of a list, each once. */
  function distinct(values: readonly Named[], report: Report): Wanted[] {
    const byName = new Map<string, Wanted>();
    for (const [row, named] of values.entries()) {
      const { value, subject } = named;
      const name = subject === null ? value : `${subject.length} ${subject}${value}`;
      const known = byName.get(name);
      if (known !== undefined) {
        known.rows.push(row);
        continue;
      }
      const bytes = utf8(value);
      if (bytes.length >= LARGEST_BUCKET) {
        const maximum = LARGEST_BUCKET - 1;
        report(row, { code: 'too_long', message: `the value is longer than ${maximum} bytes of UTF-8`, maximum });
        continue;
      }
      const subjectIndex = subject === null ? null : session.subjects.indexOf(utf8(subject));
      byName.set(name, { value, subject, rows: [row], bytes, subjectIndex });
    }
    return [...byName.values()];
  }

  /** What a by-value row says: a token, or why there is none. */
  function readValue(
    found: Found,
    name: Uint8Array,
    subject: Subject | null,
  ): string | 'erased' | 'expired' | 'broken' {
    const { row, content } = found;
    if (content.state === 'erased') return 'erased';
    const kept = keptOf(content, name, subject);
    if (kept === null) return 'broken';
    if (row.expires !== null && row.expires <= today()) return 'expired';
    return writeToken(label, String.fromCharCode(...kept.subarray(0, 5)), kept.subarray(5));
  }

  /** The token that a by-value row keeps. */
  function keptOf(content: Content, name: Uint8Array, subject: Subject | null): Uint8Array | null {
    const opened = innerOf(content.inner).value.open(name, content.rest);
    const kept = opened === null || subject === null ? opened : openUnder(subject, opened, 'value', NO_TOKEN);
    return kept?.length === KEPT ? kept : null;
  }

  /** What the subject's key has sealed is bound to the scope, to the table and to the token. */
  const dataOf = (side: 'value' | 'token', token: Uint8Array) => encodeList([scope, side, token]);

  function openUnder(subject: Subject, bytes: Uint8Array, side: 'value' | 'token', token: Uint8Array) {
    const { handle, sealed } = readUnderSubject(bytes);
    return equalBytes(handle, subject.handle) ? sivOnce(subject.key).open(sealed, dataOf(side, token)) : null;
  }

  /** Both rows of a mapping. */
  function pair(
    {
      bytes,
      subject,
      inner,
      body,
      link,
    }: Omit<Opened, 'token' | 'found' | 'value'> & {
      bytes: Uint8Array;
      inner: string;
      link: Uint8Array;
    },
    instead: Row | null,
    expires: number | null,
    shown: string = inner,
  ): { value: Row; token: Row } {
    const layer = innerOf(inner);
    const under = (plain: Uint8Array, side: 'value' | 'token', token: Uint8Array): Uint8Array => {
      if (subject === null) return plain;
      const { handle, key } = subject;
      return writeUnderSubject({ handle, sealed: sivOnce(key).seal(plain, dataOf(side, token)) });
    };
    const name = nameOfValue(bytes, subject);
    const content = (rest: Uint8Array): Content => ({ state: 'live', inner, link, rest });
    const kept = layer.value.seal(name, under(concat([utf8(shown), body]), 'value', NO_TOKEN));
    const padded = layer.token.seal(body, under(pad(bytes), 'token', body));
    const place = instead === null ? { inner: layer.value.indexOf(name) } : { instead };
    return {
      value: session.seal('value', place, content(kept), expires),
      token: session.seal('token', { inner: layer.token.indexOf(body) }, content(padded), expires),
    };
  }

  function fresh(wanted: Wanted, subject: Subject | null, inner: string, instead: Row | null) {
    const expires = ttl === null ? null : today() + ttl + 1;
    const [body, link] = [random(TOKEN), random(LINK)];
    const rows = pair({ bytes: wanted.bytes, subject, inner, body, link }, instead, expires);
    return { ...rows, text: writeToken(label, inner, body) };
  }

  /** Looks values up and, unless only asked, makes tokens for those that have none. */
  async function resolve(
    wanted: readonly Wanted[],
    create: boolean,
    settle: (one: Wanted, result: string | null | Issue) => void,
  ): Promise<null | Stale> {
    const subjects = await subjectsOf(wanted, create ? (onErased === 'new' ? 'renew' : 'create') : 'leave');
    if (subjects === 'stale') return subjects;
    let left = wanted.filter((one) => {
      const state = stateOf(one, subjects);
      if (state === null || typeof state === 'object') return true;
      settle(one, state === 'absent' || (state === 'shredded' && !create) ? null : subjectIssue(state));
      return false;
    });

    for (let round = 0; left.length > 0; round++) {
      // Who loses a race finds the winner's token in the next round.
      if (round === ROUNDS) fail('store_busy', 'others change the same values all the time; try again');
      const names = left.map((one) => nameOfValue(one.bytes, stateOf(one, subjects) as Subject | null));
      const places = names.map(valuePlaces);
      const rows = await store.get('value', places.flat());
      const byIndex = new Map(rows.map((row) => [nameOf(row.index), row]));
      const again: Wanted[] = [];
      const entries: Entry[] = [];
      const created: { one: Wanted; text: string }[] = [];
      const { generation, inner } = session.meta();
      let missing = false;
      for (const [i, one] of left.entries()) {
        const subject = stateOf(one, subjects) as Subject | null;
        const row = places[i]!.map((place) => byIndex.get(nameOf(place))).find((found) => found !== undefined);
        if (row === undefined) {
          missing = true;
          if (create) {
            const { value, token, text } = fresh(one, subject, inner[0]!, null);
            entries.push({ row: value, with: token, unless: places[i]!.slice(1) });
            created.push({ one, text });
          }
          continue;
        }
        const found = session.open('value', row);
        const said = found === null ? 'broken' : readValue(found, names[i]!, subject);
        if (said === 'broken') settle(one, BROKEN);
        else if (said !== 'erased' && said !== 'expired') settle(one, said);
        else if (!create) settle(one, null);
        else if (said === 'erased' && onErased === 'error') settle(one, ERASED);
        else {
          const done = await replace(one, subject, found!, said);
          if (done === 'stale') return done;
          again.push(one);
        }
      }
      if (!create) {
        // Before a value is said to be absent: it may have moved to an index that we did not know of.
        if (missing && (await session.refresh())) return 'stale';
        for (const [i, one] of left.entries()) {
          if (!places[i]!.some((place) => byIndex.has(nameOf(place)))) settle(one, null);
        }
        return null;
      }
      if (entries.length > 0) {
        const won = await store.create(generation, 'value', entries);
        if (won === 'stale') return won;
        const winners = new Set(won);
        for (const [i, { one, text }] of created.entries()) {
          if (winners.has(i)) settle(one, text);
          else again.push(one);
        }
      }
      left = again;
    }
    return null;
  }

  /** A new token in the place of one that is gone. */
  async function replace(one: Wanted, subject: Subject | null, found: Found, why: 'erased' | 'expired') {
    const { value, token } = fresh(one, subject, found.content.inner, found.row);
    const changes: Change[] = [
      { table: 'value', index: found.row.index, from: found.row.version, to: value },
      { table: 'token', index: token.index, from: 0, to: token },
    ];
    if (why === 'expired') {
      const kept = keptOf(found.content, nameOfValue(one.bytes, subject), subject)!;
      for (const old of await store.get('token', tokenPlaces(kept.slice(5)))) {
        changes.push({ table: 'token', index: old.index, from: old.version, to: null });
      }
    }
    return store.change(session.meta().generation, changes);
  }

  async function subjectsOf(wanted: readonly Wanted[], missing: 'leave' | 'create' | 'renew') {
    const indexes = new Map<string, Uint8Array>();
    for (const { subjectIndex } of wanted) if (subjectIndex !== null) indexes.set(nameOf(subjectIndex), subjectIndex);
    return findSubjects(session, [...indexes.values()], missing);
  }

  function stateOf({ subjectIndex }: Wanted, subjects: ReadonlyMap<string, SubjectState>): SubjectState | null {
    return subjectIndex === null ? null : (subjects.get(nameOf(subjectIndex)) ?? 'broken');
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

  /** Opens the rows of tokens. `settle` gets what was found for each different one. */
  async function openTokens(
    tokens: readonly string[],
    report: Report,
    settle: (rows: readonly number[], found: Opened | 'forgotten', row: Row) => void,
  ): Promise<void> {
    const bodies = new Map<string, { body: Uint8Array; token: string; rows: number[] }>();
    for (const [row, token] of tokens.entries()) {
      try {
        const body = readToken(token);
        const known = bodies.get(nameOf(body));
        if (known === undefined) bodies.set(nameOf(body), { body, token, rows: [row] });
        else known.rows.push(row);
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        report(row, error.issues[0]!);
      }
    }
    const all = [...bodies.values()];
    for (let first = 0; first < all.length; first += BATCH) {
      const batch = all.slice(first, first + BATCH);
      await session.steady(async (): Promise<null | Stale> => {
        const places = batch.map(({ body }) => tokenPlaces(body));
        const rows = await store.get('token', places.flat());
        const byIndex = new Map(rows.map((row) => [nameOf(row.index), row]));
        const rowOf = (i: number) =>
          places[i]!.map((place) => byIndex.get(nameOf(place))).find((row) => row !== undefined);
        // Before a token is said to be unknown: its row may have moved to an index that we did not know of.
        if (batch.some((_, i) => rowOf(i) === undefined) && (await session.refresh())) return 'stale';
        const opened = batch.map((_, i) => {
          const row = rowOf(i);
          return row === undefined ? null : session.open('token', row);
        });
        const subjects = await subjectsOfTokens(batch, opened);
        for (const [i, { body, token, rows: places }] of batch.entries()) {
          const row = rowOf(i);
          const all = (issue: Issue) => {
            for (const place of places) report(place, issue);
          };
          if (row === undefined || (row.expires !== null && row.expires <= today())) all(UNKNOWN);
          else if (opened[i] === null) all(BROKEN);
          else if (opened[i]!.content.state === 'erased') settle(places, 'forgotten', row);
          else {
            const read = readTokenRow(opened[i]!, body, subjects);
            if (read === 'forgotten') settle(places, read, row);
            else if (read === null) all(BROKEN);
            else settle(places, { token, body, found: opened[i]!, ...read }, row);
          }
        }
        return null;
      });
    }
  }

  /** The subjects that rows of tokens name, by their handles. */
  async function subjectsOfTokens(batch: readonly { body: Uint8Array }[], opened: readonly (Found | null)[]) {
    const handles = new Map<string, Uint8Array>();
    for (const [i, found] of opened.entries()) {
      if (!withSubject || found === null || found.content.state === 'erased') continue;
      const inside = innerOf(found.content.inner).token.open(batch[i]!.body, found.content.rest);
      if (inside === null) continue;
      const { handle } = readUnderSubject(inside);
      handles.set(nameOf(handle), handle);
    }
    return findByHandle(session, [...handles.values()]);
  }

  function readTokenRow(
    { content }: Found,
    body: Uint8Array,
    subjects: ReadonlyMap<string, SubjectState>,
  ): { subject: Subject | null; value: Uint8Array } | 'forgotten' | null {
    const inside = innerOf(content.inner).token.open(body, content.rest);
    if (inside === null) return null;
    if (!withSubject) {
      const value = unpad(inside);
      return value === null ? null : { subject: null, value };
    }
    const subject = subjects.get(nameOf(readUnderSubject(inside).handle)) ?? 'broken';
    if (subject === 'shredded' || subject === 'absent') return 'forgotten';
    if (subject === 'broken') return null;
    const padded = openUnder(subject, inside, 'token', body);
    const value = padded === null ? null : unpad(padded);
    return value === null ? null : { subject, value };
  }

  async function inspectMany(tokens: readonly string[], report: Report) {
    const out = new Array<Opened | undefined>(tokens.length).fill(undefined);
    await openTokens(tokens, report, (rows, found) => {
      for (const row of rows) {
        if (typeof found === 'object') out[row] = found;
        else report(row, FORGOTTEN);
      }
    });
    return out;
  }

  async function valueRowOf({ value, subject, found }: Opened): Promise<Found | null> {
    const [row] = await store.get('value', valuePlaces(nameOfValue(value, subject)));
    const other = row === undefined ? null : session.open('value', row);
    return other?.content.state === 'live' && equalBytes(other.content.link, found.content.link) ? other : null;
  }

  /** Destroys one mapping; the token's row stays as one that was forgotten. */
  function forgetOne(token: string, report: (issue: Issue) => void): Promise<boolean | undefined> {
    return session.steady(async (): Promise<boolean | Stale | undefined> => {
      const seen: { found: Opened | 'forgotten'; row: Row }[] = [];
      await openTokens(
        [token],
        (_, issue) => report(issue),
        (_, found, row) => seen.push({ found, row }),
      );
      const [at] = seen;
      if (at === undefined) return undefined;
      if (at.found === 'forgotten') return false;
      const { found, row } = { ...at, found: at.found };
      const to = session.seal('token', { instead: row }, eraseContent(found.found.content), null);
      const changes: Change[] = [{ table: 'token', index: row.index, from: row.version, to }];
      const value = await valueRowOf(found);
      if (value !== null) {
        const gone = session.seal('value', { instead: value.row }, eraseContent(value.content), null);
        changes.push({ table: 'value', index: value.row.index, from: value.row.version, to: gone });
      }
      const done = await store.change(session.meta().generation, changes);
      return done === true ? true : 'stale';
    });
  }

  return {
    protect: async (values, report) => (await find(values, true, report)) as (string | undefined)[],
    lookup: (values, report) => find(values, false, report),
    inspect: inspectMany,
    valueRowOf,
    async reveal(tokens, report) {
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      const opened = await inspectMany(tokens, report);
      return opened.map((one) => (one === undefined ? undefined : decoder.decode(one.value)));
    },
    async exists(tokens, report) {
      const out = new Array<boolean | undefined>(tokens.length).fill(undefined);
      const absent: Report = (row, issue) => {
        if (issue.code === 'unknown_token') out[row] = false;
        else report(row, issue);
      };
      const there = (rows: readonly number[]) => {
        for (const row of rows) out[row] = true;
      };
      await openTokens(tokens, absent, there);
      return out;
    },
    async forget(tokens, report) {
      const out: (boolean | undefined)[] = [];
      for (const [i, token] of tokens.entries()) out.push(await forgetOne(token, (issue) => report(i, issue)));
      if (out.includes(true)) await session.scrub();
      return out;
    },
    renew({ body, found, subject, value }, old) {
      const inner = session.meta().inner[0]!;
      if (found.content.inner === inner && old.content.inner === inner) return null;
      // The key id that the token shows is the one it was made with, whatever the caller's text says.
      const kept = keptOf(old.content, nameOfValue(value, subject), subject);
      if (kept === null || !equalBytes(kept.slice(5), body)) return null;
      const shown = String.fromCharCode(...kept.subarray(0, 5));
      const rows = pair(
        { bytes: value, subject, inner, body, link: found.content.link },
        null,
        found.row.expires,
        shown,
      );
      return [
        { table: 'value', index: old.row.index, from: old.row.version, to: null },
        { table: 'value', index: rows.value.index, from: 0, to: rows.value },
        { table: 'token', index: found.row.index, from: found.row.version, to: null },
        { table: 'token', index: rows.token.index, from: 0, to: rows.token },
      ];
    },
  };
}

/** A by-value row is bound to no token: it is what is looked up to find one. */
const NO_TOKEN: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

const BROKEN: Issue = { code: 'row_broken', message: 'the row in the vault does not verify; see trefoil vault verify' };
const UNKNOWN: Issue = {
  code: 'unknown_token',
  message: 'the vault has no such token in this scope, or it has expired',
};
const FORGOTTEN: Issue = {
  code: 'forgotten',
  message: 'the mapping of this token was destroyed, or the key of its subject',
};
const ERASED: Issue = {
  code: 'erased',
  message: 'the value was erased from the vault, and its policy says that it stays so',
};

/** The value, one byte 0x80, and zeros to the next bucket of seal-v1: lengths show to a power of two. */
function pad(value: Uint8Array): Uint8Array {
  return padTo(value, bucketOf(value.length));
}

function unpad(padded: Uint8Array): Uint8Array | null {
  const value = unpadded(padded);
  return value !== null && bucketOf(value.length) === padded.length ? value.slice() : null;
}
