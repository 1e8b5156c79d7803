/**
 * FF1 of NIST SP 800-38G by itself (`trefoil/ff1`), for people who want only the cipher: for data of other systems, or
 * for formats of their own. In a policy, the rule `fpe` takes care of keys, tweaks and formats.
 */

export type { Alphabet } from './kernel/alphabet.ts';
export { type Ff1, type Ff1Options, ff1 } from './kernel/ff1/ff1.ts';
export type { NumeralString, NumeralsLike } from './kernel/ff1/numerals.ts';
export type { TweakColumn, Tweaks } from './kernel/ff1/prf.ts';
export { alphabet, type Ff1Text, ff1Text } from './kernel/ff1/text.ts';
