/**
 * FF3 and FF3-1, decryption only (`trefoil/ff3`), for reading what older systems wrote while it is moved to a cipher
 * that is not broken. `ff3` works on numerals, `ff3Text` on texts over an alphabet.
 */

export { type Ff3, type Ff3Options, ff3 } from './kernel/ff3/ff3.ts';
export { type Ff3Text, type Ff3TextOptions, ff3Text } from './kernel/ff3/text.ts';
