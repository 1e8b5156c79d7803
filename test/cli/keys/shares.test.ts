/**
 * Split custody by processes: the commands of docs/guide/keys/split-custody.md as they are written there, with the real
 * `age` and the program in Python, and what the commands refuse.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { readShare, writeShare } from '../../../src/custody/shares/share-text.ts';
import { subsetsOf } from '../../../src/custody/shares/subsets.ts';
import { CLI, type Ended, expectVoice, makePlace, type Place } from '../harness.ts';

const page = readFileSync(new URL('../../../docs/guide/keys/split-custody.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\`$`, 'gm'))].map(([, indent, text]) =>
    text!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
const program = blocks('python')[0]!;

/** Whether the command `age` is here. CI installs it, and there the tests fail without it. */
const hasAge = spawnSync('age', ['--version']).status === 0 || process.env.CI !== undefined;

let place: Place;
/** The groups of four characters of all shares that are secret. */
let secrets: string[];

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'keys.json'])).code).toBe(0);
  for (const folder of ['c', 'other']) {
    const { code, err } = await place.run(['keys', 'split', '--shares', '5', '--threshold', '3', '--out-dir', folder]);
    expect(code, err).toBe(0);
  }
  secrets = [1, 2, 3, 4, 5].flatMap((number) => {
    const [line1, line2] = place.read(`c/share-${number}.txt`).split('\n').slice(2);
    // The first groups of line 1 are the id of the ceremony and numbers, which are public.
    return [...line1!.split(' ').slice(6), ...line2!.split(' ').slice(1)];
  });
  place.write('join-shares.py', program);
});

afterAll(() => place.remove());

const RECORD = ['--ceremony', 'c/ceremony.json'];
const shares = (...numbers: number[]) => numbers.map((number) => `c/share-${number}.txt`);
const combine = (...args: string[]) => place.run(['keys', 'combine', ...args, '--out-identity', 'never.txt']);

/** The exit code and the error of a run that wrote nothing, and no piece of a share. */
function refusal(ended: Ended): readonly [number | null, string] {
  expectVoice(ended, secrets);
  expect(ended.out).toBe('');
  expect(place.files().filter((name) => name.startsWith('never') || name.startsWith('.'))).toEqual([]);
  return [ended.code, ended.err.split('\n')[0]!.replace('trefoil: error: ', '')];
}

describe.skipIf(!hasAge)('with the command age', () => {
  it('every command of the guide runs, in its order', async () => {
    const commands = blocks('sh');
    expect(commands).toHaveLength(8);
    const own = makePlace();
    try {
      own.write('join-shares.py', program);
      const script = ['set -euo pipefail', 'trefoil() { $T "$@"; }', 'trefoil keys new --out keys.json', ...commands];
      const { code, out, err } = await own.bash(script.join('\n'));
      expect(code, err).toBe(0);
      const recipient = own.read('recipient.txt').trim();
      expect(recipient).toMatch(/^age1[02-9ac-hj-np-z]{58}$/);
      expect(out).toMatch(
        /^share 2 of 5, 3 needed, ceremony \w{16}\nopens age1\w+\ndrill of 20\d\d\nroot key \w+ .*\nage1\w+\n$/s,
      );
      expect(out).toContain(`opens ${recipient}\n`);
      expect(out.endsWith(`${recipient}\n`)).toBe(true);
      for (const name of ['keys.opened.json', 'keys.recovered.json'])
        expect(own.read(name)).toBe(own.read('keys.json'));
      // The file for the new holders opens with the new shares, and with no old ones.
      for (const [folder, code, content] of [
        ['ceremony-2', 0, own.read('keys.json')],
        ['ceremony', 1, ''],
      ] as const) {
        const three = [1, 3, 5].map((number) => `${folder}/share-${number}.txt`).join(' ');
        const opened = await own.bash(
          `$T keys combine ${three} --out-identity ${folder}.txt && age -d -i ${folder}.txt keys-2.age`,
        );
        expect([opened.code, opened.out]).toEqual([code, content]);
      }
      expect(own.files()).not.toContain('identity.txt');
    } finally {
      own.remove();
    }
  });

  it('a drill: split, wrap a key file, combine, open it, and use it', async () => {
    const recipient = /^opens (.*)$/m.exec(place.read('c/share-1.txt'))![1]!;
    const wrapped = await place.bash(`age -r ${recipient} -o keys.json.age keys.json`);
    expect(wrapped.code, wrapped.err).toBe(0);
    const joined = await place.run([
      'keys',
      'combine',
      ...shares(5, 2, 4),
      ...RECORD,
      '--out-identity',
      'identity.txt',
    ]);
    expect(joined.code, joined.err).toBe(0);
    expect(joined.err).toContain(recipient);
    expectVoice(joined, secrets);
    expect(statSync(place.path('identity.txt')).mode & 0o777).toBe(0o600);
    const opened = await place.bash('age -d -i identity.txt keys.json.age');
    expect(opened).toEqual({ code: 0, out: place.read('keys.json'), err: '' });
    // Standard output works as well, for a pipe or a process substitution.
    const piped = await place.bash(
      `age -d -i <($T keys combine ${shares(1, 2, 3).join(' ')} --out-identity - 2>&-) keys.json.age`,
    );
    expect(piped.out).toBe(place.read('keys.json'));
    // Another ceremony does not open it.
    const other = [1, 2, 3].map((number) => `other/share-${number}.txt`);
    await place.run(['keys', 'combine', ...other, '--out-identity', 'other-identity.txt']);
    expect((await place.bash('age -d -i other-identity.txt keys.json.age')).code).toBe(1);
  });

  it('recovery without trefoil: at most 25 lines of Python join every choice, and age opens the file', async () => {
    expect(program.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
    const { out: identity } = await place.run(['keys', 'combine', ...shares(1, 2, 3), '--out-identity', '-']);
    const secret = identity.split('\n')[1]!;
    expect(secret).toMatch(/^AGE-SECRET-KEY-1/);
    const choices = [...subsetsOf([1, 2, 3, 4, 5], 3)].map((chosen) => shares(...chosen).join(' '));
    const joined = await Promise.all(choices.map((files) => place.bash(`python3 join-shares.py ${files}`)));
    expect(joined).toHaveLength(10);
    for (const one of joined) expect(one).toEqual({ code: 0, out: `${secret}\n`, err: '' });
    expect((await place.bash(`python3 join-shares.py ${shares(1, 2, 3, 4, 5).join(' ')}`)).out).toBe(`${secret}\n`);
    const refused = 'too few shares, or shares of different ceremonies\n';
    for (const args of [shares(1, 2), shares(1, 2, 2), [...shares(1, 2), 'other/share-3.txt']]) {
      expect((await place.bash(`python3 join-shares.py ${args.join(' ')}`)).err).toBe(refused);
    }
  });
});

describe('keys split', () => {
  it('makes files that only their owner can read, and prints the recipient alone', async () => {
    const { code, out, err } = await place.run([
      'keys',
      'split',
      '--shares',
      '3',
      '--threshold',
      '2',
      '--out-dir',
      'new/folder',
      '--present',
      'Ada Lovelace,Zoë',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^age1[02-9ac-hj-np-z]{58}\n$/);
    expect(statSync(place.path('new/folder')).mode & 0o777).toBe(0o700);
    for (const name of ['share-1.txt', 'share-2.txt', 'share-3.txt', 'ceremony.json']) {
      expect(statSync(place.path(`new/folder/${name}`)).mode & 0o777).toBe(0o600);
    }
    const record = JSON.parse(place.read('new/folder/ceremony.json'));
    expect(record.present).toEqual(['Ada Lovelace', 'Zoë']);
    expect(`opens ${out.trim()}`).toBe(place.read('new/folder/share-3.txt').split('\n')[1]);
    expect(err).not.toMatch(/AGE-SECRET|1: /);
    expect((await place.bash('ls -A new/folder')).out).toBe('ceremony.json\nshare-1.txt\nshare-2.txt\nshare-3.txt\n');
  });

  it('never overwrites', async () => {
    const before = place.read('c/share-1.txt');
    const again = ['keys', 'split', '--shares', '2', '--threshold', '2', '--out-dir'];
    expect(refusal(await place.run([...again, 'c']))).toEqual([
      5,
      'c: the folder is not empty, and a ceremony needs one of its own; choose another name',
    ]);
    expect(place.read('c/share-1.txt')).toBe(before);
    expect(refusal(await place.run([...again, 'keys.json']))[0]).toBe(5);
    place.write('taken.txt', 'x');
    const taken = await place.run(['keys', 'combine', ...shares(1, 2, 3), '--out-identity', 'taken.txt']);
    expect(refusal(taken)).toEqual([
      5,
      'taken.txt: the file exists, and identities are never overwritten; choose another name',
    ]);
    expect(place.read('taken.txt')).toBe('x');
  });

  it.each([
    [[], '--shares N is required'],
    [['--shares', '5'], '--threshold M is required'],
    [['--shares', '5', '--threshold', '3'], '--out-dir FILE is required'],
    [['--shares', '5', '--threshold', '6', '--out-dir', 'x'], '--threshold cannot be more than --shares'],
    [['--shares', '17', '--threshold', '6', '--out-dir', 'x'], '--shares expected a whole number from 2 to 16'],
    [['--shares', '5', '--threshold', '1', '--out-dir', 'x'], '--threshold expected a whole number from 2 to 16'],
    [['--shares', '5', '--threshold', '2.5', '--out-dir', 'x'], '--threshold expected a whole number from 2 to 16'],
    [['--shares', '5', '--threshold', '2', '--out-dir', '-'], '--out-dir cannot be standard output'],
    [['--shares', '5', '--threshold', '2', '--out-dir', 'x', '--force'], 'unknown option --force'],
  ])('%j: %s', async (args, message) => {
    expect(refusal(await place.run(['keys', 'split', ...args]))).toEqual([2, message]);
    expect(place.files()).not.toContain('x');
  });

  it('without the packages it says what to install', async () => {
    const own = makePlace();
    try {
      copyFileSync(CLI.replace('cli.js', 'trefoil.mjs'), own.path('trefoil.mjs'));
      const { code, err } = await own.bash(
        `"${process.execPath}" trefoil.mjs keys split --shares 3 --threshold 2 --out-dir x`,
      );
      expect(code).toBe(5);
      expect(err).toBe(
        'trefoil: error: shares of an identity need the package age-encryption: npm install age-encryption\n',
      );
      expect(own.files()).toEqual(['trefoil.mjs']);
    } finally {
      own.remove();
    }
  });
});

describe('keys combine refuses', () => {
  const changed = (name: string, number: number, change: (text: string) => string) => {
    place.write(name, change(place.read(`c/share-${number}.txt`)));
    return name;
  };
  /** The text of a share with another value, whose check characters fit. */
  const forge = (text: string) => {
    const share = readShare(text);
    share.value[31]! ^= 0x80;
    return writeShare(share, share.recipient!);
  };

  it('too few shares, and a share that is there twice', async () => {
    const message = '2 of the 3 shares that are needed; add shares of other holders';
    expect(refusal(await combine(...shares(1, 2)))).toEqual([4, message]);
    expect(refusal(await combine(...shares(1, 2, 2)))).toEqual([4, message]);
  });

  it('a mistyped line, with its file and its line', async () => {
    const typed = changed('typed.txt', 2, (text) =>
      text.replace(/^2: ./m, (line) => (line === '2: 0' ? '2: 1' : '2: 0')),
    );
    const [code, message] = refusal(await combine(typed, ...shares(1, 3)));
    expect(code).toBe(7);
    expect(message).toMatch(/^typed\.txt: line 2: a character of the line that begins with 2: is mistyped/);
    place.write('binary.txt', Uint8Array.of(255, 0, 1));
    expect(refusal(await combine('binary.txt', ...shares(1, 3)))).toEqual([
      7,
      'binary.txt: the file is not the text of a share',
    ]);
    place.write('long.txt', 'x'.repeat(5000));
    expect(refusal(await combine('long.txt', ...shares(1, 3)))[0]).toBe(7);
  });

  it('the lines of two shares, and shares of two ceremonies', async () => {
    const second = place.read('c/share-4.txt').split('\n')[3]!;
    const swapped = changed('swapped.txt', 2, (text) => text.replace(/^2: .*$/m, second));
    expect(refusal(await combine(swapped, ...shares(1, 3)))[0]).toBe(7);
    expect(refusal(await combine(...shares(1, 3), 'other/share-2.txt'))).toEqual([
      7,
      'other/share-2.txt: the share is of another ceremony or recipient than the first share',
    ]);
    const [code, message] = refusal(await combine(...shares(1, 3, 2), '--ceremony', 'other/ceremony.json'));
    expect(code).toBe(7);
    expect(message).toBe('3 problems');
  });

  it('a forged share, which the record names', async () => {
    const forged = changed('forged.txt', 5, forge);
    const [code, message] = refusal(await combine(...shares(1, 3), forged, ...RECORD));
    expect(code).toBe(7);
    expect(message).toMatch(/^forged\.txt: share 5 is not the one of its ceremony/);
    const [without, hint] = refusal(await combine(...shares(1, 3), forged));
    expect(without).toBe(7);
    expect(hint).toContain('pass the record of the ceremony, which tells which');
    const named = refusal(await combine(...shares(1, 3), forged, ...shares(2)));
    expect(named[1]).toMatch(/^forged\.txt: share 5 is not/);
  });

  it('a record that was changed, or is none', async () => {
    place.write('edited.json', place.read('c/ceremony.json').replace('"threshold": 3', '"threshold": 2'));
    const edited = refusal(await combine(...shares(1, 2, 3), '--ceremony', 'edited.json'));
    expect(edited[0]).toBe(7);
    expect(edited[1]).toMatch(/^edited\.json: the record of the ceremony was changed/);
    for (const text of ['', '[]', '"x"', '{', 'x'.repeat(70_000)]) {
      place.write('edited.json', text);
      expect(refusal(await combine(...shares(1, 2, 3), '--ceremony', 'edited.json'))).toEqual([
        7,
        'edited.json: the file is not the record of a ceremony; get it from another holder',
      ]);
    }
  });

  it('files that do not exist, and standard input twice', async () => {
    expect(refusal(await combine('none.txt', ...shares(1, 2)))[0]).toBe(5);
    expect(refusal(await combine(...shares(1, 2, 3), '--ceremony', 'none.json'))[0]).toBe(5);
    expect(refusal(await combine('-', '-'))[0]).toBe(2);
    expect(refusal(await place.run(['keys', 'combine', ...shares(1, 2, 3)]))).toEqual([
      2,
      '--out-identity FILE is required',
    ]);
    expect(refusal(await combine())).toEqual([2, 'no share is named, and standard input is not a terminal']);
  });

  it('a share is taken from standard input', async () => {
    const args = ['keys', 'combine', '-', ...shares(1, 2), '--out-identity', '-'];
    const { code, out } = await place.run(args, place.read('c/share-5.txt'));
    expect(code).toBe(0);
    expect(out).toMatch(/^# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/);
  });

  it('keys check-share refuses the same', async () => {
    const check = (...args: string[]) => place.run(['keys', 'check-share', ...args]);
    const good = await check(...shares(3), ...RECORD);
    expect(good.code).toBe(0);
    expect(good.out).toBe(
      `${place.read('c/share-3.txt').split('\n').slice(0, 2).join('\n').replace('trefoil ', '')}\n`,
    );
    expect(good.err).toContain('only a drill proves that the shares join');
    expectVoice(good, secrets);
    expect(refusal(await check('other/share-3.txt', ...RECORD))[0]).toBe(7);
    expect(refusal(await check(changed('forged.txt', 3, forge), ...RECORD))).toEqual([
      7,
      expect.stringMatching(/^forged\.txt: share 3 is not the one of its ceremony/),
    ]);
    expect(
      refusal(
        await check(
          changed('cut.txt', 3, (text) => text.slice(0, -8)),
          ...RECORD,
        ),
      )[1],
    ).toMatch(/^cut\.txt: line 2: the line that begins with 2: has 3\d characters/);
    expect(refusal(await check(...shares(3)))).toEqual([2, '--ceremony FILE is required']);
    expect(refusal(await check('-', '--ceremony', '-'))[0]).toBe(2);
  });
});

describe('shares that are typed on a terminal', () => {
  const driver = fileURLToPath(new URL('terminal.py', import.meta.url));

  /** Runs trefoil on a terminal of its own: waits for each text, then types. Returns what the terminal showed. */
  async function type(args: readonly string[], steps: readonly (readonly [shown: string, typed: string])[]) {
    place.write('steps.json', JSON.stringify(steps));
    const command = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ');
    return place.bash(`python3 '${driver}' steps.json ${command}`);
  }
  const lineOf = (number: number, line: 1 | 2) => place.read(`c/share-${number}.txt`).split('\n')[line + 1]!;
  const typed = (number: number, at: number): (readonly [string, string])[] => [
    [`share ${at}, line 1: `, `${lineOf(number, 1)}\r`],
    [`share ${at}, line 2: `, `${lineOf(number, 2).slice(3).replaceAll(' ', '').toUpperCase()}\r`],
  ];

  test('join, and are not shown; a mistyped line is asked for again, and a share that was there already', async () => {
    const args = ['keys', 'combine', ...RECORD, '--out-identity', 'typed-identity.txt'];
    const { code, out } = await type(args, [
      ...typed(4, 1),
      ['2 more are needed', ''],
      ['share 2, line 1: ', `${lineOf(1, 1)}\r`],
      ['share 2, line 2: ', `${lineOf(1, 2).replace(/.$/, 'u')}\r`],
      ['character 40 of the line that begins with 2:', ''],
      ['share 2, line 2: ', `${lineOf(1, 2)}\r`],
      ['1 more is needed', ''],
      ...typed(4, 3),
      ['share 4 was typed already', ''],
      // Both lines at once, as they are pasted.
      ['share 3, line 1: ', `${lineOf(5, 1)}\r${lineOf(5, 2)}\r`],
      ['wrote the identity to typed-identity.txt', ''],
    ]);
    expect(code, out).toBe(0);
    for (const group of secrets) expect(out.toLowerCase()).not.toContain(group);
    const { out: identity } = await place.run(['keys', 'combine', ...shares(1, 4, 5), '--out-identity', '-']);
    expect(place.read('typed-identity.txt')).toBe(identity);
  });

  test('one share is tested without a file; nothing of it is shown', async () => {
    const steps = [
      ['line 1: ', `${lineOf(3, 1)}\r`],
      ['line 2: ', `${lineOf(4, 2)}\r`],
      ['the two lines are of different shares', ''],
      ['line 2: ', `${lineOf(3, 2)}\r`],
      ['share 3 of 5, 3 needed', ''],
    ] as const;
    const { code, out } = await type(['keys', 'check-share', ...RECORD], steps);
    expect(code, out).toBe(0);
    for (const group of secrets) expect(out.toLowerCase()).not.toContain(group);
    const foreign = ['keys', 'check-share', '--ceremony', 'other/ceremony.json'];
    const other = await type(foreign, [steps[0], steps[3], ['of another ceremony', '']]);
    expect(other.code, other.out).toBe(7);
    expect(refusal(await place.run(['keys', 'check-share', ...RECORD]))).toEqual([
      2,
      'no share is named, and standard input is not a terminal',
    ]);
  });

  test.each([
    ['Ctrl-C', '\u0003', 130, 'interrupted (SIGINT'],
    ['Ctrl-D', '\u0004', 2, 'the input ended before all lines were typed'],
  ])('%s ends the run, and nothing is written', async (_, key, expected, message) => {
    const args = ['keys', 'combine', '--out-identity', 'never.txt'];
    const { code, out } = await type(args, [...typed(2, 1), ['share 2, line 1: ', key]]);
    expect(code, out).toBe(expected);
    expect(out).toContain(message.replace(' (SIGINT', ''));
    expect(place.files().filter((name) => name.startsWith('never') || name.startsWith('.'))).toEqual([]);
  });
});
