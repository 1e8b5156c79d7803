/** What is unwise in a charter, and what nobody may sign. */
import { describe, expect, it } from 'vitest';
import { type CharterFinding, checkCharter, parseCharter } from '../../../src/govern.ts';
import { newNoteKey } from '../../../src/log.ts';
import { KEYS, LINES, numberOf, replaced, textOf } from './small-charter.ts';

const words = (found: readonly CharterFinding[]) =>
  found.map(({ level, word, line }) => [level === 'refused' ? 'refused' : 'warning', word, line]);
const check = (lines: readonly string[], options = {}) => words(checkCharter(parseCharter(textOf(lines)), options));

/** A witness whose key is named like the log. */
const OWN = newNoteKey('w1.LOG.example/witness', { algorithm: 'cosignature/v1' }).verifierKey;

/** Without the rate of `fpe`, of which a check without a policy says that it does not know the size. */
const CALM = LINES.filter((line) => !line.includes('fpe:card.pan'));
const calm = (start: string, ...by: readonly string[]) =>
  CALM.flatMap((line) => (line.startsWith(start) ? by : [line]));
const at = (start: string, lines = CALM) => lines.findIndex((line) => line.startsWith(start)) + 1;

describe('a check', () => {
  it('finds nothing in a charter that is wise', () => expect(check(CALM)).toEqual([]));

  it('quorum none is the first thing that is found, and every promise of a witness is hollow', () => {
    const lines = calm('quorum', 'quorum none');
    const [first, ...others] = checkCharter(parseCharter(textOf(lines)));
    expect(first).toMatchObject({ level: 'warning', word: 'unwitnessed', line: null });
    expect(first!.message).toContain('level G1');
    expect(others.map(({ word }) => word)).toEqual(Array(4).fill('witnessed-by-nobody'));
  });

  it.each([
    ['any of two', 'group outside any NCC DPA'],
    ['1 of two', 'group outside 1 NCC DPA'],
  ])('a quorum that two sets of witnesses without a common member can satisfy: %s', (_, line) => {
    expect(check(calm('group', line))).toEqual([['refused', 'forks', at('quorum')]]);
  });

  it('a quorum of one witness does not fork', () => {
    expect(check(calm('quorum', 'quorum NCC').filter((line) => !line.startsWith('group')))).toEqual([]);
  });

  it('no witness outside', () => {
    const renamed = textOf(CALM).replace(KEYS.ncc.verifierKey, OWN);
    const only = renamed.replace('group outside all NCC DPA\n', '').replace('quorum outside', 'quorum NCC');
    expect(words(checkCharter(parseCharter(only)))).toEqual([['warning', 'witnesses-inside', at('quorum') - 1]]);
    expect(words(checkCharter(parseCharter(renamed)))).toEqual([]);
  });

  const callBack = LINES[22]!;
  const fraud = LINES[23]!;
  const move = LINES[24]!;
  const glass = LINES[25]!;
  it.each([
    [
      'a purpose without witnessed',
      callBack,
      callBack.replace('witnessed 1h', 'witnessed no'),
      ['warning', 'not-witnessed'],
    ],
    ['bulk with one approval', move, move.replace('2:approver', '1:approver'), ['warning', 'bulk-by-one']],
    ['m = n', fraud, fraud.replace('2:approver', '3:approver'), ['warning', 'every-one-needed']],
    ['m = n of glass', glass, glass.replace('2:approver', '3:approver'), ['warning', 'every-one-needed']],
    ['seal without unbound', fraud, fraud.replace(' unbound', ''), ['refused', 'bound-to-nobody']],
    [
      'fpe without unbound',
      callBack,
      callBack.replace('vault:people/person.phone', 'fpe:phone'),
      ['refused', 'bound-to-nobody'],
    ],
    [
      'rejects without unbound',
      callBack,
      callBack.replace('vault:people/person.phone', 'rejects:people'),
      ['refused', 'bound-to-nobody'],
    ],
    ['glass over seal without unbound', glass, glass.replace('vault:people/', 'seal:'), ['refused', 'bound-to-nobody']],
    ['unbound without need', callBack, `${callBack} unbound`, ['warning', 'unbound-needless']],
    ['unbound about tables', move, `${move} unbound`, ['warning', 'unbound-needless']],
    [
      'a kind that no rule has',
      callBack,
      callBack.replace('vault:people/person.phone', 'vaults:person.phone'),
      ['warning', 'unknown-kind'],
    ],
    ['m = n of all keepers', 'change 2:keeper', 'change 3:keeper', ['warning', 'every-one-needed']],
    ['one keeper', 'change 2:keeper', 'change 1:keeper', ['warning', 'changed-by-one']],
    ['a role that nobody demands', LINES[13]!, LINES[13]!.replace('legal', 'legal,lawyer'), ['warning', 'role-unused']],
    [
      'a desk whose officer cannot ask',
      LINES[20]!,
      LINES[20]!.replace('of dora', 'of lea'),
      ['refused', 'desk-cannot-ask'],
    ],
    ['a client without a rate', 'rate client etl-1 protect token', '', ['warning', 'client-without-rate']],
  ])('%s', (_, from, to, expected) => {
    const lines = CALM.flatMap((line) => (line.startsWith(from) ? (to === '' ? [] : [to]) : [line]));
    const found = check(lines);
    expect(found.filter(([, word]) => word !== 'no-desk')).toEqual([[...expected, lineNumber(lines, from, to)]]);
  });

  it('an approver who is also a requester', () => {
    const lines = calm('officer anna', LINES[10]!.replace('approver', 'approver,requester'));
    expect(check(lines)).toEqual([
      ['warning', 'asks-and-approves', at('officer anna')],
      ['warning', 'no-desk', at('officer anna')],
    ]);
  });

  it('an approver who asks, and whom the others cannot replace', () => {
    const lines = calm('officer anna', LINES[10]!.replace('approver', 'approver,requester')).map((line) =>
      line === fraud ? fraud.replace('2:approver', '3:approver') : line,
    );
    expect(check(lines)).toContainEqual(['warning', 'not-for-all', at('purpose fraud')]);
  });

  it('purposes that no officer can satisfy', () => {
    // Chris alone asks, and is one of the two approvers.
    const lines = CALM.flatMap((line) => {
      if (line.startsWith('officer carla') || line.startsWith('officer bela') || / dora/.test(line)) return [];
      if (line.startsWith('officer chris')) return [line.replace('requester', 'requester,approver')];
      return [line.includes('witnessed 1h') ? line.replace('1:approver', '2:approver') : line];
    });
    const found = check(lines).filter(([level]) => level === 'refused');
    expect(found.map(([, word]) => word)).toEqual(Array(4).fill('unsatisfiable'));
  });

  it('a purpose that needs the only lawyer, who is needed for protected people as well', () => {
    const lines = calm('purpose fraud', fraud.replace('2:approver', '1:approver,1:legal'));
    expect(check(lines)).toEqual([
      ['warning', 'every-one-needed', at('purpose fraud')],
      ['warning', 'not-for-protected', at('purpose fraud')],
    ]);
    expect(check(lines.filter((line) => !line.startsWith('protected')))).toEqual([
      ['warning', 'every-one-needed', at('purpose fraud')],
    ]);
  });

  it('glass that nobody can ratify but the requester', () => {
    const lines = CALM.flatMap((line) => {
      if (/ dora|^purpose/.test(line)) return [];
      if (line.startsWith('officer chris')) return [line.replace('requester', 'requester,guard')];
      return [line.startsWith('glass') ? line.replace('2:approver', '1:guard') : line];
    });
    expect(check(lines)).toContainEqual(['refused', 'unsatisfiable', at('glass', lines)]);
  });

  it('purposes for which nobody may ask', () => {
    const lines = CALM.filter((line) => !/chris|dora/.test(line));
    expect(check(lines)).toEqual([['warning', 'nobody-asks', null]]);
  });

  it('a hardware key that does not demand touch', () => {
    const type = 'sk-ssh-ed25519@openssh.com';
    const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    const raw = Buffer.from(KEYS.anna.verifierKey.split('+').slice(2).join('+'), 'base64').subarray(1);
    const blob = Buffer.concat([Buffer.from(type), raw, Buffer.from('ssh:')].map(part)).toString('base64');
    expect(check(calm('officer anna', `officer anna approver ssh ${type} ${blob}`))).toEqual([
      ['warning', 'no-touch', at('officer anna')],
    ]);
    expect(check(calm('officer anna', `officer anna approver ssh ${type} ${blob} touch`))).toEqual([]);
  });
});

describe('a rate whose window holds the whole space needs code-book', () => {
  const line = numberOf('rate client etl-1 protect fpe');
  const space = (size: bigint) => ({ spaces: [{ scope: 'fpe:card.pan', size }] });
  it('is not known without a policy', () => expect(check(LINES)).toEqual([['warning', 'space-unknown', line]]));
  it('a space that is larger by one', () => expect(check(LINES, space(100_001n))).toEqual([]));
  it('a space of this size', () => expect(check(LINES, space(100_000n))).toEqual([['refused', 'code-book', line]]));
  it('a smaller space', () => expect(check(LINES, space(2n))).toEqual([['refused', 'code-book', line]]));
  it('the smaller of two formats of one scope', () => {
    const spaces = [
      { scope: 'fpe:card.pan', size: 10n },
      { scope: 'fpe:card.pan', size: 10n ** 12n },
    ];
    expect(check(LINES, { spaces })).toEqual([['refused', 'code-book', line]]);
    expect(check(LINES, { spaces: spaces.toReversed() })).toEqual([['refused', 'code-book', line]]);
  });
  it('a rate of all scopes', () => {
    const lines = replaced('rate client etl-1 protect fpe', 'rate client * protect * 100000 per 1d');
    expect(check(lines, space(99n))).toEqual([['refused', 'code-book', line]]);
    expect(check(lines, { spaces: [{ scope: 'token:x', size: 1n }] })).toEqual([['warning', 'space-unknown', line]]);
  });
  it('a code book by candidates', () => {
    const lines = replaced('rate client etl-1 protect fpe', 'rate client etl-1 candidates fpe:card.pan 100000 per 1d');
    expect(check(lines, space(99n))).toEqual([['refused', 'code-book', line]]);
    const matches = lines.map((one) => one.replace('candidates', 'matches'));
    expect(check(matches, space(99n))).toEqual([]);
  });
  it('a code book that is stated', () => {
    expect(check(replaced('rate client etl-1 protect fpe', `${LINES[line - 1]} code-book`), space(2n))).toEqual([]);
  });
  it('wrong spaces', () => {
    const charter = parseCharter(textOf(LINES));
    for (const spaces of [null, 'x', [null], [{}], [{ scope: 'fpe:x', size: 1 }], [{ scope: 1, size: 1n }]]) {
      expect(() => checkCharter(charter, { spaces } as never)).toThrow(/^"spaces" /);
    }
    expect(() => checkCharter({ ...charter })).toThrow(/^"charter" /);
    expect(() => checkCharter(charter, { sizes: [] } as never)).toThrow(/^"options" /);
  });
});

it('no message names a name of the charter', () => {
  const lines = LINES.map((line) =>
    line.replaceAll('chris', 'zzq').replaceAll('call-back', 'zzq').replace('etl-1', 'zzq-1').replaceAll('phone', 'zzq'),
  ).map((line) => (line.startsWith('quorum') ? 'quorum none' : line.replace(' unbound', '')));
  const text = textOf(lines).replaceAll(/zzq\.support\.example/g, 'chris.support.example');
  const found = checkCharter(parseCharter(text));
  expect(found.length).toBeGreaterThan(4);
  for (const { message } of found) expect(message).not.toContain('zzq');
});

function lineNumber(lines: readonly string[], from: string, to: string): number {
  const line = lines.findIndex((line) => (to === '' ? line.startsWith('client') : line === to)) + 1;
  if (line === 0) throw new Error(`no line for ${from}`);
  return line;
}
