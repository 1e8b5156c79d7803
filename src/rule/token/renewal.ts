/**
 * Renewing and projecting tokens (docs/spec/renewal-v1.md, "Renewing"): the body of a token goes back through the
 * permutation of the key that made it and forward through that of the primary key. No value is needed, and no node of
 * the keyed function: who renews links the tokens of two keys and can test no value.
 */

import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { issueOf, type ReportIssue } from '../../core/issues.ts';
import { fail } from '../../errors.ts';
import { SLOTS } from '../../kernel/prf/prf.ts';
import { checkMayRekey, type DomainKey, writingKey } from '../../keys/domain-keys.ts';
import { isOneLineage } from '../../keys/lineage.ts';
import { checkedReader, type ReadBody } from '../../wire/body-readers.ts';
import { CHECK_LENGTH } from '../../wire/check-characters.ts';
import { ID_LENGTH, inspect } from '../../wire/labelled-token.ts';
import { formOf } from '../../wire/token-forms.ts';
import { type TokenTexts, tokenTexts } from '../../wire/token-texts.ts';
import { APART, namedKey, unknownKey } from '../binding.ts';
import { mapColumn, runColumn, runValue } from '../columns.ts';
import { isMissing } from '../missing.ts';
import { onceEach } from '../once-each.ts';
import type { ColumnVerb, Move } from '../rule.ts';
import { type BodyPermutation, permutationUnder } from './keys.ts';
import { BODY_WORDS, bodyAt } from './permuted-texts.ts';
import { behind } from './prefix.ts';
import type { Settings } from './settings.ts';

/** Options of `renew`, `renewMany`, `project` and `projectMany` of a `token` rule. */
export interface RenewOptions {
  /**
   * Shown id of the key that made all the tokens. It is needed for rules without a label, whose tokens do not show
   * which key and rule made them. No key is ever tried. A rule with a label does not use it.
   */
  readonly from?: string;
}

/** What of a {@link Move} matters for tokens: no value is in clear on the way. */
export type TokenMove = Omit<Move, 'revealing'>;

/** Whether a token shows the key and the rule that made it. Without a label, that of another scope looks the same. */
export function showsKey({ form, label }: Settings): boolean {
  return form === 'labelled' && label !== undefined;
}

/**
 * Makes the function that reads the shown key id of a token in the labelled form. With a label it looks at the head and
 * the length alone, which is faster: a damaged token then shows a key as well, and its record is refused if that is not
 * the key of the others. Without a label, only the check characters distinguish a token from another text.
 */
export function shownKeyOf({ label, length, after = '' }: Settings): (output: unknown) => string | null {
  if (label === undefined) {
    return (output) => {
      if (typeof output !== 'string' || !output.startsWith(after)) return null;
      const parts = inspect(output.slice(after.length));
      return parts?.intact === true && parts.label === null ? parts.keyId : null;
    };
  }
  const start = `${after}${label}_`;
  const width = start.length + ID_LENGTH + length + CHECK_LENGTH;
  return (output) =>
    typeof output === 'string' && output.length === width && output.startsWith(start)
      ? output.slice(start.length, start.length + ID_LENGTH)
      : null;
}

/** A key whose tokens are read. */
interface Source {
  readonly key: DomainKey;
  /** What its tokens begin with: label and key id in the labelled form, and nothing in the others. */
  readonly head: string;
  /** Reads the body after the head, with its check characters; `null` for digits, which are moved as text. */
  readonly read: ReadBody | null;
  /** Whether it is the key that tokens are moved to. */
  readonly isTarget: boolean;
  /** Why its tokens are refused; `null` if they are moved. */
  readonly refusal: (() => never) | null;
  /** The permutation, made when it is first needed; `null` if the key is its own base. */
  readonly permutation: () => BodyPermutation | null;
}

/** Everything that moves tokens: the result of the key set-up. */
interface Mover {
  readonly settings: Settings;
  readonly move: TokenMove;
  /** Characters of a token, and of what comes before its body. */
  readonly width: number;
  readonly headLength: number;
  /** What a body of digits looks like. */
  readonly pattern: RegExp;
  /** The sources by shown key id, that of the primary key of `to` included. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The source of all tokens, if the caller named it. */
  readonly named: Source | null;
  readonly target: {
    readonly key: DomainKey;
    readonly permutation: BodyPermutation | null;
    readonly texts: TokenTexts;
  };
}

/**
 * Key set-up, and the verb that it makes: tokens of the keys of `from` become those of the primary key of `to`. A token
 * of this key passes as it is, or is refused, as the move says.
 *
 * @throws TrefoilError `epoch_required`, `not_renewable`, `not_related`, `not_granted`, `key_not_pinned`.
 */
export function moveTokens(settings: Settings, move: TokenMove): ColumnVerb {
  const mover = makeMover(settings, move);
  const { own } = move.missing;
  const verb = onceEach((column, report) => moveColumn(mover, column, report));
  return settings.after === undefined ? verb : behind(settings.after, (value) => isMissing(value, own), verb);
}

function makeMover(settings: Settings, move: TokenMove): Mover {
  const { form, length } = settings;
  const { from, to } = move;
  checkMayRekey(from);
  checkMayRekey(to);
  const key = writingKey(to);
  const sources = new Map(from.keys.map((one) => [one.id, sourceOf(one, settings, move)]));
  if (move.kind === 'project' && from.keys.every((one) => !isOneLineage(one.lineage, key.lineage))) notRelated(move);
  // So that tokens which have moved already are known.
  if (!sources.has(key.id)) sources.set(key.id, sourceOf(key, settings, move));
  const head = headOf(settings, key);
  return {
    settings,
    move,
    width: head.length + length + (form === 'labelled' ? CHECK_LENGTH : 0),
    headLength: head.length,
    pattern: new RegExp(`^${formOf(form).pattern(length)}$`),
    sources,
    named: showsKey(settings) ? null : namedSource(sources, move),
    target: { key, permutation: permutationUnder(key, settings), texts: tokenTexts(form, length, head) },
  };
}

function headOf({ form, label }: Settings, { id }: DomainKey): string {
  if (form !== 'labelled') return '';
  return label === undefined ? id : `${label}_${id}`;
}

function sourceOf(key: DomainKey, settings: Settings, move: TokenMove): Source {
  const { form, length } = settings;
  const head = headOf(settings, key);
  let made: BodyPermutation | null | undefined;
  return {
    key,
    head,
    isTarget: key.id === move.to.primary.id,
    read: form === 'labelled' ? checkedReader(length, head) : (formOf(form).reader?.(length) ?? null),
    refusal: isOneLineage(key.lineage, move.to.primary.lineage) ? null : () => notOneLineage(key, move),
    permutation() {
      if (made === undefined) made = permutationUnder(key, settings);
      return made;
    },
  };
}

/** The source of a column whose tokens do not show their key. */
function namedSource(sources: ReadonlyMap<string, Source>, move: TokenMove): Source {
  const source = sources.get(namedKey(move).id)!;
  source.refusal?.();
  return source;
}

function notOneLineage({ id }: DomainKey, move: TokenMove): never {
  if (move.kind === 'project') notRelated(move);
  fail(
    'not_renewable',
    `key ${id} and the primary key ${move.to.primary.id} have no common base, so no permutation leads from the tokens ` +
      'of one to those of the other; protect the originals again',
  );
}

function notRelated({ from, to }: TokenMove): never {
  const [ours, theirs] = [from.primary.lineage, to.primary.lineage];
  // One base in two domains: the key file does not say that they belong together.
  const isUnsaid = ours.id === theirs.id && ours.domain !== theirs.domain && theirs.domain === to.domain;
  const advice = isUnsaid
    ? `trefoil keys add --domain ${to.domain} --of ${ours.domain} makes it a recipient (in code addDomain)`
    : 'make one domain a recipient of the other ("of" in the keyset)';
  fail(
    'not_related',
    `the domains ${from.domain} and ${to.domain} have no common base, so no permutation leads from the tokens of one ` +
      `to those of the other; ${advice}, or protect the originals`,
  );
}

/** Tokens of one source, on their way through the permutations. */
interface Batch {
  readonly source: Source;
  readonly rows: Int32Array;
  readonly words: Int32Array;
  readonly digits: string[];
  count: number;
}

const ALONE: Int32Array = /* @__PURE__ */ new Int32Array(BODY_WORDS);

/** Moves one token of bits, with less to set up than a column. */
function moveOne(mover: Mover, value: unknown): string {
  const source = sourceFor(mover, value, null);
  const { target } = mover;
  if (source.read?.(value as string, source.head.length, ALONE, 0) !== true) refuse(mover, value);
  if (source.isTarget) return arrived(mover, value as string);
  const back = source.permutation();
  if (back?.unit === 'bits') back.bits.decrypt(ALONE, 0, 1);
  if (target.permutation?.unit === 'bits') target.permutation.bits.encrypt(ALONE, 0, 1);
  return target.texts.one(ALONE);
}

function moveColumn(mover: Mover, column: readonly unknown[], report: ReportIssue): unknown[] {
  const { missing } = mover.move;
  if (column.length === 1 && mover.settings.form !== 'digits') {
    return mapColumn(column, (value) => moveOne(mover, value), report, missing.own);
  }
  const out = new Array<unknown>(column.length);
  const batches = new Map<Source, Batch>();
  const most = Math.min(SLOTS, column.length);
  let batch: Batch | null = null;
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (isMissing(value, missing.own)) {
      out[i] = value;
      continue;
    }
    try {
      const source = sourceFor(mover, value, batch === null ? null : batch.source);
      if (batch === null || batch.source !== source) batch = batchFor(batches, source, most);
      if (put(mover, batch, value as string)) {
        if (source.isTarget) out[i] = arrived(mover, value as string);
        else batch.rows[batch.count++] = i;
      } else {
        refuse(mover, value);
      }
      if (batch.count === most) run(mover, batch, out);
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  for (const one of batches.values()) run(mover, one, out);
  return out;
}

function batchFor(batches: Map<Source, Batch>, source: Source, most: number): Batch {
  let batch = batches.get(source);
  if (batch === undefined) {
    const words = new Int32Array(source.read === null ? 0 : BODY_WORDS * most);
    batch = { source, rows: new Int32Array(most), words, digits: [], count: 0 };
    batches.set(source, batch);
  }
  return batch;
}

/** Finds the source of a token by its head. Most tokens of a column have that of the token before. */
function sourceFor(mover: Mover, value: unknown, last: Source | null): Source {
  const { named, sources, width, settings } = mover;
  if (typeof value !== 'string' || value.length !== width) refuse(mover, value);
  if (named !== null && settings.form !== 'labelled') return named;
  let source = last;
  if (source === null || !value.startsWith(source.head)) {
    const end = mover.headLength;
    source = sources.get(value.slice(end - ID_LENGTH, end)) ?? null;
    if (source === null || !value.startsWith(source.head)) refuse(mover, value);
  }
  if (named !== null && source !== named && settings.onToken !== 'pass') refuse(mover, value);
  if (source.refusal !== null) refuse(mover, value);
  return source;
}

/** Reads the body of a token into the next slot of a batch. Returns `false` if it is not a body. */
function put({ pattern }: Mover, batch: Batch, token: string): boolean {
  const { read, head } = batch.source;
  if (read !== null) return read(token, head.length, batch.words, BODY_WORDS * batch.count);
  if (!pattern.test(token)) return false;
  batch.digits[batch.count] = token;
  return true;
}

/**
 * A token of the primary key: moving twice is harmless if tokens show their key. A token that its record was protected
 * with (`onToken: pass`) says nothing about the record, so it may be of any key.
 */
function arrived({ move, settings, target }: Mover, token: string): string {
  if (move.arrived === 'pass' || settings.onToken === 'pass') return token;
  fail(
    'already_rekeyed',
    `the token is of key ${target.key.id} already, and other fields do not show whether they have moved; ` +
      `use records that were moved before as they are; ${APART}`,
  );
}

/** Moves the tokens of a batch and empties it. */
function run({ target }: Mover, batch: Batch, out: unknown[]): void {
  const { source, words, rows, count } = batch;
  if (count === 0) return;
  batch.count = 0;
  const back = source.permutation();
  const forward = target.permutation;
  if (source.read !== null) {
    if (back?.unit === 'bits') back.bits.decrypt(words, 0, count);
    if (forward?.unit === 'bits') forward.bits.encrypt(words, 0, count);
    target.texts.many(words, bodyAt, 1, rows, count, out);
    return;
  }
  let bodies = batch.digits.slice(0, count);
  if (back?.unit === 'digits') bodies = back.digits.decryptMany(bodies);
  if (forward?.unit === 'digits') bodies = forward.digits.encryptMany(bodies);
  for (let slot = 0; slot < count; slot++) out[rows[slot]!] = bodies[slot];
}

/** Says why a text is refused. It is called for an error only, so that reading is fast. */
function refuse({ settings, move, sources, named, target }: Mover, value: unknown): never {
  const { form, label, length } = settings;
  if (form !== 'labelled') {
    fail('malformed_token', `the token is not in the form ${form} with the length that this rule writes`);
  }
  const parts = typeof value === 'string' ? inspect(value) : null;
  if (parts === null || !parts.intact) {
    fail('malformed_token', 'the value is not a token in the labelled form, or its check characters are wrong');
  }
  if (parts.label !== (label ?? null) || parts.body.length !== length) {
    fail('foreign_token', 'the token has another label or length than this rule writes, so another rule made it');
  }
  const source = sources.get(parts.keyId);
  if (source === undefined) unknownKey(move.from, parts.keyId);
  if (named !== null && source.isTarget) {
    fail(
      'already_rekeyed',
      `the token is of the primary key ${target.key.id}, and the column was said to be of key ${named.key.id}; ` +
        APART,
    );
  }
  source.refusal?.();
  fail('foreign_token', `the token is of key ${parts.keyId}, and the column was said to be of key ${named?.key.id}`);
}

/** The verbs over one token and over a column. */
export interface MovingVerbs {
  readonly one: (token: unknown, options?: RenewOptions) => unknown;
  readonly many: (column: unknown, options?: RenewOptions) => unknown;
}

/**
 * Makes the verbs over one token and over a column. The key set-up is done once for each key that the caller names.
 *
 * @param bind does the key set-up.
 * @param isShown whether tokens show their key, so that none need be named.
 */
export function movingVerbs(bind: (fromKey: string | null) => ColumnVerb, isShown: boolean): MovingVerbs {
  // Only keys that are there are kept, because `bind` throws for any other.
  const made = new Map<string | null, ColumnVerb>();
  const verbFor = (options: RenewOptions = {}): ColumnVerb => {
    const { from } = checkOptions<RenewOptions>('options', options, ['from']);
    if (from !== undefined && typeof from !== 'string') badType('from', `expected a key id, got ${typeName(from)}`);
    const fromKey = isShown ? null : (from ?? null);
    let verb = made.get(fromKey);
    if (verb === undefined) {
      verb = bind(fromKey);
      made.set(fromKey, verb);
    }
    return verb;
  };
  return {
    one: (token: unknown, options?: RenewOptions) => runValue(verbFor(options), token),
    many: (column: unknown, options?: RenewOptions) => runColumn(verbFor(options), column),
  };
}
