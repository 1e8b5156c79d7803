/** The options of `token`: what they are, how they are checked, and what `explain` says about them. */

import { badRange, badType, checkOneOf, typeName } from '../../core/checks.ts';
import { keyedBlake3 } from '../../kernel/prf/blake3.ts';
import { hmacSha256 } from '../../kernel/prf/hmac.ts';
import type { Prf } from '../../kernel/prf/prf.ts';
import { checkReading, type OpenedReading, type Reading } from '../../prepare/reading.ts';
import { type Prepare, prepareSteps } from '../../prepare/steps.ts';
import { BODY_LENGTH, LABEL } from '../../wire/labelled-token.ts';
import { FORMS, type Form } from '../../wire/token-forms.ts';
import { checkLength } from '../../wire/token-lengths.ts';
import { checkScope } from '../options.ts';
import type { Common, RuleFacts } from '../rule.ts';
import { type Context, checkPer, checkPeriod, type Per } from './contexts.ts';
import type { Period } from './periods.ts';
import { checkAfter } from './prefix.ts';

/** The pseudorandom functions by name. */
export type PrfName = 'hmac-sha256' | 'blake3';
export const PRFS: Readonly<Record<PrfName, (key: Uint8Array) => Prf>> = {
  'hmac-sha256': hmacSha256,
  blake3: keyedBlake3,
};

/** Options of `token`. */
export interface TokenOptions<Scope extends string = string, P extends Per | undefined = Per | undefined>
  extends Common {
  /** Equal values of one scope get equal tokens; values of two scopes never do: `person.email`. Enters the key. */
  readonly scope: Scope;
  /**
   * The form in which the values are written, such as `readDate('DD.MM.YYYY')`: they are turned into the usual form
   * before `prepare`. It enters no key, so they join with values in the usual form and in any other.
   */
  readonly read?: Reading;
  /**
   * Named normalisation of the value: one step, or a list of up to eight in order. Values that are equal after it get
   * one token. Enters the key.
   */
  readonly prepare?: Prepare | readonly Prepare[];
  /**
   * Text that values begin with and that stays in clear before the token: `Patient/`. The token is that of what
   * follows, so it joins with the token of the bare value. A value that does not begin with it is refused. It enters no
   * key. 1 to 200 characters.
   */
  readonly after?: string;
  /**
   * Paths of other fields of the record, as in the policy file and without arrays: one, or a list of up to eight. A
   * value then has one token for each of their values: `per: 'tenant'`. The name of a field enters the key, which is
   * the last part of its path; `{ field: 'tenant_id', name: 'tenant' }` sets another. A record in which such a field is
   * missing or empty is the issue `missing_context`. Or a period, `{ month: 'seen' }`: one token for each day, week,
   * month, quarter or year in which the date in that field lies, whatever its time zone.
   */
  readonly per?: P;
  /**
   * `labelled` (default) shows a label, the key id and check characters. The other forms are the body alone: `bare` in
   * base32, `uuid` (122 bits, version 8), `hex`, `base64url`, `digits`.
   */
  readonly form?: Form;
  /**
   * Characters of the body: 6 to 26, for `hex` up to 32, for `base64url` up to 22, for `digits` up to 38. The maximum
   * is the default. Any other length needs a `population`; {@link planLength} calculates the length for one.
   */
  readonly length?: number;
  /** The largest number of different values that you expect. If `length` is too short for so many, that is an error. */
  readonly population?: number;
  /** The accepted probability that any two values of the population get the same token. One in a million by default. */
  readonly maxCollisionProbability?: number;
  /** `hmac-sha256` (default) or `blake3`, which is keyed BLAKE3. Enters the key, so their tokens never match. */
  readonly prf?: PrfName;
  /**
   * The first part of the labelled form, for readers: `cust`. 1 to 16 characters of `a-z`, `0-9`, the first a letter.
   */
  readonly label?: string;
  /**
   * What happens to a value that is already an intact labelled token of these keys: an error (default), or it passes.
   */
  readonly onToken?: 'error' | 'pass';
}

/** Names of the options, besides those that every rule has. */
export const OPTIONS = [
  'scope',
  'read',
  'prepare',
  'after',
  'per',
  'form',
  'length',
  'population',
  'maxCollisionProbability',
  'prf',
  'label',
  'onToken',
] as const;

/** What the options of a rule come to. */
export interface Settings {
  readonly scope: string;
  readonly form: Form;
  /** Characters of the body. */
  readonly length: number;
  readonly label: string | undefined;
  readonly prf: PrfName;
  readonly steps: readonly Prepare[];
  readonly names: readonly string[];
  readonly reading: OpenedReading | null;
  readonly after: string | undefined;
  /** The fields of `per`, in their order; none without it, and none with a period. */
  readonly contexts: readonly Context[];
  /** The period of `per`; `null` without one. */
  readonly period: Period | null;
  /** Whether `per` is a list. */
  readonly isList: boolean;
  readonly onToken: 'error' | 'pass';
}

/** Checks the options of a rule. */
export function readSettings(own: TokenOptions): Settings {
  const scope = checkScope(own);
  const { label, onToken = 'error', prf = 'hmac-sha256', form = 'labelled' } = own;
  checkOneOf('form', form, FORMS);
  checkOneOf('prf', prf, Object.keys(PRFS));
  const length = checkLength(form, own);
  checkOneOf('onToken', onToken, ['error', 'pass']);
  if (label !== undefined) {
    if (typeof label !== 'string') badType('label', `expected text, got ${typeName(label)}`);
    if (!LABEL.test(label)) badRange('label', 'expected 1 to 16 characters of a-z, 0-9, the first a letter');
    if (form !== 'labelled') badRange('label', `belongs to the labelled form; leave it out with form "${form}"`);
  }
  if (form === 'labelled' && length < BODY_LENGTH && label === undefined) {
    badRange('length', 'must be 26 for a labelled token without a label: a shorter one could not be told from a word');
  }
  const reading = checkReading(own.read, ['date', 'number', 'phone']);
  const steps = own.prepare === undefined ? [] : prepareSteps('prepare', own.prepare);
  const names = steps.map(({ step }) => step);
  const after = checkAfter(own.after);
  const contexts = checkPer(own.per);
  const period = checkPeriod(own.per);
  const isList = Array.isArray(own.per);
  return { scope, form, length, label, prf, steps, names, reading, after, contexts, period, isList, onToken };
}

/** What `explain` and `check` say about a rule. */
export function factsOf({ scope, prf, names, reading, after, contexts, period, onToken }: Settings): RuleFacts {
  const before = [...(reading === null ? [] : [`reading it as ${reading.name}`]), ...names].join(', ');
  const perWords = contexts.flatMap(({ path }, i) => [i === 0 ? '' : ' and ', { quoted: path }]);
  return {
    what: [
      'replaced by a keyed token',
      before === '' ? '' : ` of the value after ${before}`,
      ...(after === undefined ? [] : [', except that it begins with ', { quoted: after }, ', which stays in clear']),
      ...(period === null
        ? []
        : [
            `, one for each value in each ${period.unit} of `,
            { quoted: period.path },
            ': a pseudonym for a period (EDPB Guidelines 01/2025, paragraph 115)',
          ]),
      ...(contexts.length === 0
        ? []
        : [
            ', one for each value with each ',
            ...perWords,
            ': a relationship or transaction pseudonym (EDPB Guidelines 01/2025, paragraphs 117 to 121)',
          ]),
      onToken === 'pass' ? '; a value that is already a token of these keys, of any scope, passes as it is' : '',
    ],
    origin: 'derived from the value with a key',
    back: 'never',
    joins: `token ${scope} ${prf === 'hmac-sha256' ? '' : `${prf} `}${names.join(' ')}`,
    scope,
    visible:
      contexts.length === 0
        ? `which values ${period === null ? '' : `of one ${period.unit} `}are equal, and how often each occurs`
        : 'which values with equal contexts are equal, and how often each occurs',
  };
}
