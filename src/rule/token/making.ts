/**
 * Makes tokens (docs/spec/token-v1.md, "Steps"): the key set-up of a rule, the way from a value to its prepared text,
 * and the tokens of one value and of a column.
 */

import { checkText } from '../../core/checks.ts';
import { dateText } from '../../core/civil-date.ts';
import { inputText } from '../../core/input-text.ts';
import { issueOf, type ReportIssue } from '../../core/issues.ts';
import { fail } from '../../errors.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, tagAt } from '../../kernel/prf/prf.ts';
import type { Step } from '../../keys/derive.ts';
import { type DomainKey, keysWith, type OpenedKeys, protectingKey } from '../../keys/domain-keys.ts';
import type { OpenedReading } from '../../prepare/reading.ts';
import { applySteps } from '../../prepare/steps.ts';
import { endsLikeToken, inspect } from '../../wire/labelled-token.ts';
import { type TokenTexts, tokenTexts } from '../../wire/token-texts.ts';
import { unknownKey } from '../binding.ts';
import { isMissing, type MissingLists, type MissingTexts } from '../missing.ts';
import { onceEach } from '../once-each.ts';
import type { ColumnVerb } from '../rule.ts';
import { type MessageWriter, messageWriter } from './contexts.ts';
import { hasPermutation, parametersOf, permutationUnder } from './keys.ts';
import { permutedTexts } from './permuted-texts.ts';
import { behind, restOf } from './prefix.ts';
import { PRFS, type Settings } from './settings.ts';

/** A rule's keyed functions, and the writer of its tokens: the result of the key set-up. */
export interface KeyedTokens {
  readonly settings: Settings;
  readonly missing: MissingTexts;
  readonly opened: OpenedKeys;
  /** Every key that can make tokens, by shown key id, the primary first. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** The keyed function and the writer of the primary key, which makes new tokens. */
  readonly primary: Prf;
  readonly texts: TokenTexts;
  /** Writes the messages of a rule with `per`; `null` for other rules, whose message is the text of the value. */
  readonly writer: MessageWriter | null;
}

/** One key of a rule. */
export interface Epoch {
  /** The keyed function. The keys of one lineage have the same. */
  readonly prf: Prf;
  /** The writer of its tokens, with its permutation. It is made when it is first needed. */
  readonly texts: () => TokenTexts;
}

/**
 * Key set-up: derives the key of each domain key and prepares the keyed functions.
 *
 * @param below the way from the key of the rule to that of a period.
 */
export function setUp(
  settings: Settings,
  opened: OpenedKeys,
  lists: MissingLists,
  below: readonly Step[] = [],
): KeyedTokens {
  const { scope, prf, contexts } = settings;
  const parameters = parametersOf(settings);
  // The keys of one lineage have one node, and need one keyed function.
  const prfs = new Map<string, Prf>();
  const epochs = new Map<string, Epoch>();
  for (const key of keysWith(opened, 'token', scope, parameters, below)) {
    if (key !== opened.primary && !hasPermutation(key, settings)) continue;
    const node = key.derive('token', scope, parameters, below);
    const name = node.join();
    if (!prfs.has(name)) prfs.set(name, PRFS[prf](node));
    let texts: TokenTexts | null = null;
    const textsOfKey = () => {
      texts ??= textsUnder(settings, key);
      return texts;
    };
    epochs.set(key.id, { prf: prfs.get(name)!, texts: textsOfKey });
  }
  const primary = epochs.get(opened.primary.id)!;
  const writer = contexts.length === 0 ? null : messageWriter(contexts, lists.of);
  return { settings, missing: lists.own, opened, epochs, primary: primary.prf, texts: primary.texts(), writer };
}

/** The writer of the tokens of a key. */
function textsUnder(settings: Settings, key: DomainKey): TokenTexts {
  const { form, length, label } = settings;
  const prefix = label === undefined ? '' : `${label}_`;
  const texts = tokenTexts(form, length, form === 'labelled' ? prefix + key.id : '');
  const permutation = permutationUnder(key, settings);
  return permutation === null ? texts : permutedTexts(texts, permutation);
}

/** Returns the prepared text of a value, or `null` if the value is an intact token of these keys that passes. */
export function enter(keyed: KeyedTokens, value: unknown): string | null {
  const { steps, reading } = keyed.settings;
  // A token that is handed in again is not in the form that is read.
  if (reading !== null && typeof value === 'string' && isOwnToken(keyed, value)) return null;
  // Without steps, the keyed function reads the characters itself and refuses lone surrogates.
  const text = reading === null && steps.length === 0 && typeof value === 'string' ? value : textOf(value, reading);
  if (isOwnToken(keyed, text)) return null;
  if (steps.length === 0) return text;
  const prepared = applySteps(steps, text);
  // A token in capitals or between spaces is recognised only after it was prepared.
  return prepared !== text && isOwnToken(keyed, prepared) ? null : prepared;
}

/** The text of a value before its steps. */
export function textOf(value: unknown, reading: OpenedReading | null): string {
  if (reading !== null) return reading.read(value);
  return value instanceof Date ? dateText(value) : inputText(value);
}

/**
 * Whether a text is an intact labelled token of the domain, also of a key that can make none here.
 *
 * @throws TrefoilError `already_token` if such a token may not pass; `key_retired`, because nothing joins with it.
 */
function isOwnToken({ settings, opened }: KeyedTokens, text: string): boolean {
  if (!endsLikeToken(text)) return false;
  const parts = inspect(text);
  if (!parts?.intact) return false;
  if (opened.retired.has(parts.keyId)) unknownKey(opened, parts.keyId);
  if (!opened.keys.some(({ id }) => id === parts.keyId)) return false;
  if (settings.onToken === 'pass') return true;
  fail('already_token', 'the value is already a token of these keys; protect the original, or set onToken: pass');
}

/**
 * Returns what a token that passes is written as: its prepared text, so that it equals the tokens it is joined with.
 */
export function passedToken(keyed: KeyedTokens, value: unknown): string {
  const text = inputText(value);
  return isOwnToken(keyed, text) ? text : applySteps(keyed.settings.steps, text);
}

/** The token of one value of a rule without `per`: faster than a batch of one. */
export function protectOne(keyed: KeyedTokens, value: unknown): unknown {
  const { settings, missing, opened, primary, texts } = keyed;
  const { after } = settings;
  if (isMissing(value, missing)) return value;
  protectingKey(opened);
  const rest = after === undefined ? value : restOf(value, after);
  if (after !== undefined && isMissing(rest, missing)) return value;
  const text = enter(keyed, rest);
  if (text === null) return (after ?? '') + passedToken(keyed, rest);
  if (text === '' && missing.empty) return after ?? '';
  primary.text(text);
  const made = texts.one(primary.tag);
  return after === undefined ? made : after + made;
}

/**
 * Tokens of up to SLOTS values of a column, from `first` on.
 *
 * @param contexts the columns of the fields of `per`.
 */
function protectChunk(
  keyed: KeyedTokens,
  column: readonly unknown[],
  contexts: readonly (readonly unknown[])[],
  first: number,
  out: unknown[],
  report: ReportIssue,
  batch: MessageBatch,
): void {
  const { primary, texts, missing, writer } = keyed;
  const last = Math.min(column.length, first + SLOTS);
  let slots = 0;
  for (let i = first; i < last; i++) {
    const value = column[i];
    if (isMissing(value, missing)) {
      out[i] = value;
      continue;
    }
    try {
      const text = enter(keyed, value);
      if (text === null) {
        out[i] = passedToken(keyed, value);
      } else if (text === '' && missing.empty) {
        out[i] = '';
      } else {
        if (writer === null) {
          primary.putText(batch, slots, text);
        } else {
          const end = writer.write(
            contexts.map((values) => values[i]),
            checkText(text),
          );
          primary.putBytes(batch, slots, writer.bytes(), 0, end);
        }
        batch.rows[slots++] = i;
      }
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  if (slots === 0) return;
  primary.run(batch, slots);
  texts.many(batch.tags, tagAt, TAG_STEP, batch.rows, slots, out);
}

/** The verb over columns. Equal texts of a column are worked on once if it repeats. */
export function tokenColumns(keyed: KeyedTokens): ColumnVerb {
  const { after, contexts } = keyed.settings;
  const { missing } = keyed;
  const make: ColumnVerb = (column, report, siblings) => {
    protectingKey(keyed.opened);
    const out = new Array<unknown>(column.length);
    const columns = contexts.map(({ path }) => siblings!(path));
    keyed.primary.withBatch(column.length, (batch) => {
      for (let first = 0; first < column.length; first += SLOTS) {
        protectChunk(keyed, column, columns, first, out, report, batch);
      }
    });
    return out;
  };
  // With contexts, a token does not depend on the value alone.
  const verb = contexts.length === 0 ? onceEach(make) : make;
  return after === undefined ? verb : behind(after, (value) => isMissing(value, missing), verb);
}
