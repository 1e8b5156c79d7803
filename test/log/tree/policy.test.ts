/** Trust policies: their form, their quorum against brute force, and forks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { type Group, quorumOf } from '../../../src/log/tree/quorum.ts';
import { newNoteKey, parseLogPolicy } from '../../../src/log.ts';

const LOG = newNoteKey('log.example').verifierKey;
const KEYS = Array.from({ length: 6 }, (_, i) => {
  return newNoteKey(`w${i}.example`, { algorithm: 'cosignature/v1' }).verifierKey;
});
const WITNESSES = KEYS.map((key, i) => `witness W${i} ${key}\n`).join('');

const refused = (text: string | Uint8Array) => {
  try {
    parseLogPolicy(text);
  } catch (error) {
    const { code, issues } = error as { code: string; issues: { line?: number }[] };
    return [code, issues[0]!.line];
  }
  return 'accepted';
};

describe('the form of a policy', () => {
  it('the example of the specification, with addresses, comments and white space', () => {
    const text =
      `# a comment\n \t\n  log ${LOG} https://log.example/\n${WITNESSES}` +
      'group X-witnesses 2 W0 W1 W2\n\tgroup \t Y-witnesses any W3 W4 W5 \n' +
      '  # another: Grüße\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n';
    for (const form of [text, utf8(text)]) {
      const policy = parseLogPolicy(form);
      expect(policy.logs.map(({ text }) => text)).toEqual([LOG]);
      expect(policy.urlOf(policy.logs[0]!)).toBe('https://log.example/');
      expect(policy.witnesses.map(({ name, verifier, url }) => [name, verifier.text, url])).toEqual(
        KEYS.map((key, i) => [`W${i}`, key, null]),
      );
      const satisfied = (...names: string[]) => policy.satisfiedBy(new Set(names));
      expect(satisfied('W0', 'W1', 'W4')).toBe(true);
      expect(satisfied('W0', 'W4', 'W5')).toBe(false);
      expect(satisfied('W0', 'W1', 'W2')).toBe(false);
      expect(satisfied('X-and-Y')).toBe(false);
      expect(policy.overlap).toBe(1);
      expect(policy.forks()).toBeNull();
    }
  });

  it('one witness, none, and no log', () => {
    const one = parseLogPolicy(`${WITNESSES}quorum W3\n`);
    expect([one.satisfiedBy(new Set(['W3'])), one.satisfiedBy(new Set(['W2']))]).toEqual([true, false]);
    expect(one.logs).toEqual([]);
    const none = parseLogPolicy(`log ${LOG}\nquorum none\n`);
    expect([none.satisfiedBy(new Set()), none.overlap, none.forks()]).toEqual([true, 0, [[], []]]);
  });

  it('32 logs, 32 witnesses and 32 groups', () => {
    const logs = Array.from({ length: 32 }, (_, i) => `log ${newNoteKey(`log${i}.example`).verifierKey}\n`);
    const witnesses = Array.from({ length: 32 }, (_, i) => {
      return `witness n${i} ${newNoteKey(`n${i}.example`, { algorithm: 'cosignature/v1' }).verifierKey}\n`;
    });
    const groups = Array.from({ length: 32 }, (_, i) => `group g${i} all n${i}${i === 0 ? '' : ` g${i - 1}`}\n`);
    const policy = parseLogPolicy(`${logs.join('')}${witnesses.join('')}${groups.join('')}quorum g31\n`);
    expect([policy.logs.length, policy.witnesses.length, policy.overlap]).toEqual([32, 32, 32]);
  });

  it('names are compared as bytes, so the Kelvin sign is not K', () => {
    const text = `witness K ${KEYS[0]}\nwitness \u212a ${KEYS[1]}\ngroup all all K \u212a\nquorum all\n`;
    expect(parseLogPolicy(text).satisfiedBy(new Set(['K']))).toBe(false);
  });

  it.each([
    ['no quorum', `log ${LOG}\n`, undefined],
    ['nothing', '', undefined],
    ['a last line without its end', `log ${LOG}\nquorum none`, 2],
    ['two quorums', 'quorum none\nquorum none\n', 2],
    ['a quorum of two names', `${WITNESSES}quorum W0 W1\n`, 7],
    ['quorum naming a later group', `${WITNESSES}quorum g\ngroup g any W0\n`, 7],
    ['a quorum that is not defined', 'quorum x\n', 1],
    ['an unknown word', 'quorum none\nlogs x\n', 2],
    ['an upper-case word', 'Quorum none\n', 1],
    ['a log without a key', 'log\nquorum none\n', 1],
    ['a log with two addresses', `log ${LOG} a b\nquorum none\n`, 1],
    ['a key that is broken', `log ${LOG.slice(0, -4)}AAA=\nquorum none\n`, 1],
    ['the key of a witness for a log', `log ${KEYS[0]}\nquorum none\n`, 1],
    ['the key of a log for a witness', `witness w ${LOG}\nquorum none\n`, 1],
    ['a log twice', `log ${LOG}\nlog ${LOG}\nquorum none\n`, 2],
    ['a key under two names', `witness a ${KEYS[0]}\nwitness b ${KEYS[0]}\nquorum none\n`, 2],
    ['a name twice', `witness a ${KEYS[0]}\nwitness a ${KEYS[1]}\nquorum none\n`, 2],
    ['a group with the name of a witness', `${WITNESSES}group W0 any W1\nquorum W0\n`, 7],
    ['a witness with the name none', `witness none ${KEYS[0]}\nquorum none\n`, 1],
    ['a group with the name none', `${WITNESSES}group none any W1\nquorum none\n`, 7],
    ['none as a member', `${WITNESSES}group g any none\nquorum g\n`, 7],
    ['m > n', `${WITNESSES}group g 3 W0 W1\nquorum g\n`, 7],
    ['m = 0', `${WITNESSES}group g 0 W0 W1\nquorum g\n`, 7],
    ['m = 01', `${WITNESSES}group g 01 W0 W1\nquorum g\n`, 7],
    ['m = 1.5', `${WITNESSES}group g 1.5 W0 W1\nquorum g\n`, 7],
    ['a group without members', `${WITNESSES}group g all\nquorum g\n`, 7],
    ['a member twice', `${WITNESSES}group g all W0 W0\nquorum g\n`, 7],
    ['a member of two groups', `${WITNESSES}group g all W0\ngroup h all W0 W1\nquorum g\n`, 8],
    ['a group that is its own member', `${WITNESSES}group g any g\nquorum g\n`, 7],
    ['CRLF', 'quorum none\r\n', 1],
    ['NUL', 'quorum none\0\n', 1],
    ['DEL in a comment', '# \x7f\nquorum none\n', 1],
    ['half of a surrogate pair', '# \ud800\nquorum none\n', undefined],
    ['more than 65,536 bytes', `${'#'.repeat(65_530)}\nquorum none\n`, undefined],
    ['valid YAML', 'log:\n  - x\nquorum: none\n', 1],
  ])('%s is refused with its line', (_, text, line) => {
    expect(refused(text)).toEqual(['log_policy_invalid', line]);
  });

  it('octets that are not UTF-8 may be in comments, and in no name', () => {
    expect(refused(concat([utf8('# '), Uint8Array.of(0xff, 0xfe), utf8('\nquorum none\n')]))).toBe('accepted');
    const name = concat([utf8('witness '), Uint8Array.of(0xff), utf8(` ${KEYS[0]}\nquorum none\n`)]);
    expect(refused(name)).toEqual(['log_policy_invalid', 1]);
  });

  it('is frozen, and shows no code', () => {
    const policy = parseLogPolicy(`${WITNESSES}quorum none\n`);
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.witnesses) && Object.isFrozen(policy.logs)).toBe(true);
  });
});

describe('a quorum', () => {
  /** Random groups over up to eight witnesses, each name a member of at most one. */
  const quorums = fc
    .record({
      count: fc.integer({ min: 1, max: 8 }),
      groups: fc.array(fc.record({ take: fc.integer({ min: 1, max: 5 }), threshold: fc.nat(), at: fc.nat() }), {
        minLength: 1,
        maxLength: 5,
      }),
    })
    .map(({ count, groups }) => {
      const witnesses = Array.from({ length: count }, (_, i) => `w${i}`);
      const free = [...witnesses];
      const made: Group[] = [];
      for (const [i, { take, threshold, at }] of groups.entries()) {
        const members = free.splice(at % free.length, take);
        made.push({ name: `g${i}`, threshold: 1 + (threshold % members.length), members });
        free.push(`g${i}`);
      }
      return { witnesses, groups: made, name: made.at(-1)!.name };
    });

  /** The definition, by recursion. */
  function isSatisfied(name: string, names: ReadonlySet<string>, groups: readonly Group[]): boolean {
    const group = groups.find((one) => one.name === name);
    if (group === undefined) return names.has(name);
    return group.members.filter((member) => isSatisfied(member, names, groups)).length >= group.threshold;
  }

  it('is satisfied, and overlaps, as trying all sets of witnesses shows', () => {
    fc.assert(
      fc.property(quorums, ({ witnesses, groups, name }) => {
        const quorum = quorumOf(name, witnesses, groups);
        const sufficient: number[] = [];
        for (let mask = 0; mask < 2 ** witnesses.length; mask++) {
          const names = new Set(witnesses.filter((_, i) => (mask >> i) & 1));
          const expected = isSatisfied(name, names, groups);
          expect(quorum.satisfiedBy(names)).toBe(expected);
          if (expected) sufficient.push(mask);
        }
        const bits = (mask: number): number => mask.toString(2).replaceAll('0', '').length;
        let least = witnesses.length;
        for (const a of sufficient) for (const b of sufficient) least = Math.min(least, bits(a & b));
        expect(quorum.overlap).toBe(least);
        const [one, two] = quorum.apart();
        expect(quorum.satisfiedBy(new Set(one)) && quorum.satisfiedBy(new Set(two))).toBe(true);
        expect(one.filter((member) => two.includes(member))).toHaveLength(least);
      }),
      { numRuns: 400 },
    );
  });

  it('two sets of witnesses without a common member: a quorum of any one of two forks, all of two do not', () => {
    const of = (count: string) => parseLogPolicy(`${WITNESSES}group g ${count} W0 W1\nquorum g\n`);
    expect(of('any').forks()).toEqual([['W0'], ['W1']]);
    expect(of('all').forks()).toBeNull();
  });

  it.each([
    [3, 6, 0],
    [4, 6, 2],
    [5, 6, 4],
    [6, 6, 6],
  ])('%i of %i bear %i dishonest witnesses less one', (k, n, overlap) => {
    const members = Array.from({ length: n }, (_, i) => `W${i}`).join(' ');
    const policy = parseLogPolicy(`${WITNESSES}group g ${k} ${members}\nquorum g\n`);
    expect(policy.overlap).toBe(overlap);
    expect(policy.forks() === null).toBe(overlap > 0);
  });
});
