/** Sealed key files on the command line: `keys wrap`, `keys unwrap`, and every command that takes keys. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { generateHybridIdentity, identityToRecipient } from 'age-encryption';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyset } from '../../../src/keys.ts';
import { secretAccess } from '../../../src/reveal.ts';
import { type AgePlace, HAS_AGE, makeAgePlace } from '../../custody/age.ts';
import { filesBelow, root } from '../../doc-blocks.ts';
import { CLI, CSV, expectVoice, makePlace, type Place, POLICY } from '../harness.ts';

const PASSPHRASE = 'five words drawn by chance';
const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0;

let place: Place;
let keys: string;
let secret: string;

/** Runs trefoil, which must end with this code. Nothing that it writes to standard error has a piece of a secret. */
async function run(code: number, args: readonly string[], env: Record<string, string> = {}, input = '') {
  const ended = await place.run(args, input, env);
  expect(ended.code, ended.err).toBe(code);
  expectVoice(ended, [secret.slice(16, 40), PASSPHRASE]);
  return ended;
}

beforeAll(async () => {
  place = makePlace();
  await place.run(['keys', 'new', '--out', 'keys.json']);
  keys = place.read('keys.json');
  secret = /trefoil-root-1_\w+/.exec(keys)![0];
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  place.write('pass.txt', `${PASSPHRASE}\n`);
});

afterAll(() => place.remove());

describe.skipIf(!HAS_AGE)('a key file that is sealed to recipients', () => {
  let age: AgePlace;
  beforeAll(() => {
    age = makeAgePlace();
    place.write('id.txt', `# created: today\n# public key: ${age.recipient}\n${age.identity}\n`);
    place.write('to.txt', `# the operators\n${age.recipient}\n`);
  });
  afterAll(() => age.remove());

  it('is opened by the command age, and only its owner can read it', async () => {
    const { err } = await run(0, ['keys', 'wrap', 'keys.json', '--to', age.recipient, '--out', 'k.age']);
    expect(err).toContain('trefoil: wrote k.age, sealed with 1 recipient\n');
    expect(age.decrypt(readFileSync(place.path('k.age')))).toBe(keys);
    expect(statSync(place.path('k.age')).mode & 0o777).toBe(0o600);
    await run(0, ['keys', 'wrap', 'keys.json', '--to', 'to.txt', '--armour', '--out', 'k.asc']);
    expect(age.decrypt(place.read('k.asc'))).toBe(keys);
  });

  it('takes recipients from a file that everybody can read, because they are public; an identity file is none', async () => {
    chmodSync(place.path('to.txt'), 0o644);
    const wrap = ['keys', 'wrap', 'keys.json', '--to', 'to.txt', '--out', 'public.age'];
    expect((await run(0, wrap)).err).not.toContain('other users');
    chmodSync(place.path('id.txt'), 0o644);
    const { err } = await run(0, ['keys', 'inspect', '--keys', 'public.age', '--identity', 'id.txt']);
    expect(err).toContain('id.txt: other users can read the identity file; run chmod 600 on it');
    chmodSync(place.path('id.txt'), 0o600);
  });

  it('may be one that the command age has sealed', async () => {
    place.write('theirs.age', age.encrypt(keys));
    const { out } = await run(0, ['keys', 'inspect', '--keys', 'theirs.age', '--identity', 'id.txt']);
    expect(out).toContain(JSON.parse(keys).keys[0].id);
    await run(0, ['keys', 'unwrap', 'theirs.age', '--identity', 'id.txt', '--out', 'back.json']);
    expect(place.read('back.json')).toBe(keys);
    expect(statSync(place.path('back.json')).mode & 0o777).toBe(0o600);
  });

  it('protects and reveals as the plain file does, from a file and from the environment', async () => {
    const P = ['in.csv', '--policy', 'p.yaml'];
    const { out: plain } = await run(0, ['protect', ...P, '--keys', 'keys.json']);
    const { out: sealed } = await run(0, ['protect', ...P, '--keys', 'k.age', '--identity', 'id.txt']);
    expect(sealed).toBe(plain);
    for (const env of [{ TREFOIL_KEYS: place.read('k.asc') }, { TREFOIL_KEYS_FILE: 'k.age' }]) {
      const { out } = await run(0, ['protect', ...P], { ...env, TREFOIL_IDENTITY_FILE: 'id.txt' });
      expect(out).toBe(plain);
    }
    const two = await run(0, ['protect', ...P, '--workers', '2', '--keys', 'k.age', '--identity', 'id.txt']);
    expect(two.out).toBe(plain);
    const line = `$T protect in.csv --policy p.yaml --keys <(cat k.age) --identity <(cat id.txt)`;
    expect((await place.bash(line)).out).toBe(plain);
  });

  it('never replaces a file', async () => {
    const wrap = ['keys', 'wrap', 'keys.json', '--to', age.recipient, '--out', 'keys.json'];
    expect((await run(5, wrap)).err).toContain('key files are never overwritten');
    const unwrap = ['keys', 'unwrap', 'k.age', '--identity', 'id.txt', '--out', 'k.age'];
    expect((await run(5, unwrap)).err).toContain('key files are never overwritten');
    expect(place.read('keys.json')).toBe(keys);
  });

  it('can be sealed again, to others', async () => {
    const next = makeAgePlace();
    place.write('next.txt', `${next.identity}\n`);
    await run(0, ['keys', 'wrap', 'k.age', '--identity', 'id.txt', '--to', next.recipient, '--out', 'next.age']);
    expect((await run(4, ['keys', 'inspect', '--keys', 'next.age', '--identity', 'id.txt'])).err).toBe(
      'trefoil: error: next.age: nothing that was passed opens the key file, which is sealed with 1 recipient\n',
    );
    await run(0, ['keys', 'inspect', '--keys', 'next.age', '--identity', 'id.txt', '--identity', 'next.txt']);
    next.remove();
  });

  it('stays sealed when it is changed: --to names who can open the new one, --plain wants JSON', async () => {
    const changes = [
      ['keys', 'add'],
      ['keys', 'add', '--domain', 'partner', '--of', 'eu-enclave'],
      ['keys', 'narrow', '--policy', 'p.yaml', '--verbs', 'protect'],
    ];
    for (const [n, change] of changes.entries()) {
      const args = [...change, '--keys', 'k.age', '--identity', 'id.txt', '--out'];
      const refused = await run(2, [...args, 'changed.json']);
      expect(refused.out).toBe('');
      expect(refused.err).toContain('is sealed, and nothing says who can open the new one');
      expect(refused.err).toContain('--to');
      expect(place.files()).not.toContain('changed.json');
      const both = await run(2, [...args, 'changed.json', '--plain', '--to', age.recipient]);
      expect(both.err).toContain('--plain and --to cannot be combined');
      const { err } = await run(0, [...args, `sealed-${n}.age`, '--to', 'to.txt']);
      expect(err).toContain(`wrote sealed-${n}.age, sealed with 1 recipient: `);
      expect(statSync(place.path(`sealed-${n}.age`)).mode & 0o777).toBe(0o600);
      expect(age.decrypt(readFileSync(place.path(`sealed-${n}.age`)))).toContain('"keyset-v1"');
    }
    const plain = await run(0, [
      'keys',
      'add',
      '--keys',
      'k.age',
      '--identity',
      'id.txt',
      '--plain',
      '--out',
      'p.json',
    ]);
    expect(plain.err).toContain('warning: the key file that was read is sealed, and this one is not');
    expect(JSON.parse(place.read('p.json')).version).toBe('keyset-v1');
  });

  it('goes through a rotation without ever being plain', async () => {
    const on = (file: string) => ['--keys', file, '--identity', 'id.txt', '--to', 'to.txt', '--out'];
    await run(0, ['keys', 'add', ...on('k.age'), 'r2.age']);
    const { out } = await run(0, ['keys', 'inspect', '--keys', 'r2.age', '--identity', 'id.txt', '--json']);
    const { primary, ids } = JSON.parse(out) as { primary: string; ids: readonly string[] };
    const next = ids.find((id) => id !== primary)!;
    await run(0, ['keys', 'promote', next, ...on('r2.age'), 'r3.age']);
    const needed = ['--domain', 'eu-enclave', '--all-scopes', '--keep-needed'];
    await run(0, ['keys', 'retire', primary, ...needed, ...on('r3.age'), 'r4.age']);
    for (const file of ['r2.age', 'r3.age', 'r4.age']) {
      expect(readFileSync(place.path(file)).subarray(0, 21).toString()).toBe('age-encryption.org/v1');
      expect(place.read(file)).not.toContain('trefoil-');
    }
    expect(age.decrypt(readFileSync(place.path('r4.age')))).not.toContain(secret);
  });

  it('of a plain file is made in one step, too', async () => {
    await run(0, ['keys', 'add', '--keys', 'keys.json', '--to', age.recipient, '--out', 'one-step.age']);
    await run(0, ['keys', 'inspect', '--keys', 'one-step.age', '--identity', 'id.txt']);
    const wrong = await run(2, ['keys', 'add', '--keys', 'keys.json', '--to', 'aws-kms:x', '--out', 'x.age']);
    expect(wrong.err).toContain('--to expected the name of the keyset at the end');
  });

  it('to post-quantum recipients opens with their identity alone, and is not mixed with others', async () => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    expect(recipient).toMatch(/^age1pq1/);
    place.write('pq.txt', `${identity}\n`);
    place.write('pq-to.txt', `${recipient}\n`);
    await run(0, ['keys', 'wrap', 'keys.json', '--to', recipient, '--out', 'pq.age']);
    await run(0, ['keys', 'wrap', 'keys.json', '--to', 'pq-to.txt', '--armour', '--out', 'pq.asc']);
    for (const file of ['pq.age', 'pq.asc']) {
      await run(0, ['keys', 'unwrap', file, '--identity', 'pq.txt', '--out', `${file}.json`]);
      expect(place.read(`${file}.json`)).toBe(keys);
    }
    await run(4, ['keys', 'inspect', '--keys', 'pq.age', '--identity', 'id.txt']);
    const mixed = ['keys', 'wrap', 'keys.json', '--to', recipient, '--to', age.recipient, '--out', 'mixed.age'];
    expect((await run(2, mixed)).err).toContain('post-quantum recipients beside others');
    expect(place.files()).not.toContain('mixed.age');
  });

  it('without an identity says what to name', async () => {
    const { err } = await run(4, ['keys', 'inspect', '--keys', 'k.age']);
    expect(err).toBe(
      'trefoil: error: k.age: the key file is sealed; name what opens it with --identity FILE or TREFOIL_IDENTITY_FILE\n',
    );
  });

  it('that is plain is refused if an identity or a passphrase is set', async () => {
    const line =
      'trefoil: error: keys.json: the key file is not sealed, although an identity or a passphrase is set to open it\n';
    const inspect = ['keys', 'inspect', '--keys', 'keys.json'];
    expect((await run(4, [...inspect, '--identity', 'id.txt'])).err).toBe(line);
    expect((await run(4, inspect, { TREFOIL_IDENTITY_FILE: 'id.txt' })).err).toBe(line);
    expect((await run(4, inspect, { TREFOIL_PASSPHRASE_FILE: 'pass.txt' })).err).toBe(line);
    const run2 = ['protect', 'in.csv', '--policy', 'p.yaml', '--identity', 'id.txt'];
    expect((await run(4, run2, { TREFOIL_KEYS: keys })).err).toContain('TREFOIL_KEYS: the key file is not sealed');
    expect((await run(4, ['keys', 'unwrap', 'keys.json', '--out', 'x.json'])).err).toContain('nothing to open');
    expect(place.files()).not.toContain('x.json');
  });

  it('is checked with a warning if the policy pins no keys', async () => {
    const check = ['check', '--policy', 'p.yaml', '--keys'];
    const sealed = await run(0, [...check, 'k.age', '--identity', 'id.txt']);
    expect(sealed.err).toContain(
      'trefoil: warning: p.yaml: the policy pins no keys, and anyone who knows who can open',
    );
    expect((await run(0, [...check, 'keys.json'])).err).not.toContain('pins no keys');
    const inspect = ['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave'];
    const pin = /keyCheck: .*/.exec((await run(0, inspect)).out)![0];
    place.write('pinned.yaml', POLICY.replace('fields:', `${pin}\nfields:`));
    const pinned = ['check', '--policy', 'pinned.yaml', '--keys', 'k.age', '--identity', 'id.txt'];
    expect((await run(0, pinned)).err).not.toContain('pins no keys');
    // A file of somebody else, sealed to the same recipient, stops at the pin.
    await run(0, ['keys', 'new', '--out', 'theirs.json']);
    await run(0, ['keys', 'wrap', 'theirs.json', '--to', age.recipient, '--out', 'forged.age']);
    const forged = ['protect', 'in.csv', '--policy', 'pinned.yaml', '--keys', 'forged.age', '--identity', 'id.txt'];
    expect((await run(4, forged)).err).toContain('pins');
  });

  it('with keys of a region opens and is made only where the environment says so', async () => {
    place.write('eu.json', keyset.generate({ region: 'eu' }).export(secretAccess));
    const wrap = (out: string) => ['keys', 'wrap', 'eu.json', '--to', age.recipient, '--out', out];
    expect((await run(4, wrap('x.age'))).err).toContain('the keys are for the region eu');
    await run(0, wrap('eu.age'), { TREFOIL_REGION: 'eu' });
    const inspect = ['keys', 'inspect', '--keys', 'eu.age', '--identity', 'id.txt'];
    await run(0, inspect, { TREFOIL_REGION: 'eu' });
    expect((await run(4, inspect)).err).toContain('set TREFOIL_REGION');
    expect((await run(4, inspect, { TREFOIL_REGION: 'us' })).err).toContain('this process runs in us');
    expect((await run(2, inspect, { TREFOIL_REGION: 'E U' })).err).toContain('TREFOIL_REGION expected');
  });

  it('that is damaged, or larger than 1 MiB, is invalid', async () => {
    const bytes = readFileSync(place.path('k.age'));
    bytes[bytes.length - 20]! ^= 1;
    place.write('bad.age', bytes);
    expect((await run(4, ['keys', 'inspect', '--keys', 'bad.age', '--identity', 'id.txt'])).err).toContain(
      'is damaged',
    );
    place.write('big.age', Buffer.concat([bytes, Buffer.alloc(1_048_576)]));
    expect((await run(4, ['keys', 'inspect', '--keys', 'big.age', '--identity', 'id.txt'])).err).toContain('1 MiB');
  });

  it.each([
    ['no.txt', '', 5, 'no.txt: the identity file cannot be read: there is no such file or folder (ENOENT)'],
    [
      'one.txt',
      'AGE-PLUGIN-YUBIKEY-1QQQQ\n',
      4,
      'one.txt: line 1: the identity file has a line that is not one of age',
    ],
    ['two.txt', '# nothing\n', 4, 'two.txt: the identity file is empty'],
    ['three.txt', 'x'.repeat(70_000), 4, 'three.txt: the identity file is longer than 65536 bytes'],
  ])('with the identity file %s is refused', async (name, content, code, message) => {
    if (content !== '') place.write(name, content);
    const { err } = await run(code, ['keys', 'inspect', '--keys', 'k.age', '--identity', name]);
    expect(err).toContain(`trefoil: error: ${message}`);
  });

  it('is never opened with an identity in an argument', async () => {
    const { err } = await run(2, ['keys', 'inspect', '--keys', 'k.age', '--identity', age.identity]);
    expect(err).toContain('got what looks like the content of a key file');
    expect(err).not.toContain(age.identity.slice(20, 40));
  });
});

describe('a key file that is sealed with a passphrase', () => {
  beforeAll(async () => {
    const env = { TREFOIL_PASSPHRASE_FILE: 'pass.txt' };
    await run(0, ['keys', 'wrap', 'keys.json', '--passphrase', '--out', 'p.age'], env);
  });

  it('opens with the file that the environment names, in less time than the package takes', async () => {
    const begin = performance.now();
    await run(0, ['keys', 'inspect', '--keys', 'p.age'], { TREFOIL_PASSPHRASE_FILE: 'pass.txt' });
    console.log(`opening with a passphrase: ${Math.round(performance.now() - begin)} ms with the start of the process`);
    place.write('wrong.txt', `${PASSPHRASE}x`);
    const env = { TREFOIL_PASSPHRASE_FILE: 'wrong.txt' };
    expect((await run(4, ['keys', 'inspect', '--keys', 'p.age'], env)).err).toContain('sealed with a passphrase');
  });

  it('opens with the package alone', { timeout: 60_000 }, async () => {
    const age = await import('age-encryption');
    const decrypter = new age.Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    expect(await decrypter.decrypt(readFileSync(place.path('p.age')), 'text')).toBe(keys);
  });

  it.each([
    ['', 'must have exactly one line'],
    ['a\nb\n', 'must have exactly one line'],
    ['x'.repeat(5_000), 'is longer than 4096 bytes'],
  ])('is not opened with a file that is no passphrase', async (content, message) => {
    place.write('odd.txt', content);
    const env = { TREFOIL_PASSPHRASE_FILE: 'odd.txt' };
    expect((await run(4, ['keys', 'inspect', '--keys', 'p.age'], env)).err).toContain(message);
  });

  it('is not made with a short one, and beside recipients', async () => {
    place.write('short.txt', 'elevenchars');
    const env = { TREFOIL_PASSPHRASE_FILE: 'short.txt' };
    const short = await run(2, ['keys', 'wrap', 'keys.json', '--passphrase', '--out', 'x.age'], env);
    expect(short.err).toContain('the passphrase has fewer than 12 characters');
    const both = await run(2, ['keys', 'wrap', 'keys.json', '--passphrase', '--to', 'age1x', '--out', 'x.age']);
    expect(both.err).toContain('--passphrase and --to cannot be combined');
    const none = await run(2, ['keys', 'wrap', 'keys.json', '--out', 'x.age']);
    expect(none.err).toContain('--to or --passphrase is required');
    expect(place.files()).not.toContain('x.age');
  });

  /** Runs trefoil on a terminal of its own, on which these lines are typed, one each second. */
  const typed = (args: string, ...lines: readonly string[]) => {
    const keyboard = lines.map((line) => `sleep 1.5; printf '${line}'`).join('; ');
    const command = `"${process.execPath}" "${CLI}" ${args}`;
    return place.bash(`(${keyboard}; sleep 1) | script -qec '${command}' /dev/null`);
  };

  it.skipIf(!HAS_SCRIPT)('asks for it on the terminal and does not show it', async () => {
    const opened = await typed('keys inspect --keys p.age', `${PASSPHRASE}\\n`);
    expect(opened.code, opened.out).toBe(0);
    expect(opened.out).toContain('trefoil: passphrase of p.age: ');
    expect(opened.out).toContain('root key ');
    // The terminal of `script` echoes what is typed before the process reads it, so only later lines are looked at.
    expect(opened.out.slice(opened.out.indexOf('passphrase of'))).not.toContain(PASSPHRASE);
    // The records come through standard input, and the passphrase still from the terminal.
    const piped = await typed(
      `protect --format csv --policy p.yaml --keys p.age --out piped.csv < in.csv`,
      `${PASSPHRASE}\\n`,
    );
    expect(piped.code, piped.out).toBe(0);
    expect(place.read('piped.csv').split('\n')).toHaveLength(5);
  });

  it.skipIf(!HAS_SCRIPT)('asks twice for a new one', async () => {
    const made = await typed(
      'keys wrap keys.json --passphrase --out typed.age',
      'another long one\\n',
      'another long one\\n',
    );
    expect(made.code, made.out).toBe(0);
    place.write('another.txt', 'another long one');
    await run(0, ['keys', 'inspect', '--keys', 'typed.age'], { TREFOIL_PASSPHRASE_FILE: 'another.txt' });
    const differ = await typed(
      'keys wrap keys.json --passphrase --out y.age',
      'another long one\\n',
      'another long two\\n',
    );
    expect(differ.code).toBe(2);
    expect(differ.out).toContain('the two passphrases differ');
  });

  it.skipIf(!HAS_SCRIPT)('ends at Ctrl-C', async () => {
    const ended = await typed('keys inspect --keys p.age', '\\003');
    expect(ended.code).toBe(130);
  });
});

describe('key wrappers in arguments', () => {
  const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  it.each([
    ['vault-transit:transit/k', {}, '--to expected the name of the keyset at the end'],
    ['vault-transit:transit/k#Test', {}, '--to expected the name of the keyset at the end'],
    ['vault-transit:transit/k#test', {}, 'VAULT_ADDR is not set'],
    ['vault-transit:transit/k#test', { VAULT_ADDR: 'https://v.example' }, 'VAULT_TOKEN is not set'],
    ['vault-transit:transit/k#test', { VAULT_ADDR: 'http://v.example', VAULT_TOKEN: 't' }, 'VAULT_ADDR: '],
    [
      'vault-transit:k#test',
      { VAULT_ADDR: 'https://v.example', VAULT_TOKEN: 't' },
      'expected vault-transit:MOUNT/KEY#NAME',
    ],
  ])('%s with %o is refused', async (to, env, message) => {
    const { err } = await run(2, ['keys', 'wrap', 'keys.json', '--to', to, '--out', 'x.age'], env);
    expect(err).toContain(message);
  });

  it('AWS needs its package', async () => {
    const { err } = await run(5, ['keys', 'wrap', 'keys.json', '--to', `aws-kms:${ARN}#test`, '--out', 'x.age']);
    expect(err).toContain('aws-kms needs the package @aws-sdk/client-kms: npm install @aws-sdk/client-kms');
  });

  it('with two names of the keyset are refused', async () => {
    const env = { VAULT_ADDR: 'https://v.example', VAULT_TOKEN: 't' };
    const to = ['--to', 'vault-transit:transit/a#one', '--to', 'vault-transit:transit/b#two'];
    const { err } = await run(2, ['keys', 'wrap', 'keys.json', ...to, '--out', 'x.age'], env);
    expect(err).toContain('different names of the keyset');
  });
});

it('every command that takes --keys takes --identity', async () => {
  let taken = 0;
  for (const file of filesBelow('src/cli/commands', '.ts')) {
    const module = (await import(`${root}${file}`)) as Readonly<
      Record<string, (parent: Command, context: object) => void>
    >;
    const program = new Command();
    for (const add of Object.values(module)) add(program, {});
    const flags = program.commands[0]!.options.map(({ long }) => long);
    if (!flags.includes('--keys')) continue;
    taken++;
    expect(flags, file).toContain('--identity');
  }
  expect(taken).toBeGreaterThan(10);
});
