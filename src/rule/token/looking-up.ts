/**
 * Looks values up (docs/spec/token-v1.md, "Reading"): the tokens that a value may have been stored as, and whether a
 * token belongs to a value. Nothing is written, so which keys are pinned does not matter.
 */

import { fail } from '../../errors.ts';
import type { Prf } from '../../kernel/prf/prf.ts';
import type { OpenedKeys } from '../../keys/domain-keys.ts';
import { applySteps } from '../../prepare/steps.ts';
import { inspect } from '../../wire/labelled-token.ts';
import { unknownKey } from '../binding.ts';
import { isMissing } from '../missing.ts';
import type { Siblings } from '../rule.ts';
import { type Epoch, enter, type KeyedTokens, passedToken, textOf } from './making.ts';
import { restOf } from './prefix.ts';

/** Computes the tag of a value under a keyed function. Read `prf.tag` before the next call. */
function hash({ writer, settings }: KeyedTokens, prf: Prf, prepared: string, siblings: Siblings | null): Int32Array {
  if (writer === null) {
    prf.text(prepared);
  } else {
    const values = settings.contexts.map(({ path }) => siblings!(path)[0]);
    const end = writer.write(values, prepared);
    prf.bytes(writer.bytes(), 0, end);
  }
  return prf.tag;
}

/** The tokens of a value under every key, the primary first. */
export function candidates(keyed: KeyedTokens, value: unknown, siblings: Siblings | null): unknown[] {
  const { settings, missing, epochs } = keyed;
  const after = settings.after ?? '';
  if (value !== null && value !== undefined && isMissing(value, missing)) return [value];
  const rest = after === '' ? value : restOf(value, after);
  if (after !== '' && isMissing(rest, missing)) return [value];
  const text = enter(keyed, rest);
  if (text === null) return [after + passedToken(keyed, rest)];
  if (text === '' && missing.empty) return [after];
  const out: unknown[] = [];
  let hashed: Prf | null = null;
  for (const { prf, texts } of epochs.values()) {
    // The keys of one lineage share the keyed function, so its tag is there already.
    if (prf !== hashed) hash(keyed, prf, text, siblings);
    hashed = prf;
    out.push(after + texts().one(prf.tag));
  }
  return out;
}

/**
 * @param whole what a token of the rule's form looks like, unless the form is `labelled`.
 * @param siblings the contexts of a rule with `per`.
 */
export function matches(
  keyed: KeyedTokens,
  whole: RegExp,
  value: unknown,
  candidate: string,
  siblings: Siblings | null,
): boolean {
  const { settings, epochs } = keyed;
  const { form, length, after } = settings;
  const prepared = applySteps(
    settings.steps,
    textOf(after === undefined ? value : restOf(value, after), settings.reading),
  );
  const body = ({ prf, texts }: Epoch) => texts().body(hash(keyed, prf, prepared, siblings));
  const made = ownPart(candidate, after);
  if (form !== 'labelled') {
    if (typeof made !== 'string' || !whole.test(made)) {
      fail('malformed_token', `the token is not in the form ${form} with the length that this rule writes`);
    }
    return [...epochs.values()].some((epoch) => equalText(body(epoch), made));
  }
  const parts = inspect(made);
  if (parts === null || !parts.intact || parts.body.length !== length) {
    fail(
      'malformed_token',
      'the token is not in the labelled form that this rule writes, or its check characters are wrong',
    );
  }
  const epoch = epochs.get(parts.keyId);
  if (epoch === undefined) {
    if (keyed.opened.keys.some(({ id }) => id === parts.keyId)) lacksTokens(keyed.opened, parts.keyId);
    unknownKey(keyed.opened, parts.keyId);
  }
  return equalText(body(epoch), parts.body);
}

/** The keyset has the key, and not what makes its tokens: the key was demoted, or the file is narrowed. */
function lacksTokens({ domain }: OpenedKeys, id: string): never {
  fail(
    'not_granted',
    `the token is of key ${id} of domain ${domain}, of which the key file has no part that makes tokens of this rule; ` +
      'use a key file that has it, or rekey the tokens first',
  );
}

/** The token without what the rule writes before it. */
function ownPart(candidate: string, after: string | undefined): string {
  if (after === undefined) return candidate;
  if (typeof candidate === 'string' && candidate.startsWith(after)) return candidate.slice(after.length);
  fail('malformed_token', 'the token does not begin with the text that the rule has in after');
}

/** Compares two texts of one known length without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
