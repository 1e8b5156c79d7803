/**
 * The engine of a composed format: the secrets of all its members as one secret. If all of them are numeral strings of
 * one radix, the secret is one numeral string. Otherwise it is one number, made from their indices in mixed radix, the
 * first most significant (docs/spec/fpe-v1.md, "Composed formats").
 */

import { given } from '../../core/given.ts';
import { fail } from '../../errors.ts';
import {
  assembleIndex,
  type FormatEngine,
  type Index,
  type IndexParts,
  indexOf,
  type NumeralParts,
  type Parts,
  sizeOf,
} from '../engine.ts';
import { mix, product, unmix } from '../mixed-radix.ts';
import { commonRadix, type FormatMember, type MemberParts, type Side, withoutSecret } from './members.ts';
import type { Known } from './outline.ts';

/** The largest size that the engines take. */
const MAX_SIZE = 2n ** 4096n;

/** A value, split into its members. */
export interface Composed<Frame> {
  readonly shape: string;
  readonly clear: string;
  /** What is around the secrets: enough to find their members and to write the value. */
  readonly frame: Frame;
  /** The parts of the enciphered members, in order. */
  readonly secrets: readonly MemberParts[];
}

/** How a composed format takes values apart. */
export interface Composition<Frame> {
  readonly read: (text: string, side: Side) => Composed<Frame>;
  readonly write: (frame: Frame, texts: readonly string[]) => string;
  /** The members that the secrets of a value belong to. */
  readonly membersOf: (frame: Frame) => readonly FormatMember[];
  /** A value of the smallest shape. */
  readonly sample: Composed<Frame>;
  /** All enciphered members. */
  readonly secret: readonly FormatMember[];
  /** Whether some values have no secret. */
  readonly bare: boolean;
  readonly outlines: Readonly<Record<Side, Known>>;
}

/** What a composed format states about itself. */
type ComposedFacts = Pick<FormatEngine, 'descriptor' | 'smallest' | 'hasClear' | 'visible' | 'steady'>;

interface Layout<Frame> {
  readonly frame: Frame;
  /** The parts of the enciphered members without their secrets. */
  readonly kept: readonly MemberParts[];
}

/** Makes the engine of a composed format. */
export function oneSpace<Frame>(facts: ComposedFacts, composition: Composition<Frame>): FormatEngine {
  const { sample, secret, bare, outlines } = composition;
  const all = { ...facts, outline: outlines.plain, bare };
  // Members that write enciphered values differently make the whole do so, too.
  const hasTwoSides = secret.some(({ plain }) => plain.enciphered !== undefined);
  const radix = bare ? null : commonRadix(secret);
  if (radix !== null) {
    const plain = numeralFace(composition, 'plain');
    const sides = {
      ...plain,
      ...given({ enciphered: hasTwoSides ? numeralFace(composition, 'enciphered') : undefined }),
    };
    return { ...all, kind: 'numerals', radix, sample: numeralParts(sample), ...sides };
  }
  const plain = indexFace(composition, 'plain');
  const sides = { ...plain, ...given({ enciphered: hasTwoSides ? indexFace(composition, 'enciphered') : undefined }) };
  return { ...all, kind: 'index', sample: indexParts(composition, sample), ...sides };
}

/** One side of a composed format whose secret is one numeral string. */
function numeralFace<Frame>({ read, write, membersOf, outlines }: Composition<Frame>, side: Side) {
  return {
    outline: outlines[side],
    split: (text: string): NumeralParts => numeralParts(read(text, side)),
    assemble(parts: Parts, numerals: readonly number[]): string {
      const { frame, kept } = parts.layout as Layout<Frame>;
      let from = 0;
      const texts = membersOf(frame).map((member, i) => {
        const engine = member[side] as FormatEngine & { readonly kind: 'numerals' };
        const each = kept[i] as NumeralParts;
        const to = from + each.numerals.length;
        const text = engine.assemble(each, numerals.slice(from, to));
        from = to;
        return text;
      });
      return write(frame, texts);
    },
  };
}

function numeralParts<Frame>({ shape, clear, frame, secrets }: Composed<Frame>): NumeralParts {
  const layout: Layout<Frame> = { frame, kept: secrets.map(withoutSecret) };
  let { numerals } = secrets[0] as NumeralParts;
  for (let i = 1; i < secrets.length; i++) numerals = numerals.concat((secrets[i] as NumeralParts).numerals);
  return { shape, clear, layout, numerals };
}

/** One side of a composed format whose secret is one whole number. */
function indexFace<Frame>(composition: Composition<Frame>, side: Side) {
  const { read, write, membersOf, outlines } = composition;
  return {
    outline: outlines[side],
    split: (text: string): IndexParts => indexParts(composition, read(text, side)),
    assemble(parts: Parts, index: Index): string {
      const { frame, kept } = parts.layout as Layout<Frame>;
      const members = membersOf(frame);
      const sizes = kept.map((each, i) => sizeOf(members[i]!.plain, each));
      const indices = unmix(sizes, index);
      return write(
        frame,
        kept.map((each, i) => assembleIndex(members[i]![side], each, indices[i]!)),
      );
    },
  };
}

function indexParts<Frame>({ membersOf }: Composition<Frame>, value: Composed<Frame>): IndexParts {
  const { shape, clear, frame, secrets } = value;
  const layout: Layout<Frame> = { frame, kept: secrets.map(withoutSecret) };
  const members = membersOf(frame);
  const sizes = secrets.map((parts, i) => sizeOf(members[i]!.plain, parts));
  const size = product(sizes);
  if (typeof size === 'bigint' && size > MAX_SIZE) {
    fail('outside_format', 'the value is one of more than 2^4096 values: put parts of it in clear');
  }
  const indices = secrets.map((parts, i) => indexOf(members[i]!.plain, parts));
  return { shape, clear, layout, size, index: mix(sizes, indices, size) };
}
