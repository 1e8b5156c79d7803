/**
 * `oneOf`: the values of several formats (docs/spec/fpe-v1.md, "Composed formats"). The format of a value is public and
 * stays the same. When the `oneOf` is made, it is proven that no text is a value of two of them. The proof yields tests
 * that find the format of a text, so no format is tried in vain.
 */

import { badRange, badType } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { type Format, type FormatEngine, listText, makeFormat } from '../engine.ts';
import type { ClearPart } from './clear.ts';
import {
  checkDepth,
  clearOf,
  type FormatMember,
  isSteady,
  MAX_PARTS,
  type MaybeBare,
  type Member,
  type MemberParts,
  memberDescriptor,
  outlineOf,
  readMember,
  type Side,
  sampleText,
  splitMember,
} from './members.ts';
import { type Composed, oneSpace } from './one-space.ts';
import { distinction, type Known, united } from './outline.ts';

/** The format that {@link oneOf} makes. */
export interface OneOfFormat extends Format {
  readonly type: 'oneOf';
  readonly formats: readonly (Format | ClearPart)[];
}

/** Returns the position of the only member that a text can belong to, or -1. */
type Choose = (text: string) => number;

/**
 * Values of several formats. The format of a value stays visible, and its output has the same format.
 *
 * No text may be a value of two of the formats, and that must be provable: the two have no length in common, or
 * different characters at some position that both always have, or one always has a character that the other never has.
 * The order of the formats is part of the key derivation. `size` is that of the smallest format. Values of a member in
 * `clear` stay as they are; such a member does not count for `size`.
 *
 * @param formats 2 to 64.
 * @throws RangeError that names two formats which cannot be told apart, or a format that cannot be a member: one with a
 *   cipher of its own, or one that replaces its clear part.
 *
 * @example
 * ```ts
 * import { clear, digits, oneOf, pattern } from 'trefoil/format';
 *
 * const reference = oneOf(digits({ length: 8 }), pattern('AA999999'), clear('unknown'));
 * reference.test('12345678'); // → true
 * reference.test('AB123456'); // → true
 * reference.unrank(0, 'unknown'); // → 'unknown'
 * reference.size; // → 100000000n
 * ```
 */
export function oneOf(...formats: readonly (Format | ClearPart)[]): OneOfFormat {
  if (formats.length < 2 || formats.length > MAX_PARTS) badRange('formats', `expected 2 to ${MAX_PARTS} formats`);
  const members = formats.map((format, i) => {
    if (typeof format === 'string') badType('formats', `format ${i + 1}: expected a format; write a text as clear(…)`);
    return readMember('formats', format, `format ${i + 1}: `);
  });
  checkDepth('formats', formats);
  return makeFormat({ type: 'oneOf', formats: Object.freeze([...formats]) }, oneOfEngine(members)) as OneOfFormat;
}

interface Frame {
  readonly branch: number;
  /** The whole value if its member is in clear, else `null`. */
  readonly text: string | null;
}

function oneOfEngine(members: readonly Member[]): FormatEngine {
  const secret = members.filter((member): member is FormatMember => member.kind === 'secret');
  if (secret.length === 0) badRange('formats', 'expected at least one format that is not in clear');
  const names = members.map((member, i) => `format ${i + 1} (${member.kind === 'literal' ? 'clear' : member.type})`);
  const known = (side: Side): readonly Known[] => members.map((member) => outlineOf(member, side));
  const choose: Readonly<Record<Side, Choose>> = {
    plain: chooser(known('plain'), names),
    enciphered: chooser(known('enciphered'), names),
  };
  const alone = members.map((member): readonly FormatMember[] => (member.kind === 'secret' ? [member] : []));

  function read(text: string, side: Side): Composed<Frame> {
    const branch = choose[side](text);
    const member = members[branch];
    if (member === undefined) fail('outside_format', `the value fits none of the ${members.length} formats`);
    if (member.kind !== 'literal') return compose(branch, splitMember(member[side], text, names[branch]!), text);
    if (text !== member.literal) fail('outside_format', `the value fits none of the ${members.length} formats`);
    return compose(branch, null, text);
  }

  function compose(branch: number, parts: MemberParts | null, text: string): Composed<Frame> {
    const shape = listText([`${branch + 1}`, parts?.shape ?? '']);
    const member = members[branch]!;
    if (member.kind === 'secret') {
      return { shape, clear: parts!.clear, frame: { branch, text: null }, secrets: [parts!] };
    }
    const clear = member.kind === 'clear' ? clearOf(member.plain, parts!) : '';
    return { shape, clear, frame: { branch, text }, secrets: [] };
  }

  const least = secret.reduce((a, b) => (b.plain.smallest.size < a.plain.smallest.size ? b : a));
  const leastBranch = members.indexOf(least);
  return oneSpace<Frame>(
    {
      descriptor: ['oneOf@1', ...members.map(memberDescriptor)],
      smallest: {
        size: least.plain.smallest.size,
        because: `${names[leastBranch]} is the smallest: ${least.plain.smallest.because}`,
      },
      hasClear: members.some(
        (member) => member.kind === 'clear' || (member.kind === 'secret' && member.plain.hasClear),
      ),
      steady: secret.every(({ plain }) => isSteady(plain)),
      visible: `which of the ${members.length} formats a value has${members.map(visibleOf).join('')}`,
    },
    {
      read,
      write: ({ text }, texts) => text ?? texts[0]!,
      membersOf: ({ branch }) => alone[branch]!,
      sample: compose(leastBranch, least.plain.sample, sampleText(least.plain)),
      secret,
      bare: members.some((member) => member.kind !== 'secret' || (member.plain as MaybeBare).bare === true),
      outlines: { plain: united(known('plain')), enciphered: united(known('enciphered')) },
    },
  );
}

function visibleOf(member: Member, i: number): string {
  return `; format ${i + 1}: ${member.kind === 'secret' ? member.plain.visible : 'all of it'}`;
}

/** What a text must have to be a value of a member. */
interface Marks {
  readonly min: number;
  readonly max: number;
  readonly positions: Map<number, ReadonlySet<string>>;
  readonly has: Set<string>;
  readonly hasNot: Set<string>;
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * Proves that no text is a value of two members, and makes tests from the proof. The marks of any two members exclude
 * each other, so a text has the marks of at most one member.
 */
function chooser(outlines: readonly Known[], names: readonly string[]): Choose {
  const marks = outlines.map(
    ({ min, max }): Marks => ({ min, max, positions: new Map(), has: new Set(), hasNot: new Set() }),
  );
  for (let i = 0; i < outlines.length; i++) {
    for (let j = i + 1; j < outlines.length; j++) {
      const proof = distinction(outlines[i]!, outlines[j]!);
      if (proof === null) {
        badRange(
          'formats',
          `${names[i]} and ${names[j]} cannot be told apart: they can have the same length and begin with the same characters, ` +
            'and no character is always in one and never in the other; change one, or put a literal before it with seq',
        );
      }
      if (proof.by === 'position') {
        for (const one of [i, j]) {
          marks[one]!.positions.set(proof.position, new Set(outlines[one]!.at(proof.position) ?? ''));
        }
      } else if (proof.by === 'character') {
        marks[proof.inFirst ? i : j]!.has.add(proof.character);
        marks[proof.inFirst ? j : i]!.hasNot.add(proof.character);
      }
    }
  }
  const tests = marks.map(({ min, max, positions, has, hasNot }) => ({
    min,
    max,
    positions: [...positions],
    has: [...has],
    hasNot: [...hasNot],
  }));
  return (text) => {
    const points: string | readonly string[] = SURROGATE.test(text) ? [...text] : text;
    return tests.findIndex(
      ({ min, max, positions, has, hasNot }) =>
        points.length >= min &&
        points.length <= max &&
        // A text that is too short to have the position is too short for the other member, so it passes this test.
        positions.every(([position, set]) => position >= points.length || set.has(points[position]!)) &&
        has.every((character) => text.includes(character)) &&
        hasNot.every((character) => !text.includes(character)),
    );
  };
}
