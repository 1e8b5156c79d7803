/**
 * `seq`: a format made of formats and literals that follow one another (docs/spec/fpe-v1.md, "Composed formats"). All
 * parts that are enciphered form one space.
 */

import { badRange } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { type Format, type FormatEngine, listText, makeFormat } from '../engine.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';
import type { ClearPart } from './clear.ts';
import { type Plan, planCut } from './cut.ts';
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
  readLiteral,
  readMember,
  type Side,
  sampleText,
  splitMember,
} from './members.ts';
import { type Composed, oneSpace } from './one-space.ts';
import type { Known } from './outline.ts';

/** A part of a {@link seq}: a literal text, a format, or a part in clear. */
export type SeqPart = string | Format | ClearPart;

/** The format that {@link seq} makes. */
export interface SeqFormat extends Format {
  readonly type: 'seq';
  readonly parts: readonly SeqPart[];
}

/**
 * A format of your own: parts from left to right, each a literal text, a format, or one of these in {@link clear}.
 *
 * All parts that are not in clear are enciphered together, so a change in one of them changes all of them. Literals
 * stay and are part of the key derivation. Clear parts and the shape of each part enter the tweak.
 *
 * There must be only one way to cut a text into the parts, and it must be provable: at most one part varies in length,
 * or each such part is followed by a part that begins with a character which it cannot have. A value has at most 256
 * characters. A part whose length may change, as with `regex`, counts with the length of its shortest value, so that
 * outputs fit, too.
 *
 * @param parts 1 to 64.
 * @throws RangeError if a text could be cut in two ways, if nothing would be enciphered, or if a format cannot share a
 *   space: one with a cipher of its own, or one that replaces its clear part.
 *
 * @example
 * ```ts
 * import { digits, seq, text } from 'trefoil/format';
 *
 * const plate = seq(text('ABCDEFGHIJKLMNOPQRSTUVWXYZ', { min: 1, max: 3 }), '-', digits({ length: 4 }));
 * plate.test('KA-1234'); // → true
 * plate.size; // → 260000n
 * ```
 */
export function seq(...parts: readonly SeqPart[]): SeqFormat {
  if (parts.length < 1 || parts.length > MAX_PARTS) badRange('parts', `expected 1 to ${MAX_PARTS} parts`);
  const members = parts.map(
    (part, i): Member =>
      typeof part === 'string'
        ? readLiteral('parts', part, `part ${i + 1}: `)
        : readMember('parts', part, `part ${i + 1}: `),
  );
  checkDepth('parts', parts);
  return makeFormat({ type: 'seq', parts: Object.freeze([...parts]) }, seqEngine(members)) as SeqFormat;
}

/** For each part its text; `null` for a part that is enciphered. */
type Frame = readonly (string | null)[];

/**
 * The engine of `seq`. It is longer than most functions, because all of its parts read the same list of members.
 */
function seqEngine(members: readonly Member[]): FormatEngine {
  const secret = members.filter((member): member is FormatMember => member.kind === 'secret');
  if (secret.length === 0) badRange('parts', 'expected at least one format that is not in clear');
  for (const [i, member] of members.entries()) {
    if (member.kind === 'secret' && (member.plain as MaybeBare).bare === true) {
      badRange(
        'parts',
        `part ${i + 1}: a oneOf with a member in clear cannot be a part: write oneOf(clear(…), seq(…)) instead`,
      );
    }
  }
  const names = members.map((member, i) => `part ${i + 1} (${member.kind === 'literal' ? 'literal' : member.type})`);
  const known = (side: Side): readonly Known[] => members.map((member) => outlineOf(member, side));
  const elastic = members.map((member) => member.kind === 'secret' && !isSteady(member.plain));
  const room = members.reduce(
    (left, member, i) => left - (elastic[i] ? outlineOf(member, 'plain').min : 0),
    MAX_FORMAT_LENGTH,
  );
  const plans: Readonly<Record<Side, Plan>> = {
    plain: planCut('parts', known('plain'), names, elastic, room),
    enciphered: planCut('parts', known('enciphered'), names, elastic, room),
  };

  function read(text: string, side: Side): Composed<Frame> {
    const pieces = plans[side].cut(text);
    const parts = new Array<MemberParts | null>(members.length);
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!;
      if (member.kind !== 'literal') {
        parts[i] = splitMember(member[side], pieces[i]!, names[i]!);
        continue;
      }
      if (pieces[i] !== member.literal) fail('outside_format', `${names[i]} is not in its place`);
      parts[i] = null;
    }
    return compose(members, parts, pieces);
  }

  const samples = members.map((member) => (member.kind === 'literal' ? member.literal : sampleText(member.plain)));
  const shortest = samples.reduce((sum, each, i) => sum + (elastic[i] ? 0 : [...each].length), 0);
  if (shortest > room) {
    const length = shortest + MAX_FORMAT_LENGTH - room;
    badRange(
      'parts',
      `expected parts of at most ${MAX_FORMAT_LENGTH} characters together, got ${length} in the smallest value`,
    );
  }
  return oneSpace<Frame>(
    {
      descriptor: ['seq@1', ...members.map(memberDescriptor)],
      smallest: {
        size: secret.reduce((size, { plain }) => size * plain.smallest.size, 1n),
        because:
          secret.length === 1
            ? secret[0]!.plain.smallest.because
            : `${secret.length} parts together: ${secret.map(({ plain }) => plain.smallest.size).join(' × ')}`,
      },
      hasClear: members.some(
        (member) => member.kind === 'clear' || (member.kind === 'secret' && member.plain.hasClear),
      ),
      steady: !elastic.includes(true),
      visible: `the literals${members.flatMap(visibleOf).join('')}`,
    },
    {
      read,
      write(frame, texts) {
        let out = '';
        let next = 0;
        for (const each of frame) out += each ?? texts[next++];
        return out;
      },
      membersOf: () => secret,
      sample: compose(
        members,
        members.map((member) => (member.kind === 'literal' ? null : member.plain.sample)),
        samples,
      ),
      secret,
      bare: false,
      outlines: { plain: plans.plain.whole, enciphered: plans.enciphered.whole },
    },
  );
}

/** Puts the parts of all members together: shapes and clear parts as lists, secrets in order. */
function compose(
  members: readonly Member[],
  parts: readonly (MemberParts | null)[],
  pieces: readonly string[],
): Composed<Frame> {
  const shapes: string[] = [];
  const clears: string[] = [];
  const frame: (string | null)[] = [];
  const secrets: MemberParts[] = [];
  for (let i = 0; i < members.length; i++) {
    const member = members[i]!;
    const each = parts[i]!;
    frame.push(member.kind === 'secret' ? null : pieces[i]!);
    if (member.kind === 'literal') continue;
    shapes.push(each.shape);
    clears.push(member.kind === 'clear' ? clearOf(member.plain, each) : each.clear);
    if (member.kind === 'secret') secrets.push(each);
  }
  return { shape: listText(shapes), clear: listText(clears), frame, secrets };
}

function visibleOf(member: Member, i: number): string | [] {
  if (member.kind === 'literal') return [];
  return `; part ${i + 1}: ${member.kind === 'clear' ? 'all of it' : member.plain.visible}`;
}
