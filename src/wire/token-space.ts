/**
 * The space of a body: how many bits or digits it has (docs/spec/renewal-v1.md, "Spaces"). The form does not matter, so
 * bodies of equally many bits have one permutation and go on joining.
 */

import type { Form } from './token-forms.ts';

/** The bits that a whole body has, of the 256 of its tag. */
const WHOLE = 128;

/** Bits of one symbol. A UUID has bits that are fixed, and digits are no bits. */
const SYMBOL_BITS = { labelled: 5, bare: 5, hex: 4, base64url: 6 } as const;

/** Bits of a UUID of version 8. */
const UUID_BITS = 122;

/** A space: that of `count` bits, or of `count` decimal digits. */
export interface TokenSpace {
  readonly unit: 'bits' | 'digits';
  readonly count: number;
}

/** The space of the bodies of a form and length. */
export function spaceOf(form: Form, length: number): TokenSpace {
  if (form === 'digits') return { unit: 'digits', count: length };
  if (form === 'uuid') return { unit: 'bits', count: UUID_BITS };
  return { unit: 'bits', count: Math.min(SYMBOL_BITS[form] * length, WHOLE) };
}
