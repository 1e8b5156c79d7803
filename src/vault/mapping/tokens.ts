/** Tokens of a scope back to their values (docs/spec/vault-v1.md, "Revealing"). */

import { decodeAscii } from '../../core/ascii.ts';
import { equalBytes } from '../../core/bytes.ts';
import { type Issue, TrefoilError } from '../../errors.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { readUnderSubject } from '../rows/content.ts';
import { bodyOf, readTokenInto, TOKEN } from '../rows/token-text.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Stale } from '../stores/store.ts';
import { findByHandle, type Subject, type SubjectState } from '../subjects.ts';
import { inHalves } from './halves.ts';
import { BATCH, BROKEN, lookUp, nameOf, type ReportIssue, type Scope } from './scope.ts';
import { openInner, valuesOf } from './sealing.ts';

/** A token whose row was opened. */
export interface OpenedToken {
  /** The 16 bytes of the token. */
  readonly body: Uint8Array;
  readonly opened: OpenedRow;
  readonly subject: Subject | null;
  /** UTF-8. */
  readonly value: Uint8Array;
}

/** A token of a call, with all its positions in the list. */
interface DistinctToken {
  readonly body: Uint8Array;
  readonly positions: number[];
}

/** A token that the vault has made, with its mapping. */
export interface SeenToken extends DistinctToken {
  readonly mapping: OpenedToken | 'forgotten';
}

export async function revealTokens(
  scope: Scope,
  tokens: readonly string[],
  report: ReportIssue,
): Promise<(string | undefined)[]> {
  const out = new Array<string | undefined>(tokens.length).fill(undefined);
  for (const { positions, mapping } of await findTokens(scope, tokens, report)) {
    const text = mapping === 'forgotten' ? null : textOf(mapping.value);
    for (const i of positions) {
      if (text === null) report(i, FORGOTTEN);
      else out[i] = text;
    }
  }
  return out;
}

export async function existTokens(
  scope: Scope,
  tokens: readonly string[],
  report: ReportIssue,
): Promise<(boolean | undefined)[]> {
  const out = new Array<boolean | undefined>(tokens.length).fill(undefined);
  const seen = await findTokens(scope, tokens, (i, issue) => {
    if (issue.code === 'unknown_token') out[i] = false;
    else report(i, issue);
  });
  for (const { positions } of seen) for (const i of positions) out[i] = true;
  return out;
}

export async function inspectTokens(
  scope: Scope,
  tokens: readonly string[],
  report: ReportIssue,
): Promise<(OpenedToken | undefined)[]> {
  const out = new Array<OpenedToken | undefined>(tokens.length).fill(undefined);
  for (const { positions, mapping } of await findTokens(scope, tokens, report)) {
    for (const i of positions) {
      if (mapping === 'forgotten') report(i, FORGOTTEN);
      else out[i] = mapping;
    }
  }
  return out;
}

/** Returns the rows by value of opened tokens; `null` if there is none, or if it belongs to another token. */
export async function valueRowsOf(scope: Scope, tokens: readonly OpenedToken[]): Promise<(OpenedRow | null)[]> {
  const out: (OpenedRow | null)[] = [];
  for (let first = 0; first < tokens.length; first += BATCH) {
    const batch = tokens.slice(first, first + BATCH);
    const names = batch.map(({ value, subject }) => nameOf(value, subject));
    const all = await scope.session.withView(async (view): Promise<(readonly (OpenedRow | null)[])[] | Stale> => {
      const { allOf, mayHaveMoved } = await lookUp(scope, view, 'value', names);
      if (mayHaveMoved && (await view.isOutdated())) return 'stale';
      return names.map((_, i) => allOf(i));
    });
    for (const [i, rows] of all.entries()) {
      const { link } = batch[i]!.opened.content;
      const own = rows.find((row) => row?.content.state === 'live' && equalBytes(row.content.link, link));
      out.push(own ?? null);
    }
  }
  return out;
}

/** Opens the rows of tokens. Unknown and damaged ones are reported. */
export async function findTokens(scope: Scope, tokens: readonly string[], report: ReportIssue): Promise<SeenToken[]> {
  const distinct = distinctTokens(tokens, report);
  const seen: SeenToken[] = [];
  await inHalves(distinct, (some) => scope.session.withView((view) => findSome(scope, view, some, seen, report)));
  return seen;
}

async function findSome(
  scope: Scope,
  view: View,
  batch: readonly DistinctToken[],
  seen: SeenToken[],
  report: ReportIssue,
): Promise<null | Stale> {
  const names = batch.map(({ body }) => body);
  const { rows, opened, mayHaveMoved } = await lookUp(scope, view, 'token', names);
  // A token that is not found may have moved to an index that this view does not know.
  if (mayHaveMoved && (await view.isOutdated())) return 'stale';
  const inside = openInner(scope, 'token', opened, names);
  const states = await subjectsOf(scope, view, inside);
  if (states === 'stale') return states;
  const day = today();
  const reportAll = (positions: readonly number[], issue: Issue) => {
    for (const i of positions) report(i, issue);
  };
  const subjects = states.map((state) => (typeof state === 'object' ? state : null));
  const values = valuesOf(scope, inside, subjects, names);
  for (let i = 0; i < batch.length; i++) {
    const { body, positions } = batch[i]!;
    const row = rows[i];
    if (row === undefined || isOver(row, day)) {
      reportAll(positions, UNKNOWN);
      continue;
    }
    const own = opened[i]!;
    const value = values[i]!;
    const state = states[i];
    if (own?.content.state === 'erased' || (own !== null && (state === 'shredded' || state === 'absent'))) {
      seen.push({ body, positions, mapping: 'forgotten' });
    } else if (own === null || value === null) reportAll(positions, BROKEN);
    else seen.push({ body, positions, mapping: { body, opened: own, subject: subjects[i]!, value } });
  }
  return null;
}

/** Returns the subjects that rows by token name: `null` if a row did not open, or if the scope has no subjects. */
async function subjectsOf(
  { options }: Scope,
  view: View,
  inside: readonly (Uint8Array | null)[],
): Promise<readonly (SubjectState | null)[] | Stale> {
  if (!options.withSubject) return inside.map(() => null);
  const positions = new Map<string, number>();
  const handles: Uint8Array[] = [];
  const own = inside.map((bytes) => {
    if (bytes === null) return null;
    const { handle } = readUnderSubject(bytes);
    const key = mapKey(handle);
    const known = positions.get(key) ?? handles.length;
    if (known === handles.length) {
      positions.set(key, known);
      handles.push(handle);
    }
    return known;
  });
  const states = await findByHandle(view, handles);
  return states === 'stale' ? states : own.map((position) => (position === null ? null : states[position]!));
}

/** Returns the different tokens of a list. They are compared by their bytes: labels do not count. */
function distinctTokens(tokens: readonly string[], report: ReportIssue): DistinctToken[] {
  const byBody = new Map<string, DistinctToken>();
  const bytes = new Uint8Array(TOKEN * tokens.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const at = TOKEN * i;
    try {
      readTokenInto(token, view, at);
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      report(i, error.issues[0]!);
      continue;
    }
    const text = bodyOf(token);
    const known = byBody.get(text);
    if (known === undefined) byBody.set(text, { body: bytes.subarray(at, at + TOKEN), positions: [i] });
    else known.positions.push(i);
  }
  return [...byBody.values()];
}

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of a value. */
export function textOf(bytes: Uint8Array): string {
  let all = 0;
  for (let i = 0; i < bytes.length; i++) all |= bytes[i]!;
  return all < 128 ? decodeAscii(bytes, 0, bytes.length) : decoder.decode(bytes);
}

const UNKNOWN: Issue = {
  code: 'unknown_token',
  message: 'the token is not in the vault under this scope, or it has expired',
};
export const FORGOTTEN: Issue = {
  code: 'forgotten',
  message:
    'the mapping of this token was destroyed: its value was forgotten, or its subject was shredded; to reveal such ' +
    'tokens as missing values, set onErased: missing; to leave their records out, use --on-error reject',
};
