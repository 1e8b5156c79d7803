/** Shares of an identity: what joins, what is refused, and that no error carries a piece of a share. */
import * as age from 'age-encryption';
import * as shamir from 'shamir-secret-sharing';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { type Ceremony, ceremonyId, checkCeremony, commitmentOf } from '../../../src/custody/shares/ceremony.ts';
import { checkShare } from '../../../src/custody/shares/check.ts';
import { combineShares } from '../../../src/custody/shares/combine.ts';
import { drawPoints, valueAt } from '../../../src/custody/shares/packages.ts';
import { type ReadShare, readShare, writeShare } from '../../../src/custody/shares/share-text.ts';
import { type SplitIdentity, splitIdentity } from '../../../src/custody/shares/split.ts';
import { subsetsOf } from '../../../src/custody/shares/subsets.ts';
import type { TrefoilError } from '../../../src/errors.ts';
import { ALPHABET } from '../../../src/wire/base32.ts';
import { crc20 } from '../../../src/wire/check-characters.ts';
import { codeOf, rejection, thrown } from '../../helpers/errors.ts';

const packages = { age, shamir };

let made: SplitIdentity;
let other: SplitIdentity;
let identity: string;

beforeAll(async () => {
  made = await splitIdentity({ ...packages, shares: 5, threshold: 3, present: ['Ada Lovelace', 'Zoë'] });
  other = await splitIdentity({ ...packages, shares: 5, threshold: 3 });
  identity = await combineShares(made.shares, packages);
});

/** The texts of some shares, by their numbers. */
const shares = (...numbers: number[]) => numbers.map((number) => made.shares[number - 1]!);

/** A text that fits its check characters, with other content. */
const rewritten = (number: number, change: Partial<ReadShare>) =>
  writeShare({ ...readShare(made.shares[number - 1]), ...change }, made.recipient);

/** The share with another value. */
function forged(number: number): string {
  const value = readShare(made.shares[number - 1]).value;
  value[7]! ^= 1;
  return rewritten(number, { value });
}

/** Checks that an error has no piece of a share, an identity or a value in it. */
function expectNoSecret(error: TrefoilError): void {
  const text = `${error.message} ${JSON.stringify(error.issues)}`;
  for (const share of [...made.shares, ...other.shares]) {
    const lines = share.split('\n').slice(2, 4);
    // The first four groups and a part of the fifth are the id of the ceremony and numbers, which are public.
    const secret = [lines[0]!.slice(3).split(' ').slice(5), lines[1]!.slice(3).split(' ')].flat();
    for (const group of secret) expect(text).not.toContain(group);
  }
  expect(text).not.toContain(identity);
  expect((error as { cause?: unknown }).cause).toBeUndefined();
}

async function refused(texts: readonly string[], ceremony?: Ceremony): Promise<TrefoilError> {
  const error = await rejection(combineShares(texts, { ...packages, ...(ceremony !== undefined && { ceremony }) }));
  expectNoSecret(error);
  expect(error.kind).toBe('keys');
  return error;
}

describe('every choice of shares joins', () => {
  const ceremonies = [2, 3, 4, 5].flatMap((m) => [m, m + 1, 2 * m - 1, 9].map((n) => [m, n] as const));

  it.each(ceremonies)('%i of %i', async (threshold, count) => {
    const split = await splitIdentity({ ...packages, shares: count, threshold });
    const joined = new Set<string>();
    for (const chosen of subsetsOf(split.shares, threshold)) joined.add(await combineShares(chosen, packages));
    expect(joined.size).toBe(1);
    expect(await age.identityToRecipient([...joined][0]!)).toBe(split.recipient);
    for (const chosen of subsetsOf(split.shares, threshold - 1)) {
      const error = await rejection(combineShares(chosen, packages));
      expect(error.issues).toMatchObject([{ code: 'share_missing', actual: threshold - 1, expected: threshold }]);
    }
  });

  it('16 shares, 2 and 16 needed', async () => {
    for (const threshold of [2, 16]) {
      const split = await splitIdentity({ ...packages, shares: 16, threshold });
      const joined = await combineShares(split.shares, { ...packages, ceremony: split.ceremony });
      expect(await age.identityToRecipient(joined)).toBe(split.recipient);
    }
  });

  it('in any order, with spares, twice, and after the file was typed anew', async () => {
    expect(await combineShares(shares(5, 1, 3), packages)).toBe(identity);
    expect(await combineShares(shares(2, 2, 4, 2, 5), packages)).toBe(identity);
    const typed = made.shares.map((text) => {
      const lines = text.toUpperCase().split('\n').slice(2, 4);
      return `\ufeff\r\n  ${lines.join(' \r\n\r\n\t').replaceAll(' ', '')}`;
    });
    expect(await combineShares(typed, packages)).toBe(identity);
  });

  it('does not return the identity', () => {
    const text = JSON.stringify(made);
    expect(identity).toMatch(/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
    expect(text).not.toContain(identity);
    expect(made.ceremony.present).toEqual(['Ada Lovelace', 'Zoë']);
    expect(made.ceremony.made).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(Object.keys(made)).toEqual(['recipient', 'shares', 'ceremony']);
  });
});

describe('what m - 1 shares tell about the secret', () => {
  /** χ² of 256 cells. Its mean is 255 and its deviation 22.6, so 390 is exceeded once in 10^8 times. */
  function chiSquare(counts: Uint32Array): number {
    const expected = counts.reduce((sum, count) => sum + count, 0) / 256;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }
  const RUNS = 1500;

  it.each([0x00, 0xff])('two shares of 3 of 5 are uniform, alone and together, for bytes %i', async (byte) => {
    const secret = new Uint8Array(32).fill(byte);
    const one = new Uint32Array(256);
    const pair = new Uint32Array(256);
    const other = new Uint32Array(256);
    for (let run = 0; run < RUNS; run++) {
      const points = await drawPoints(shamir, secret, 5, 3);
      const [a, b] = [await valueAt(shamir, points.slice(0, 3), 1), await valueAt(shamir, points.slice(0, 3), 4)];
      for (let i = 0; i < 32; i++) {
        one[a[i]!]!++;
        pair[(a[i]! & 0xf0) | (b[i]! >>> 4)]!++;
        other[((a[i]! & 15) << 4) | (b[i]! & 15)]!++;
      }
    }
    for (const counts of [one, pair, other]) expect(chiSquare(counts)).toBeLessThan(390);
  });

  it('would find two shares that depend on each other', async () => {
    const pair = new Uint32Array(256);
    for (let run = 0; run < RUNS; run++) {
      // Two of two: with the secret, one share determines the other.
      const [a, b] = await drawPoints(shamir, new Uint8Array(32), 2, 2);
      const [one, two] = [await valueAt(shamir, [a!, b!], 1), await valueAt(shamir, [a!, b!], 4)];
      for (let i = 0; i < 32; i++) pair[(one[i]! & 0xf0) | (two[i]! >>> 4)]!++;
    }
    expect(chiSquare(pair)).toBeGreaterThan(10_000);
  });

  it('zero coefficients occur as often as others', async () => {
    const secret = new Uint8Array(32).fill(0x5a);
    let lowest = 0;
    let leading = 0;
    for (let run = 0; run < RUNS; run++) {
      // The coefficient of x is zero if and only if the value at 1 is the secret.
      const line = await drawPoints(shamir, secret, 2, 2);
      for (const value of await valueAt(shamir, line, 1)) if (value === 0x5a) lowest++;
      // The coefficient of x² is zero if and only if two of three points already join to the secret.
      const curve = await drawPoints(shamir, secret, 3, 3);
      for (const value of await valueAt(shamir, curve.slice(0, 2), 0)) if (value === 0x5a) leading++;
    }
    // 187.5 are expected, with a deviation of 13.7.
    for (const count of [lowest, leading]) {
      expect(count).toBeGreaterThan(100);
      expect(count).toBeLessThan(275);
    }
  });
});

describe('a line that is mistyped', () => {
  const lineOf = (text: string, line: 1 | 2) => text.split('\n')[line + 1]!.slice(3).replaceAll(' ', '');
  const withLine = (text: string, line: 1 | 2, typed: string) => {
    const lines = [`1: ${lineOf(text, 1)}`, `2: ${lineOf(text, 2)}`];
    lines[line - 1] = `${line}: ${typed}`;
    return lines.join('\n');
  };
  const replaced = (text: string, changes: readonly (readonly [number, string])[]) => {
    const characters = [...text];
    for (const [at, character] of changes) characters[at] = character;
    return characters.join('');
  };

  it.each([1, 2] as const)('line %i: every change of one character is refused, and the line is named', (line) => {
    const typed = lineOf(made.shares[0]!, line);
    expect(typed).toHaveLength(40);
    for (let at = 0; at < 40; at++) {
      for (const character of ALPHABET) {
        if (character === typed[at]) continue;
        const error = thrown(() => readShare(withLine(made.shares[0]!, line, replaced(typed, [[at, character]]))));
        expect(error.issues).toMatchObject([{ code: 'share_mistyped', line }]);
        expectNoSecret(error);
      }
    }
  });

  it.each([1, 2] as const)('line %i: every change of two characters is refused: all 749,580', (line) => {
    // The check is linear, so a change is noticed if and only if what it adds to the check is not zero. Each place and
    // difference is computed once, by the code that checks lines.
    const typed = lineOf(made.shares[1]!, line);
    const added = Array.from({ length: 40 }, (_, at) =>
      [...ALPHABET].flatMap((character) => {
        if (character === typed[at]) return [];
        if (at >= 36) {
          return [(ALPHABET.indexOf(character) ^ ALPHABET.indexOf(typed[at]!)) << (5 * (39 - at))];
        }
        const changed = replaced(typed.slice(0, 36), [[at, character]]);
        return [crc20(changed) ^ crc20(typed.slice(0, 36))];
      }),
    );
    let changes = 0;
    let missed = 0;
    for (let a = 0; a < 40; a++) {
      for (let b = 0; b < a; b++) {
        for (const first of added[a]!) {
          for (const second of added[b]!) {
            changes++;
            if (first === second) missed++;
          }
        }
      }
    }
    expect(changes).toBe(749_580);
    expect(missed).toBe(0);
  });

  it.each([1, 2] as const)(
    'line %i: a sample of them, and every exchange of two characters, through the reader',
    (line) => {
      const typed = lineOf(made.shares[2]!, line);
      const read = (changes: readonly (readonly [number, string])[]) =>
        codeOf(() => readShare(withLine(made.shares[2]!, line, replaced(typed, changes))));
      for (let a = 0; a < 40; a++) {
        for (let b = 0; b < a; b++) {
          if (typed[a] !== typed[b])
            expect(
              read([
                [a, typed[b]!],
                [b, typed[a]!],
              ]),
            ).toBe('share_mistyped');
          const [one, two] = [ALPHABET[(ALPHABET.indexOf(typed[a]!) + a) % 32]!, ALPHABET[(b * 7 + 3) % 32]!];
          if (one !== typed[a] || two !== typed[b])
            expect(
              read([
                [a, one],
                [b, two],
              ]),
            ).toBe('share_mistyped');
        }
      }
    },
  );

  it('says where a character is not one of a share, and how long the line is', () => {
    const typed = lineOf(made.shares[0]!, 1);
    const wrong = thrown(() => readShare(withLine(made.shares[0]!, 1, replaced(typed, [[8, 'o']]))));
    expect(wrong.message).toBe(
      'line 1: character 9 of the line that begins with 1: is in no share, spaces not counted; ' +
        'shares have digits and the letters a to z without i, l, o and u',
    );
    const short = thrown(() => readShare(withLine(made.shares[0]!, 2, typed.slice(1))));
    expect(short.issues).toMatchObject([{ code: 'share_mistyped', line: 2, actual: 39, expected: 40 }]);
    // The Kelvin sign is a k in lower case, and no character of a share.
    const kelvin = thrown(() => readShare(withLine(made.shares[0]!, 1, replaced(typed, [[3, '\u212a']]))));
    expect(kelvin.message).toContain('character 4 of the line');
  });

  it('a line that is missing, there twice, or of no share', () => {
    const [head, opens, line1, line2] = made.shares[0]!.split('\n') as [string, string, string, string];
    const issues = (...lines: string[]) => thrown(() => readShare(lines.join('\n'))).issues;
    expect(issues(head, opens, line2)).toMatchObject([{ code: 'share_mistyped', line: 1 }]);
    expect(issues(head, opens, line1)).toMatchObject([{ code: 'share_mistyped', line: 2 }]);
    expect(issues(line1, line1, line2)).toMatchObject([{ code: 'share_mistyped', line: 1 }]);
    expect(issues(line1.replace('1:', '2:'), line2.replace('2:', '1:'))).toMatchObject([{ line: 1 }]);
    expect(issues(line1, line2, 'keep this in the safe')).toMatchObject([{ code: 'share_mistyped' }]);
    expect(issues('')).toMatchObject([{ code: 'share_mistyped', line: 1 }]);
    expect(issues(`${line1}\n${line2}${' '.repeat(5000)}`)).toMatchObject([{ code: 'share_mistyped' }]);
    expect(() => readShare(17)).toThrow(TypeError);
  });

  it('the lines of two shares', () => {
    for (const [a, b] of [
      [0, 1],
      [1, 0],
      [2, 4],
      [4, 3],
    ] as const) {
      const error = thrown(() => readShare(withLine(made.shares[a]!, 2, lineOf(made.shares[b]!, 2))));
      expect(error.issues).toMatchObject([{ code: 'share_mistyped', line: 2 }]);
      expect(error.message).toContain('the two lines are of different shares');
    }
    const foreign = thrown(() => readShare(withLine(made.shares[0]!, 1, lineOf(other.shares[0]!, 1))));
    expect(foreign.issues).toMatchObject([{ code: 'share_mistyped', line: 2 }]);
  });

  it('several texts: each that is mistyped has an issue with its place', async () => {
    const bad = withLine(made.shares[0]!, 2, replaced(lineOf(made.shares[0]!, 2), [[0, 'u']]));
    const error = await refused([made.shares[1]!, bad, 'x']);
    expect(error.issues).toMatchObject([
      { code: 'share_mistyped', row: 2, line: 2 },
      { code: 'share_mistyped', row: 3 },
    ]);
  });
});

describe('a share that is not of the ceremony', () => {
  it('two ceremonies are not mixed, with the record and without it', async () => {
    const mixed = [...shares(1, 2), other.shares[2]!];
    expect((await refused(mixed)).issues).toMatchObject([{ code: 'share_foreign', row: 3 }]);
    expect((await refused(mixed, made.ceremony)).issues).toMatchObject([{ code: 'share_foreign', row: 3 }]);
    expect((await refused(shares(1, 2, 3), other.ceremony)).issues).toMatchObject([
      { code: 'share_foreign', row: 1 },
      { code: 'share_foreign', row: 2 },
      { code: 'share_foreign', row: 3 },
    ]);
    expect(codeOf(() => checkShare(made.shares[0]!, other.ceremony))).toBe('share_foreign');
  });

  it('another threshold under the same id', async () => {
    const lower = [1, 2].map((number) => rewritten(number, { threshold: 2 }));
    const error = await refused(lower);
    expect(error.code).toBe('share_wrong');
    expect((await refused(lower, made.ceremony)).code).toBe('share_foreign');
    expect((await refused([...shares(3, 4), lower[0]!])).issues).toMatchObject([{ code: 'share_foreign', row: 3 }]);
  });

  it('a forged share is named by its commitment', async () => {
    const error = await refused([...shares(1, 2), forged(4)], made.ceremony);
    expect(error.issues).toMatchObject([{ code: 'share_wrong', actual: 4, row: 3 }]);
    expect(thrown(() => checkShare(forged(4), made.ceremony)).issues).toMatchObject([
      { code: 'share_wrong', actual: 4 },
    ]);
    // A share with the value of another.
    const borrowed = rewritten(4, { value: readShare(made.shares[0]).value });
    expect((await refused([...shares(2, 3), borrowed], made.ceremony)).issues).toMatchObject([{ actual: 4 }]);
  });

  it('without the record it never gives another identity, and a spare share names it', async () => {
    const error = await refused([...shares(1, 2), forged(4)]);
    expect(error.code).toBe('share_wrong');
    expect(error.message).toContain('pass the record of the ceremony');
    expect((await refused([forged(4), ...shares(1, 2, 3)])).issues).toMatchObject([
      { code: 'share_wrong', actual: 4, row: 1 },
    ]);
    expect((await refused([forged(4), forged(5), ...shares(1, 2, 3)])).issues).toMatchObject([
      { code: 'share_wrong', actual: 4 },
      { code: 'share_wrong', actual: 5 },
    ]);
  });

  it('two different shares of one number', async () => {
    const error = await refused([...shares(1, 2, 4), forged(4)]);
    expect(error.issues).toMatchObject([{ code: 'share_wrong', actual: 4, row: 4 }]);
  });

  it('the point 0, at which one holder would dictate the identity', async () => {
    const value = new Uint8Array(32).fill(7);
    // The package itself takes it.
    const points = [1, 2].map((number) => Uint8Array.of(...readShare(made.shares[number - 1]).value, number));
    expect(await shamir.combine([Uint8Array.of(...value, 0), ...points])).toEqual(value);
    const zero = rewritten(1, { number: 0, value });
    expect((await refused([zero, ...shares(2, 3)])).issues).toMatchObject([{ code: 'share_wrong', actual: 0 }]);
    expect((await refused([zero, ...shares(2, 3)], made.ceremony)).code).toBe('share_wrong');
    expect(codeOf(() => checkShare(zero, made.ceremony))).toBe('share_wrong');
  });

  it.each([{ number: 6 }, { threshold: 1 }, { threshold: 6 }, { shares: 17 }, { shares: 255, number: 200 }])(
    'numbers that no ceremony has: %o',
    (change) => {
      // Without the line for people, which would differ.
      const lines = rewritten(1, change).split('\n').slice(2).join('\n');
      expect(codeOf(() => readShare(lines))).toBe('share_wrong');
    },
  );

  it('lines for people that state something else', async () => {
    const [head, opens, ...lines] = made.shares[0]!.split('\n') as [string, string, ...string[]];
    expect(codeOf(() => readShare([head.replace('3 needed', '2 needed'), opens, ...lines].join('\n')))).toBe(
      'share_mistyped',
    );
    const bait = [head, `opens ${other.recipient}`, ...lines].join('\n');
    expect(codeOf(() => checkShare(bait, made.ceremony))).toBe('share_foreign');
    expect((await refused([bait, ...shares(2, 3)], made.ceremony)).issues).toMatchObject([
      { code: 'share_foreign', row: 1 },
    ]);
    const baits = made.shares.map((text) => text.replace(made.recipient, other.recipient));
    expect((await refused(baits)).issues).toHaveLength(5);
    expect(codeOf(() => readShare([head, opens.replace('age1', 'age2'), ...lines].join('\n')))).toBe('share_mistyped');
  });
});

describe('the record', () => {
  it('is refused if anything but its notes was changed', () => {
    const record = JSON.parse(JSON.stringify(made.ceremony)) as Ceremony;
    expect(checkCeremony(record)).toEqual(made.ceremony);
    const changes: readonly (readonly [string, unknown])[] = [
      ['version', 'identity-share-v2'],
      ['ceremony', other.ceremony.ceremony],
      ['ceremony', 'x'],
      ['recipient', other.recipient],
      ['recipient', 7],
      ['threshold', 2],
      ['threshold', 2.5],
      ['threshold', 6],
      ['shares', 4],
      ['shares', 17],
      ['commitments', other.ceremony.commitments],
      ['commitments', [...record.commitments].reverse()],
      ['commitments', record.commitments.slice(1)],
      ['commitments', 'x'],
      ['commitments', record.commitments.map((text) => text.slice(1))],
      ['made', 'yesterday'],
      ['present', 'Ada'],
      ['present', ['Ada\nLovelace']],
      ['present', new Array(65).fill('Ada')],
      ['more', 1],
    ];
    for (const [name, value] of changes) {
      const error = thrown(() => checkShare(made.shares[0]!, { ...record, [name]: value } as Ceremony));
      expect(error.code, name).toBe('ceremony_broken');
      expectNoSecret(error);
    }
    for (const name of Object.keys(record)) {
      const { [name as 'made']: _, ...rest } = record;
      expect(
        codeOf(() => checkShare(made.shares[0]!, rest as Ceremony)),
        name,
      ).toBe('ceremony_broken');
    }
    for (const value of [null, 7, 'x', []]) expect(() => checkCeremony(value)).toThrow(TypeError);
  });

  it('may have other notes', () => {
    const record = { ...made.ceremony, made: '2020-01-01', present: [] };
    expect(checkShare(made.shares[4]!, record)).toEqual({
      number: 5,
      shares: 5,
      threshold: 3,
      ceremony: made.ceremony.ceremony,
      recipient: made.recipient,
    });
  });

  it('takes nothing from a prototype', () => {
    const { commitments: _, ...rest } = made.ceremony;
    const inherited = Object.assign(Object.create({ commitments: made.ceremony.commitments }), rest) as Ceremony;
    expect(codeOf(() => checkShare(made.shares[0]!, inherited))).toBe('ceremony_broken');
  });

  it('proves the text of the dealer alone: a dealer can commit to shares that do not join', async () => {
    const { recipient, threshold, shares: count } = made.ceremony;
    const facts = { recipient, threshold, shares: count };
    const values = made.shares.map((text) => readShare(text).value);
    values[3]![0]! ^= 1;
    const commitments = values.map((value, i) => commitmentOf(facts, i + 1, value));
    const ceremony = ceremonyId(facts, commitments);
    const record: Ceremony = { ...made.ceremony, ceremony, commitments };
    const texts = values.map((value, i) =>
      writeShare({ ceremony, threshold, shares: count, number: i + 1, value }, recipient),
    );
    for (const [i, text] of texts.entries()) expect(checkShare(text, record).number).toBe(i + 1);
    const error = await refused([texts[0]!, texts[1]!, texts[3]!], record);
    expect(error.code).toBe('share_wrong');
    expect(error.message).toContain('make a new one');
    expect((await refused(texts.slice(0, 3), record)).code).toBe('share_wrong');
  });
});

describe('arguments', () => {
  const split = (change: object) => splitIdentity({ ...packages, shares: 3, threshold: 2, ...change });

  it.each([
    [{ shares: 1 }],
    [{ shares: 17 }],
    [{ shares: 2.5 }],
    [{ shares: Number.NaN }],
    [{ threshold: 1 }],
    [{ threshold: 2.5 }],
    [{ threshold: 4 }],
    [{ threshold: 17, shares: 16 }],
    [{ present: ['a\nb'] }],
    [{ present: [''] }],
    [{ present: ['x'.repeat(201)] }],
    [{ present: new Array(65).fill('x') }],
  ])('%o is a RangeError', async (change) => {
    expect((await rejection(split(change), RangeError)).message).toMatch(/^"(shares|threshold|present)" expected/);
  });

  it.each([
    [{ shares: '3' }],
    [{ threshold: undefined }],
    [{ present: 'Ada' }],
    [{ age: undefined }],
    [{ shamir: {} }],
    [{ more: 1 }],
  ])('%o is a TypeError', async (change) => {
    expect((await rejection(split(change), TypeError)).message).toMatch(/^"\w+" (expected|has an option)/);
  });

  it('combineShares takes a list of texts, and no list that is empty', async () => {
    for (const texts of [[], 'x', undefined, [undefined], new Array(256).fill('x')]) {
      await rejection(combineShares(texts as string[], packages), TypeError);
    }
  });
});

describe('a property of Object.prototype', () => {
  it.each([
    ['present', ['Mallory']],
    ['ceremony', {}],
    ['threshold', 2],
  ])('%s is not an option', async (name, value) => {
    Object.defineProperty(Object.prototype, name, { value, configurable: true });
    let work: Promise<unknown>[];
    try {
      // The options are read before the first wait.
      const { threshold: _, ...rest } = { ...packages, shares: 3, threshold: 2 };
      work = [
        splitIdentity({ ...rest, threshold: 3 }),
        combineShares(made.shares, packages),
        rejection(splitIdentity(rest as never), TypeError),
      ];
    } finally {
      delete (Object.prototype as Record<string, unknown>)[name];
    }
    const [split, joined] = (await Promise.all(work)) as [SplitIdentity, string];
    expect(split.ceremony.present).toEqual([]);
    expect(joined).toBe(identity);
  });
});

describe('a package that fails', () => {
  const SECRET = 'AGE-SECRET-KEY-1THIS-IS-A-SECRET';
  const fails = () => Promise.reject(new Error(SECRET));
  const flat = (length: number) => Array.from({ length: 3 }, (_, i) => new Uint8Array(length).fill(i + 1));

  const broken: readonly (readonly [string, object])[] = [
    ['split throws', { shamir: { ...shamir, split: fails } }],
    ['combine throws', { shamir: { ...shamir, combine: fails } }],
    ['split returns nothing', { shamir: { ...shamir, split: async () => undefined } }],
    ['split returns too few', { shamir: { ...shamir, split: async () => flat(33).slice(1) } }],
    ['split returns short shares', { shamir: { ...shamir, split: async () => flat(32) } }],
    ['split returns one point twice', { shamir: { ...shamir, split: async () => flat(33).map(() => flat(33)[0]!) } }],
    ['split returns the point 0', { shamir: { ...shamir, split: async () => flat(33).map((one) => one.fill(0, 32)) } }],
    ['split splits something else', { shamir: { ...shamir, split: async () => flat(33) } }],
    ['combine returns something else', { shamir: { ...shamir, combine: async () => new Uint8Array(31) } }],
    ['combine returns the same always', { shamir: { ...shamir, combine: async () => new Uint8Array(32) } }],
    ['the recipient throws', { age: { identityToRecipient: fails } }],
    ['the recipient is none', { age: { identityToRecipient: async () => 'age1pq1xyz' } }],
  ];

  test.each(broken)('%s: a TypeError that names the package and repeats nothing', async (_, change) => {
    const error = await rejection(splitIdentity({ ...packages, shares: 3, threshold: 2, ...change }), TypeError);
    expect(error.message).toMatch(/^"(shamir|age)" (failed|returned)/);
    expect(error.message).not.toContain(SECRET);
    expect(error.cause).toBeUndefined();
  });

  it('the package refuses a Buffer, and gets none', async () => {
    await expect(shamir.split(Buffer.alloc(32), 3, 2)).rejects.toThrow();
    const seen: unknown[] = [];
    const spy = {
      split: (secret: Uint8Array, count: number, threshold: number) => {
        seen.push(secret);
        return shamir.split(secret, count, threshold);
      },
      combine: (parts: Uint8Array[]) => {
        seen.push(...parts);
        return shamir.combine(parts);
      },
    };
    await splitIdentity({ age, shamir: spy, shares: 3, threshold: 2 });
    expect(seen.length).toBeGreaterThan(5);
    for (const one of seen) expect((one as Uint8Array).constructor).toBe(Uint8Array);
  });

  it('combine of too few shares gives wrong bytes without an error, which is why shares have their threshold', async () => {
    const secret = new Uint8Array(32).fill(9);
    const parts = await shamir.split(secret, 5, 3);
    expect(await shamir.combine(parts.slice(0, 2))).not.toEqual(secret);
    expect((await refused(shares(1, 2))).message).toBe(
      '2 of the 3 shares that are needed; add shares of other holders',
    );
  });
});
