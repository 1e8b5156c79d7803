/**
 * The forms of a token's body: the first bits of a tag as text (docs/spec/token-v1.md, "Forms"). The body of every form
 * and length is the beginning of the same tag. So anyone can tell that two bodies of one value belong together, even if
 * their forms differ.
 */

import { ALPHABET } from './base32.ts';
import { base32Reader, base64urlReader, hexReader, type ReadBody, uuidReader } from './body-readers.ts';
import { base32Writer, base64urlWriter, digitsWriter, hexWriter, type WriteBody, writeUuid } from './body-writers.ts';
import { BODY_CLASS, BODY_LENGTH } from './labelled-token.ts';

/** The names of the forms. */
export const FORMS = ['labelled', 'bare', 'uuid', 'hex', 'base64url', 'digits'] as const;
export type Form = (typeof FORMS)[number];

/** The set of all bodies of a form and length: all strings of so many bits, or of so many decimal digits. */
export interface Space {
  readonly unit: 'bits' | 'digits';
  readonly size: number;
}

/** What a form is. */
export interface FormDefinition {
  /** Characters of a whole body, which is also the longest. */
  readonly whole: number;
  /** How many different bodies of a length there are. */
  readonly bodies: (length: number) => bigint;
  /** The source of a regular expression for bodies of a length. */
  readonly pattern: (length: number) => string;
  /** The space of bodies of a length. */
  readonly space: (length: number) => Space;
  /** Makes the function that writes bodies of a length. */
  readonly writer: (length: number) => WriteBody;
  /** Makes the function that reads bodies of a length; `null` for digits, whose bodies are not bits. */
  readonly reader: ((length: number) => ReadBody) | null;
}

const bits = (size: number): Space => ({ unit: 'bits', size });

const TABLE: Readonly<Record<Form, FormDefinition>> = /* @__PURE__ */ (() => {
  const base32: FormDefinition = {
    whole: BODY_LENGTH,
    bodies: (length) => 1n << BigInt(Math.min(128, 5 * length)),
    space: (length) => bits(Math.min(128, 5 * length)),
    pattern: (length) => (length === BODY_LENGTH ? BODY_CLASS : `[${ALPHABET}]{${length}}`),
    writer: base32Writer,
    reader: base32Reader,
  };
  return {
    labelled: base32,
    bare: base32,
    uuid: {
      whole: 36,
      bodies: () => 1n << 122n,
      space: () => bits(122),
      pattern: () => '[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
      writer: () => writeUuid,
      reader: uuidReader,
    },
    hex: {
      whole: 32,
      bodies: (length) => 1n << BigInt(4 * length),
      space: (length) => bits(4 * length),
      pattern: (length) => `[0-9a-f]{${length}}`,
      writer: hexWriter,
      reader: hexReader,
    },
    base64url: {
      whole: 22,
      bodies: (length) => 1n << BigInt(Math.min(128, 6 * length)),
      space: (length) => bits(Math.min(128, 6 * length)),
      pattern: (length) => (length === 22 ? '[A-Za-z0-9_-]{21}[AQgw]' : `[A-Za-z0-9_-]{${length}}`),
      writer: base64urlWriter,
      reader: base64urlReader,
    },
    digits: {
      whole: 38,
      bodies: (length) => 10n ** BigInt(length),
      space: (size) => ({ unit: 'digits', size }),
      pattern: (length) => `[0-9]{${length}}`,
      writer: digitsWriter,
      reader: null,
    },
  };
})();

/** Returns the definition of a form. */
export function formOf(form: Form): FormDefinition {
  return TABLE[form];
}
