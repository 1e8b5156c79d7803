/** Tokens of a scope to their values, and what is done to mappings by their tokens (docs/spec/vault-v1.md, "Revealing" and on). */

import { decodeAscii } from '../../core/ascii.ts';
import { equalBytes } from '../../core/bytes.ts';
import { fail, type Issue, TrefoilError } from '../../errors.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { readId, readUnderSubject } from '../rows/content.ts';
import { bodyOf, readTokenInto, TOKEN } from '../rows/token-text.ts';
import type { Found, View } from '../rows/view.ts';
import type { Change, Row, Stale } from '../stores/store.ts';
import { findByHandle, ROUNDS, type SubjectState } from '../subjects.ts';
import { erasing } from './forgetting.ts';
import { inHalves } from './halves.ts';
import { BATCH, BROKEN, type Column, type Opened, type Report, type Scope, type Which } from './scope.ts';

/** Tokens of a scope. A place with an issue is `undefined` in what the verbs give. */
export interface Tokens {
  readonly reveal: (tokens: readonly string[], report: Report) => Promise<(string | undefined)[]>;
  /** Whether the vault gave these tokens out, forgotten ones included. */
  readonly exists: (tokens: readonly string[], report: Report) => Promise<(boolean | undefined)[]>;
  /** Destroys mappings and tells which were still there. */
  readonly forget: (tokens: readonly string[], report: Report) => Promise<(boolean | undefined)[]>;
  /** What a token's row says, for verification and for a change of the inner key. */
  readonly inspect: (tokens: readonly string[], report: Report) => Promise<(Opened | undefined)[]>;
  /** The by-value rows of what was opened; `null` where one is not there, or is another's. */
  readonly valueRowsOf: (opened: readonly Opened[]) => Promise<(Found | null)[]>;
  /**
   * Both rows of mappings under the key that is written with now: no change for those that are under it, and `null` for
   * those that cannot be: they have no row by value, or their value has another token that `protect` gives.
   */
  readonly renew: (
    view: View,
    opened: readonly Opened[],
    values: readonly (Found | null)[],
  ) => Promise<readonly (readonly Change[] | null)[]>;
}

/** A different token of a call, and where it stands in the list. */
interface Given {
  readonly body: Uint8Array;
  readonly rows: number[];
}

/** What was found of a token that the vault gave out. */
interface Seen extends Given {
  readonly opened: Opened | 'forgotten';
}

export function openTokens(scope: Scope): Tokens {
  const { session } = scope;
  const { withSubject } = scope.options;
  const { store } = session;

  /** Opens the rows of tokens. Those that are unknown or broken are reported. */
  async function look(tokens: readonly string[], report: Report): Promise<Seen[]> {
    const given = distinct(tokens, report);
    const seen: Seen[] = [];
    await inHalves(given, (some) => session.steady((view) => lookAt(view, some, seen, report)));
    return seen;
  }

  async function lookAt(view: View, batch: readonly Given[], seen: Seen[], report: Report): Promise<null | Stale> {
    const names = batch.map(({ body }) => body);
    const { rows, found, unsure } = await scope.lookUp(view, 'token', names);
    // Before a token is said to be unknown: its row may have moved to an index that we did not know of.
    if (unsure && (await view.isOlder())) return 'stale';
    const inside = scope.openInner('token', found, names);
    const states = await subjectsOf(view, inside);
    if (states === 'stale') return states;
    const day = today();
    const all = (list: readonly number[], issue: Issue) => {
      for (const place of list) report(place, issue);
    };
    const keyed = states.map((state) => (typeof state === 'object' ? state : null));
    const values = scope.valuesOf(inside, keyed, names);
    for (let i = 0; i < batch.length; i++) {
      const { body, rows: list } = batch[i]!;
      const row = rows[i];
      if (row === undefined || isOver(row, day)) {
        all(list, UNKNOWN);
        continue;
      }
      const one = found[i]!;
      const value = values[i]!;
      const state = states[i];
      if (one?.content.state === 'erased' || (one !== null && (state === 'shredded' || state === 'absent'))) {
        seen.push({ body, rows: list, opened: 'forgotten' });
      } else if (one === null || value === null) all(list, BROKEN);
      else seen.push({ body, rows: list, opened: { body, found: one, subject: keyed[i]!, value } });
    }
    return null;
  }

  /** The subjects that rows of tokens name: `null` for a row that says nothing, and where the scope has none. */
  async function subjectsOf(
    view: View,
    inside: readonly (Uint8Array | null)[],
  ): Promise<readonly (SubjectState | null)[] | Stale> {
    if (!withSubject) return inside.map(() => null);
    const places = new Map<string, number>();
    const handles: Uint8Array[] = [];
    const own = inside.map((bytes) => {
      if (bytes === null) return null;
      const { handle } = readUnderSubject(bytes);
      const name = mapKey(handle);
      const known = places.get(name) ?? handles.length;
      if (known === handles.length) {
        places.set(name, known);
        handles.push(handle);
      }
      return known;
    });
    const states = await findByHandle(view, handles);
    return states === 'stale' ? states : own.map((place) => (place === null ? null : states[place]!));
  }

  async function inspect(tokens: readonly string[], report: Report): Promise<(Opened | undefined)[]> {
    const out = new Array<Opened | undefined>(tokens.length).fill(undefined);
    for (const { rows, opened } of await look(tokens, report)) {
      for (const row of rows) {
        if (opened === 'forgotten') report(row, FORGOTTEN);
        else out[row] = opened;
      }
    }
    return out;
  }

  async function valueRowsOf(opened: readonly Opened[]): Promise<(Found | null)[]> {
    const out: (Found | null)[] = [];
    for (let first = 0; first < opened.length; first += BATCH) {
      const batch = opened.slice(first, first + BATCH);
      const names = batch.map(({ value, subject }) => scope.nameOf(value, subject));
      const all = await session.steady(async (view): Promise<(readonly (Found | null)[])[] | Stale> => {
        const { allOf, unsure } = await scope.lookUp(view, 'value', names);
        if (unsure && (await view.isOlder())) return 'stale';
        return names.map((_, i) => allOf(i));
      });
      for (const [i, found] of all.entries()) {
        const { link } = batch[i]!.found.content;
        const own = found.find((one) => one?.content.state === 'live' && equalBytes(one.content.link, link));
        out.push(own ?? null);
      }
    }
    return out;
  }

  /** Destroys the mappings of tokens; the tokens' rows stay as those that were forgotten. */
  async function forget(tokens: readonly string[], report: Report): Promise<(boolean | undefined)[]> {
    const out = new Array<boolean | undefined>(tokens.length).fill(undefined);
    let left = tokens.map((_, i) => i);
    let destroyed = false;
    for (let round = 0; left.length > 0; round++) {
      if (round === ROUNDS) fail('store_busy', 'others change the same mappings all the time; try again');
      const again: number[] = [];
      const list = left;
      const seen = await look(
        list.map((i) => tokens[i]!),
        (k, issue) => report(list[k]!, issue),
      );
      const there: { readonly rows: readonly number[]; readonly opened: Opened }[] = [];
      for (const { rows, opened } of seen) {
        if (opened !== 'forgotten') there.push({ rows, opened });
        else for (const k of rows) out[list[k]!] ??= false;
      }
      // After a round in which somebody else changed one of them, one by one.
      const keys = session.meta().inner.length;
      const size = round === 0 ? Math.ceil(BATCH / (2 * keys + 1)) : 1;
      for (let first = 0; first < there.length; first += size) {
        const batch = there.slice(first, first + size);
        const view = session.view();
        const changes = await erasing(scope, view, batch);
        const done = await store.change(view.meta.generation, changes.flat());
        if (done !== true) await session.refresh();
        else destroyed = true;
        for (const [i, { rows }] of batch.entries()) {
          // Where nothing live was found any more, somebody else was first, or has moved it.
          const gone = done === true && changes[i]!.length > 0;
          for (const k of rows) {
            if (gone) out[list[k]!] = true;
            else again.push(list[k]!);
          }
        }
      }
      left = again;
    }
    if (destroyed) await session.scrub();
    return out;
  }

  async function renew(
    view: View,
    opened: readonly Opened[],
    values: readonly (Found | null)[],
  ): Promise<(readonly Change[] | null)[]> {
    const inner = view.meta.inner[0]!;
    const names = opened.map(({ value, subject }) => scope.nameOf(value, subject));
    const inside = scope.openInner('value', values, names);
    const tokens = scope.tokensOf(
      inside,
      opened.map(({ subject }) => subject),
    );
    const targets = {
      value: await scope.columnsOf(view, 'value', names),
      token: await scope.columnsOf(
        view,
        'token',
        opened.map(({ body }) => body),
      ),
    };
    const day = today();
    const out = new Array<readonly Change[] | null>(opened.length).fill(null);
    const drafts = opened.flatMap(({ body, found, subject, value }, i) => {
      const old = values[i]!;
      if (old === null) return [];
      if (found.content.inner === inner && old.content.inner === inner) {
        out[i] = [];
        return [];
      }
      // The key id that the token shows is the one it was made with, whatever the caller's text says.
      const kept = tokens[i]!;
      if (kept === null || !equalBytes(kept, body)) return [];
      const { link } = found.content;
      const { expires } = found.row;
      // Two stores that were filled apart and joined may have given a value a token each. There is one row by value
      // under a key: it is that of the token that `protect` gives, before and after.
      const counts = targets.value[i]!.find(({ row, content }) => content?.state === 'live' && !isOver(row!, day));
      if (counts === undefined || !equalBytes(counts.content!.link, link)) return [];
      const [at, tokenAt] = [placeIn(targets.value[i]![0]!, link), placeIn(targets.token[i]![0]!, link)];
      if (at === 'taken' || tokenAt === 'taken') return [];
      const shown = readId(old.content.rest, 0);
      return [{ i, old, found, pair: { value, subject, inner, shown, body, link, expires, at, tokenAt } }];
    });
    const rows = scope.pairs(
      view,
      drafts.map(({ pair }) => pair),
    );
    for (const [k, { i, old, found, pair }] of drafts.entries()) {
      out[i] = [
        ...moving('value', old.row, pair.at, rows.values[k]!),
        ...moving('token', found.row, pair.tokenAt, rows.tokens[k]!),
      ];
    }
    return out;
  }

  return {
    async reveal(tokens, report) {
      const out = new Array<string | undefined>(tokens.length).fill(undefined);
      for (const { rows, opened } of await look(tokens, report)) {
        const text = opened === 'forgotten' ? null : textOf(opened.value);
        for (const row of rows) {
          if (text === null) report(row, FORGOTTEN);
          else out[row] = text;
        }
      }
      return out;
    },
    async exists(tokens, report) {
      const out = new Array<boolean | undefined>(tokens.length).fill(undefined);
      const seen = await look(tokens, (row, issue) => {
        if (issue.code === 'unknown_token') out[row] = false;
        else report(row, issue);
      });
      for (const { rows } of seen) for (const row of rows) out[row] = true;
      return out;
    },
    forget,
    inspect,
    valueRowsOf,
    renew,
  };
}

/**
 * Where a row of a mapping is written under a key: on free ground, or over a tombstone of its name or an older row of
 * its own.
 */
function placeIn({ row, content }: Column, link: Uint8Array): { readonly instead: Row } | null | 'taken' {
  if (row === undefined) return null;
  if (content?.state === 'erased') return { instead: row };
  return content !== null && equalBytes(content.link, link) ? { instead: row } : 'taken';
}

/** One row to another place, or to where it is. */
function moving(table: Which, old: Row, at: { readonly instead: Row } | null, to: Row): Change[] {
  const write: Change = { table, index: to.index, from: at?.instead.version ?? 0, to };
  return equalBytes(old.index, to.index) ? [write] : [{ table, index: old.index, from: old.version, to: null }, write];
}

/** Different tokens of a list, each once: by their bytes, for a label says nothing. */
function distinct(tokens: readonly string[], report: Report): Given[] {
  const byBody = new Map<string, Given>();
  const bytes = new Uint8Array(TOKEN * tokens.length);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    const at = TOKEN * row;
    try {
      readTokenInto(token, view, at);
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      report(row, error.issues[0]!);
      continue;
    }
    const name = bodyOf(token);
    const known = byBody.get(name);
    if (known === undefined) byBody.set(name, { body: bytes.subarray(at, at + TOKEN), rows: [row] });
    else known.rows.push(row);
  }
  return [...byBody.values()];
}

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  let all = 0;
  for (let i = 0; i < bytes.length; i++) all |= bytes[i]!;
  return all < 128 ? decodeAscii(bytes, 0, bytes.length) : decoder.decode(bytes);
}

const UNKNOWN: Issue = {
  code: 'unknown_token',
  message: 'the vault has no such token in this scope, or it has expired',
};
const FORGOTTEN: Issue = {
  code: 'forgotten',
  message: 'the mapping of this token was destroyed, or the key of its subject',
};
