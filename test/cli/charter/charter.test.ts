/** `charter check`, `charter sign` and `charter show`, on a terminal where one is needed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCharter, parseCharter } from '../../../src/govern.ts';
import {
  KEYS,
  type KeyName,
  LINES,
  nextLines,
  replaced,
  signedBy,
  TEXT,
  textOf,
} from '../../govern/charter/small-charter.ts';
import { CLI, expectVoice, makePlace, type Place } from '../harness.ts';

const TERMINAL = fileURLToPath(new URL('../keys/terminal.py', import.meta.url));
const SHA256 = createHash('sha256').update(TEXT).digest('hex');
const QUESTION = 'trefoil: to sign, type the number of the version: ';

let place: Place;
const run = (...args: readonly string[]) => place.run(['charter', ...args]);

/** Runs `charter sign` on a terminal and types an answer. */
function onTerminal(args: readonly string[], answer: string | null): { code: number | null; shown: string } {
  place.write('steps.json', JSON.stringify(answer === null ? [] : [[QUESTION, `${answer}\n`]]));
  const { status, stdout } = spawnSync(
    'python3',
    [TERMINAL, place.path('steps.json'), process.execPath, CLI, 'charter', 'sign', ...args],
    { cwd: place.dir, encoding: 'utf8' },
  );
  return { code: status, shown: stdout.replaceAll('\r\n', '\n') };
}

beforeAll(async () => {
  place = makePlace();
  for (const [name, { privateKey }] of Object.entries(KEYS)) place.write(`${name}.key`, `${privateKey}\n`);
  place.write('c.txt', TEXT);
  place.write('c.note', await signedBy(TEXT, 'eva', 'fritz'));
});
afterAll(() => place.remove());

describe('charter check', () => {
  it('a charter with one thing that is not known', async () => {
    const ended = await run('check', 'c.txt');
    expect(ended.err).toBe('');
    expect(ended.code).toBe(0);
    expect(ended.out.split('\n').slice(0, 4)).toEqual([
      `eu-enclave, version 1, sha256:${SHA256}`,
      'level G2: others witness the log, so its operator cannot rewrite it unseen',
      'signed by no keeper of version 1, and 2 more must sign',
      expect.stringMatching(/^warning: line 28, space-unknown: /),
    ]);
  });

  it('with the policy whose format is meant', async () => {
    const policy = (length: number) =>
      'trefoil: 1\ndomain: eu-enclave\nfields:\n' +
      `  pan: { rule: fpe, scope: card.pan, format: { type: digits, length: ${length} } }\n`;
    place.write('large.yaml', policy(16));
    place.write('small.yaml', policy(5));
    const large = await run('check', 'c.txt', '--policy', 'large.yaml');
    expect([large.code, large.err, large.out.split('\n').length]).toEqual([0, '', 4]);
    const refused = await run('check', 'c.txt', '--policy', 'small.yaml', '--policy', 'large.yaml');
    expect(refused.code).toBe(6);
    expect(refused.out).toMatch(/^refused: line 28, code-book: /m);
    expect(refused.err).toBe('trefoil: 1 finding must be corrected: trefoil charter sign does not sign this charter\n');
    expectVoice(refused);
  });

  it('quorum none is printed first', async () => {
    place.write('none.txt', textOf(replaced('quorum', 'quorum none')));
    const { code, out } = await run('check', 'none.txt');
    expect(code).toBe(0);
    expect(out.split('\n')[1]).toMatch(/^level G1: quorum none/);
    expect(out.split('\n')[3]).toMatch(/^warning: unwitnessed: quorum none/);
  });

  it('a quorum that forks: exit code 6', async () => {
    place.write('fork.txt', textOf(replaced('group', 'group outside any NCC DPA')));
    expect((await run('check', 'fork.txt')).code).toBe(6);
    const { code, out } = await run('check', 'fork.txt', '--json');
    expect(code).toBe(6);
    expect(JSON.parse(out)).toMatchObject({
      domain: 'eu-enclave',
      version: 1,
      sha256: parseCharter(place.read('fork.txt')).sha256,
      level: 'G2',
      refused: true,
      findings: [{ level: 'refused', word: 'forks', line: 10 }, { word: 'space-unknown' }],
      signed: { previous: null, own: { keepers: [], missing: 2 } },
      changes: null,
    });
  });

  it('with the version before: what is changed, and who has signed', async () => {
    const changed = nextLines(TEXT).flatMap((line) => {
      if (line.startsWith('client')) return [line, `client etl-2 note ${KEYS.carla.verifierKey}`];
      if (line.startsWith('officer carla')) return [];
      if (line.startsWith('officer anna')) return [line.replace(' approver ', ' approver,legal ')];
      if (line.startsWith('purpose support')) return [line.replace('values 50', 'values 500')];
      return [line];
    });
    place.write('next.note', await signedBy(textOf(changed), 'eva'));
    const { code, out, err } = await run('check', 'next.note', '--previous', 'c.note');
    expect([code, err]).toEqual([0, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(2, 4)).toEqual([
      'signed by eva of version 1, and 1 more must sign',
      'signed by eva of version 2, and 1 more must sign',
    ]);
    expect(lines.slice(lines.findIndex((line) => line.startsWith('gone')))).toEqual([
      `gone: officer carla approver note ${KEYS.carla.verifierKey}`,
      'changed: officer anna',
      '  roles: was approver, is approver,legal',
      `new: client etl-2 note ${KEYS.carla.verifierKey}`,
      'changed: purpose support.call-back',
      '  values: was 50, is 500',
    ]);
    const json = JSON.parse((await run('check', 'next.note', '--previous', 'c.txt', '--json')).out);
    expect(json.signed).toEqual({ previous: { keepers: ['eva'], missing: 1 }, own: { keepers: ['eva'], missing: 1 } });
    expect(json.changes.map(({ kind }: { kind: string }) => kind)).toEqual(['gone', 'changed', 'new', 'changed']);
  });

  it('a charter that is none', async () => {
    place.write('bad.txt', TEXT.replace('quorum outside', 'quorum inside'));
    const ended = await run('check', 'bad.txt');
    expect(ended).toMatchObject({ code: 6, out: '' });
    expect(ended.err).toBe(
      'trefoil: error: bad.txt: line 10: the quorum is not a witness or group of a line before, and not none\n',
    );
    const previous = await run('check', 'c.txt', '--previous', 'c.txt');
    expect([previous.code, previous.out]).toEqual([6, '']);
    expect(previous.err).toMatch(/^trefoil: error: c\.txt: line 2: the charter is not newer/);
    place.write('large.txt', 'x'.repeat(40_000));
    expect((await run('check', 'large.txt')).code).toBe(6);
    expect((await run('check', 'nothing.txt')).code).toBe(5);
    expect((await run('check', '-', '--previous', '-')).code).toBe(2);
    expect((await place.bash('$T charter check - < c.txt')).code).toBe(0);
  });
});

describe('charter sign', () => {
  const sign = (name: KeyName, answer: string | null, ...args: readonly string[]) =>
    onTerminal([...args, '--key', `${name}.key`], answer);

  it('shows the whole text, and writes the note after the number of the version is typed', () => {
    const { code, shown } = sign('eva', '1', 'c.txt', '--out', 'made.note');
    expect(shown).toContain('trefoil: wrote made.note, signed by eva\n');
    expect(code).toBe(0);
    for (const [i, line] of LINES.entries()) expect(shown).toContain(`  ${String(i + 1).padStart(2)}  ${line}\n`);
    expect(shown).toContain('this is the first version\n');
    expect(shown).toContain('you sign as eva\n');
    expect(shown).toMatch(/^warning: line 28, space-unknown/m);
    expect(place.read('c.txt')).toBe(TEXT);
    // The second keeper signs the same file.
    expect(sign('fritz', '1', 'made.note').shown).toContain('signed by eva of version 1, and 1 more must sign\n');
    expect(openCharter(place.read('made.note'), { sha256: SHA256 }).version).toBe(1);
    expect(place.files().filter((name) => name.includes('part') || name.includes('tmp'))).toEqual([]);
  });

  it.each([
    ['another number', '2'],
    ['a word', 'yes'],
    ['nothing', ''],
  ])('signs nothing after %s', (_, answer) => {
    const { code, shown } = sign('eva', answer, 'c.txt', '--out', 'never.note');
    expect(shown).toContain('what was typed is not the number of the version; nothing was signed');
    expect(code).toBe(2);
    expect(place.files()).not.toContain('never.note');
  });

  it('asks nothing where there is no terminal', async () => {
    const { code, err, out } = await place.bash('setsid $T charter sign c.txt --key eva.key --out never.note < c.txt');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('there is no terminal');
    expect(err).toContain('no option answers in place of the signer');
    expect((await run('sign', 'c.txt', '--key', 'eva.key', '--yes')).err).toContain('unknown option --yes');
  });

  it('the next version, with keepers of both', async () => {
    const lines = nextLines(TEXT).map((line) =>
      line.startsWith('officer fritz') ? `officer fritz approver note ${KEYS.fritz.verifierKey}` : line,
    );
    place.write('two.txt', textOf(lines));
    expect((await run('sign', 'two.txt', '--key', 'eva.key')).err).toContain('--previous FILE is required');
    const eva = sign('eva', '2', 'two.txt', '--previous', 'c.note', '--out', 'two.note');
    expect(eva.code, eva.shown).toBe(0);
    expect(eva.shown).toContain('  changed: officer fritz\n    roles: was keeper, is approver\n');
    // Fritz is a keeper of version 1 alone, and signs for it. Gerd is one of both.
    expect(sign('fritz', '2', 'two.note', '--previous', 'c.note').code).toBe(0);
    const previous = openCharter(place.read('c.note'), { sha256: SHA256 });
    expect(() => openCharter(place.read('two.note'), { previous })).toThrow(/1 more of version 2/);
    expect(sign('gerd', '2', 'two.note', '--previous', 'c.note').code).toBe(0);
    expect(openCharter(place.read('two.note'), { previous }).version).toBe(2);
  });

  it.each([
    ['somebody who is no keeper', ['c.txt', '--key', 'anna.key'], 6, 'no keeper of the charter has this key'],
    ['a private key of a witness', ['c.txt', '--key', 'ncc.key'], 4, 'for cosignatures'],
    ['without a key', ['c.txt'], 2, 'set either --key FILE or --ssh FILE'],
    ['two keys', ['c.txt', '--key', 'eva.key', '--ssh', 'x'], 2, 'set either --key FILE or --ssh FILE'],
    ['a key that has signed', ['c.note', '--key', 'eva.key'], 7, 'signed the note already'],
    ['standard input', ['-', '--key', 'eva.key'], 2, 'signed in files'],
    ['a charter that check refuses', ['fork.txt', '--key', 'eva.key'], 6, 'without a common member'],
    ['a handle of nobody', ['c.txt', '--key', 'eva.key', '--handle', 'anna'], 6, 'no keeper of the charter'],
    ["another keeper's handle", ['c.txt', '--key', 'eva.key', '--handle', 'fritz'], 6, 'no keeper of the charter'],
  ])('refuses %s', async (_, args, expected, message) => {
    const { code, shown } = onTerminal(args, message.includes('already') ? '1' : null);
    expect(shown).toContain(message);
    expect(code).toBe(expected);
  });

  it('refuses to sign below a broken signature', async () => {
    const other = await signedBy(textOf(replaced('domain', 'domain other')), 'gerd');
    place.write('broken.note', `${place.read('c.note')}${other.slice(other.lastIndexOf('\n', other.length - 2) + 1)}`);
    const { code, shown } = onTerminal(['broken.note', '--key', 'gerd.key'], null);
    expect(shown).toContain('does not verify');
    expect(code).toBe(7);
  });

  it('a key of OpenSSH', async () => {
    const made = await place.bash("ssh-keygen -q -t ed25519 -N '' -C '' -f ssh && cut -d' ' -f1,2 ssh.pub");
    expect(made.code, made.err).toBe(0);
    const lines = replaced('officer gerd', `officer gerd keeper ssh ${made.out.trim()}`);
    place.write('s.txt', textOf(lines));
    const signed = onTerminal(['s.txt', '--ssh', 'ssh', '--out', 's.note'], '1');
    expect(signed.shown).toContain('wrote s.note, signed by gerd');
    expect(signed.code).toBe(0);
    expect(onTerminal(['s.note', '--key', 'eva.key'], '1').code).toBe(0);
    const sha256 = parseCharter(textOf(lines)).sha256;
    expect(openCharter(place.read('s.note'), { sha256 }).version).toBe(1);
    // ssh-keygen itself finds the signature good, by the file of allowed signers that trefoil writes.
    const script =
      '$T charter show s.note --as allowed-signers > allowed 2>/dev/null && ' +
      "line=$(grep '^— gerd ' s.note | cut -d' ' -f3) && " +
      '(echo "-----BEGIN SSH SIGNATURE-----"; echo "$line" | base64 -d | tail -c +5 | base64 -w70; ' +
      'echo "-----END SSH SIGNATURE-----") > s.sig && ' +
      'ssh-keygen -Y verify -f allowed -I gerd -n charter@trefoil -s s.sig < s.txt';
    const verified = await place.bash(script);
    expect(verified.out, verified.err).toMatch(/^Good "charter@trefoil" signature for gerd/);
    expect((await place.bash(script.replace('-n charter', '-n warrant'))).code).not.toBe(0);
  });
});

describe('charter show', () => {
  it('says what the charter says', async () => {
    const { code, out, err } = await run('show', 'c.note', '--sha256', SHA256);
    expect([code, err]).toEqual([0, '']);
    for (const line of [
      'signed by eva, fritz of version 1, which suffices',
      `  anna: approver; note key ${KEYS.anna.verifierKey}`,
      `  chris-desk of chris; ${KEYS.chrisDesk.verifierKey}`,
      '  support.call-back (dpv:CustomerCare): reveal of vault:people/person.name, vault:people/person.phone',
      '    approved by 1 approver; up to 50 values, up to 10 people, within 12 hours; witnessed within 1 hour; ' +
        'the person may be told after 7 days',
      '  safety-of-life (break-glass): reveal of vault:people/person.phone',
      '    ratified within 3 days by 2 approvers',
      '    at most 3 by one requester and 5 by all in 7 days',
      '    unbound: whose values are opened is the word of the desk',
      '  etl-1: protect of token:person.email, 2,000,000 values in 1 day',
      '  each desk: reveal of all scopes together, 200 values in 1 day',
      `warrants about protected people also need 1 legal; sha256:${'5f'.repeat(32)}`,
      'alert: 3 warrants about one person in 30 days',
      'alert: uses before 6:00 or from 20:00 UTC',
      'the next version needs 2 keepers of this one',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
  });

  it('warns that its own signatures do not say whose it is', async () => {
    const { code, err } = await run('show', 'c.note');
    expect(code).toBe(0);
    expect(err).toMatch(/^trefoil: the charter names its own keepers/);
    const after = await run('show', 'two.note', '--previous', 'c.note');
    expect(after.code).toBe(0);
    expect(after.err).toContain(
      `the version before is taken from c.note as it is: sha256:${SHA256}; compare its digest`,
    );
  });

  it('writes the policy of the log for other tools', async () => {
    const { out } = await run('show', 'c.note', '--as', 'log-policy', '--sha256', `sha256:${SHA256}`);
    expect(out).toBe(parseCharter(TEXT).logPolicyText);
  });

  it.each([
    [['c.txt'], 6],
    [['c.note', '--sha256', '0'.repeat(64)], 6],
    [['c.note', '--sha256', 'x'], 2],
    [['c.note', '--as', 'yaml'], 2],
    [['c.note', '--previous', 'c.note'], 6],
    [['two.note', '--previous', 'c.note'], 0],
    [['next.note', '--previous', 'c.note'], 6],
  ])('%j ends with %i', async (args, code) => {
    const ended = await run('show', ...args);
    expect(ended.code, ended.err).toBe(code);
    if (code !== 0) expect(ended.out).toBe('');
  });
});
