/** `trefoil warrant` as a process: asking, showing, agreeing on a terminal, refusing, ratifying. */
import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  notePartySigner,
  openCharter,
  parseCharter,
  parseWarrant,
  verifyRatification,
  verifyRefusal,
  verifyWarrant,
} from '../../../src/govern.ts';
import { newNoteKey, noteSigner, signNote } from '../../../src/log.ts';
import { CLI, type Ended, expectVoice, makePlace, type Place } from '../harness.ts';

const DRIVER = fileURLToPath(new URL('../keys/terminal.py', import.meta.url));
const HAS_SSH = (() => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ENOENT';
  }
})();

let place: Place;
let digest = '';

/** What no message and no output but the request itself may contain. */
const PRIVATE = ['10017', 'cust_', 'called back'];

const PURPOSES = `purpose support.call-back dpv:CustomerCare verb reveal scopes seal:person.name,seal:person.phone approvals 2:approver values 50 subjects 10 hours 12 witnessed before show 7d unbound
purpose move.keys verb rekey scopes seal:person.name approvals 1:approver values any hours 24 witnessed before show never
glass safety-of-life verb reveal scopes seal:person.name approvals none values 20 subjects 5 hours 1 witnessed 5m ratify 3d 1:approver at-most 3 9 per 7d show 30d unbound
`;

async function writeCharter(name: string, version: string): Promise<void> {
  const keys = new Map(
    ['log', 'anna', 'bela', 'chris', 'eva', 'desk'].map((who) => [who, newNoteKey(`${who}.example`)] as const),
  );
  for (const [who, { privateKey }] of keys) place.write(`${who}.key`, `${privateKey}\n`);
  const note = (who: string) => `note ${keys.get(who)!.verifierKey}`;
  const dora = HAS_SSH ? `officer dora approver ssh ${place.read('dora.pub').split(' ').slice(0, 2).join(' ')}\n` : '';
  const text =
    `trefoil charter v1\nversion ${version}\ndomain eu-enclave\nsubject person\nlog ${keys.get('log')!.verifierKey}\n` +
    `quorum none\nofficer anna approver ${note('anna')}\nofficer bela approver ${note('bela')}\n` +
    `officer chris requester ${note('chris')}\n${dora}officer eva keeper ${note('eva')}\n` +
    `desk chris-desk of chris ${note('desk')}\ncase shown\n${PURPOSES}change 1:keeper\n`;
  place.write(name, await signNote(text, [noteSigner(keys.get('eva')!.privateKey)]));
  digest = parseCharter(text).sha256;
}

beforeAll(async () => {
  place = makePlace();
  if (HAS_SSH) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'dora', '-f', place.path('dora')]);
  await writeCharter('c.note', '1');
  place.write('people.txt', '10017\n10018\n');
  place.write('tokens.txt', 'cust_0123456789\n');
  place.write('why.txt', 'The customer asks\nto be called back.\n');
  place.write('stranger.key', `${newNoteKey('stranger.example').privateKey}\n`);
});
afterAll(() => place.remove());

const CHARTER = ['--charter', 'c.note'] as const;
const pinned = (): readonly string[] => [...CHARTER, '--charter-sha256', digest];

/** The arguments of a request, with some of them replaced, and without those that are null. */
function asking(out: string, changed: Record<string, string | null> = {}): string[] {
  const usual: Record<string, string | null> = {
    '--charter': 'c.note',
    '--charter-sha256': digest,
    '--purpose': 'support.call-back',
    '--case': 'TICKET-20817',
    '--scope': 'seal:person.name',
    '--subject-texts': 'people.txt',
    '--values': '4',
    '--hours': '12',
    '--desk': 'chris-desk',
    '--reason-file': 'why.txt',
    '--key': 'chris.key',
    '--out': out,
  };
  const args = Object.entries({ ...usual, ...changed }).flatMap(([flag, value]) =>
    value === null ? [] : [flag, value],
  );
  return ['warrant', 'new', ...args];
}

/** Runs trefoil on a terminal of its own, and types. */
function onTerminal(
  args: readonly string[],
  steps: readonly (readonly [shown: string, typed: string])[],
): Promise<Ended> {
  place.write('steps.json', JSON.stringify(steps));
  const command = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ');
  return place.bash(`python3 '${DRIVER}' steps.json ${command}`);
}
const typing = (text: string) => [['type the number of the case: ', `${text}\r`]] as const;

const now = () => Math.floor(Date.now() / 1000);
const charter = () => openCharter(place.read('c.note'), { sha256: digest });
const verified = (name: string) =>
  verifyWarrant(place.read(`${name}.note`), { charter: charter(), dossier: place.read(`${name}.dossier`), now: now() });

describe('asking', () => {
  test('writes the warrant and the dossier, which their owner alone can read, and never over others', async () => {
    const made = await place.run(asking('a.note'));
    expect([made.code, made.out]).toEqual([0, '']);
    expectVoice(made, PRIVATE);
    expect(made.err).toContain('wrote a.note, signed by chris, and a.dossier, which is private');
    expect(made.err).toContain('2 approvals to go');
    for (const name of ['a.note', 'a.dossier']) expect(statSync(place.path(name)).mode & 0o777).toBe(0o600);
    expect(place.read('a.note')).not.toMatch(/10017|called/);
    expect(JSON.parse(place.read('a.dossier'))).toMatchObject({
      case: 'TICKET-20817',
      subjects: [{ text: '10017' }, { text: '10018' }],
      reason: 'The customer asks to be called back.',
    });
    const before = [place.read('a.note'), place.read('a.dossier')];
    expect((await place.run(asking('a.note'))).code).toBe(5);
    expect([place.read('a.note'), place.read('a.dossier')]).toEqual(before);
    // If only the dossier is there, the warrant is not written either.
    rmSync(place.path('a.note'));
    expect((await place.run(asking('a.note'))).code).toBe(5);
    expect(place.files()).not.toContain('a.note');
  });

  test('takes tokens, several scopes, and whole tables', async () => {
    const tokens = { '--subject-texts': null, '--subjects': 'tokens.txt' };
    const two = [...asking('t.note', tokens), '--scope', 'seal:person.phone'];
    expect((await place.run(two)).code).toBe(0);
    expect(parseWarrant(place.read('t.note')).scopes).toEqual(['seal:person.name', 'seal:person.phone']);
    expect(place.read('t.dossier')).toContain('[{"token":"cust_0123456789"}]');
    const bulk = { '--purpose': 'move.keys', '--subject-texts': null, '--values': 'any', '--hours': '24' };
    expect((await place.run(asking('b.note', bulk))).code).toBe(0);
    expect(parseWarrant(place.read('b.note'))).toMatchObject({ verb: 'rekey', values: null, subjects: null });
  });

  test('says that a charter without a pin is taken as it is, and refuses another one with a pin', async () => {
    const unpinned = await place.run(asking('u.note', { '--charter-sha256': null }));
    expect(unpinned.code).toBe(0);
    expect(unpinned.err).toContain(`is taken from c.note as it is: version 1, sha256:${digest}; compare it, or pin it`);
    const other = await place.run(asking('o.note', { '--charter-sha256': '0'.repeat(64) }));
    expect([other.code, other.err]).toEqual([
      6,
      expect.stringContaining('c.note: the charter is not the one that is pinned'),
    ]);
    const draft = place.read('c.note');
    place.write('draft.txt', draft.slice(0, draft.indexOf('\n\n') + 1));
    expect((await place.run(asking('d.note', { '--charter': 'draft.txt' }))).code).toBe(6);
  });

  type Row = readonly [what: string, changed: Record<string, string | null>, code: number, words: string];
  const rows: readonly Row[] = [
    ['an unknown purpose', { '--purpose': 'curiosity' }, 6, 'the charter does not have this purpose'],
    ['too many values', { '--values': '51' }, 6, 'the warrant asks for more values than its purpose allows'],
    ['too many hours', { '--hours': '13' }, 6, 'valid for longer than its purpose allows'],
    ['a scope that is not one of it', { '--scope': 'seal:person.mail' }, 6, 'scope 1 of the warrant is not one of its'],
    ['nobody', { '--subject-texts': null }, 6, 'any number of people, which its purpose does not allow'],
    ['a key of nobody', { '--key': 'stranger.key' }, 6, 'the charter has no officer with this key'],
    ['an approver', { '--key': 'anna.key' }, 6, 'the officer who asks does not have the role requester'],
    ['a desk that is not there', { '--desk': 'other' }, 6, 'the desk of the warrant is not in the charter'],
    ['--purpose for break-glass', { '--purpose': 'safety-of-life' }, 2, 'the purpose is one of break-glass'],
    ['--glass for another', { '--purpose': null, '--glass': 'move.keys' }, 2, 'the purpose is not one of break-glass'],
    ['neither', { '--purpose': null }, 2, 'set either --purpose NAME or --glass NAME'],
    ['a case with a space', { '--case': 'TICKET 1' }, 2, '--case expected 1 to 64 characters'],
    ['values 1e9', { '--values': '1e9' }, 2, '--values expected a whole number from 1 to 1000000, or any'],
    ['745 hours', { '--hours': '745' }, 2, '--hours expected a whole number from 1 to 744'],
    ['no key', { '--key': null }, 2, 'set either --key FILE or --ssh FILE'],
    ['no out', { '--out': null }, 2, '--out FILE is required'],
    ['standard output', { '--out': '-' }, 2, 'because the dossier is written beside it'],
    ['people of both kinds', { '--subjects': 'tokens.txt' }, 2, 'set either --subjects FILE or --subject-texts FILE'],
    ['a scope without a kind', { '--scope': 'person.name' }, 6, 'the line "scopes" expected KIND:[STORE/]SCOPE'],
    ['a missing file of people', { '--subject-texts': 'nothing.txt' }, 5, 'nothing.txt'],
  ];
  test.each(rows)('is refused with %s', async (_, changed, code, words) => {
    const ended = await place.run(asking('refused.note', changed));
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(ended.err).toContain(words);
    expectVoice(ended, [...PRIVATE, 'curiosity']);
    expect(place.files().filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  test('is refused for reasons and people that are none', async () => {
    place.write('dots.txt', '..........\n');
    const dots = await place.run(asking('refused.note', { '--reason-file': 'dots.txt' }));
    expect([dots.code, dots.err]).toEqual([6, expect.stringContaining('fewer than three different letters')]);
    for (const [text, words] of [
      ['10017\n10017\n', '--subjects has the person at place 2 twice'],
      ['10017\n\n10018\n', 'line 2: the line is empty'],
      ['10017\n 10018\n', 'line 2: the line begins or ends with white space'],
      ['10017\tAda\n', 'line 1: the line contains a control character'],
      ['', '--subjects expected 1 to 1000 people'],
      [Array.from({ length: 1001 }, (_, i) => `${i}\n`).join(''), 'line 1001: a warrant is about at most 1000 people'],
    ] as const) {
      place.write('odd.txt', text);
      const ended = await place.run(asking('refused.note', { '--subject-texts': 'odd.txt' }));
      expect(ended.code, words).not.toBe(0);
      expect(ended.err).toContain(words);
      expectVoice(ended, PRIVATE);
    }
  });
});

describe('agreeing', () => {
  test('shows the whole request and its text, asks for the case, and makes the warrant valid', async () => {
    expect((await place.run(asking('w.note'))).code).toBe(0);
    const open = await place.run(['warrant', 'show', 'w.note', ...pinned()]);
    expect([open.code, open.err]).toEqual([6, 'trefoil: error: signatures are missing: 2 of the role approver\n']);
    for (const words of ['2 of up to 10 people', '1. text "10017"', '4 of up to 50 values', 'called back', 'missing']) {
      expect(open.out).toContain(words);
    }
    const first = await onTerminal(
      ['warrant', 'sign', 'w.note', ...pinned(), '--key', 'anna.key'],
      typing('TICKET-20817'),
    );
    expect(first.code, first.out).toBe(0);
    for (const words of ['you sign as anna', '1. text "10017"', 'dossier sha256:', 'wrote w.note, signed by anna']) {
      expect(first.out).toContain(words);
    }
    for (const line of parseWarrant(place.read('w.note')).text.trimEnd().split('\n')) expect(first.out).toContain(line);
    const by = HAS_SSH ? ['--ssh', 'dora'] : ['--key', 'bela.key'];
    const second = await onTerminal(['warrant', 'sign', 'w.note', ...pinned(), ...by], typing('TICKET-20817'));
    expect(second.code, second.out).toBe(0);
    expect(second.out).toContain('missing         1 of the role approver');
    expect(verified('w').approvers.length).toBe(2);
    expect(statSync(place.path('w.note')).mode & 0o777).toBe(0o600);
    const valid = await place.run(['warrant', 'show', 'w.note', ...pinned()]);
    expect([valid.code, valid.err]).toEqual([0, 'trefoil: the warrant is valid now, and signed by all who have to\n']);
    const json = await place.run(['warrant', 'show', 'w.note', ...pinned(), '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ valid: true, requester: 'chris', values: 4, subjects: 2 });
    expect(json.out).not.toMatch(/10017|called/);
  });

  test('without a terminal, or with another case, nothing is signed', async () => {
    expect((await place.run(asking('n.note'))).code).toBe(0);
    const before = place.read('n.note');
    const sign = ['warrant', 'sign', 'n.note', ...pinned(), '--key', 'anna.key'];
    // `setsid` takes the terminal of the tests away, if they have one.
    const line = ['setsid', '-w', process.execPath, CLI, ...sign].map((arg) => `'${arg}'`).join(' ');
    const blind = await place.bash(`echo TICKET-20817 | ${line}`);
    expect([blind.code, blind.err]).toEqual([2, expect.stringContaining('there is no terminal to show the text on')]);
    for (const typed of ['TICKET-20818', 'y', '']) {
      const ended = await onTerminal(sign, typing(typed));
      expect(ended.code, typed).toBe(2);
      expect(ended.out).toContain('nothing was signed');
    }
    expect(place.read('n.note')).toBe(before);
  });

  test('is refused to the requester, to strangers, to keepers, and for another dossier, without a question', async () => {
    expect((await place.run(asking('r.note'))).code).toBe(0);
    const sign = (by: string, ...more: string[]) =>
      onTerminal(['warrant', 'sign', 'r.note', ...pinned(), '--key', by, ...more], []);
    for (const [by, more, words] of [
      ['chris.key', [], 'the requester has signed already'],
      ['stranger.key', [], 'the charter has no officer with this key'],
      ['eva.key', [], 'the officer has no role that the purpose demands'],
      ['anna.key', ['--dossier', 'w.dossier'], 'the dossier is not the one of this warrant'],
    ] as const) {
      const ended = await sign(by, ...more);
      expect(ended.code, words).toBe(6);
      expect(ended.out).toContain(words);
      expect(ended.out).not.toContain('type the number');
    }
  });

  test('to --out leaves the file as it was', async () => {
    expect((await place.run(asking('x.note'))).code).toBe(0);
    const before = place.read('x.note');
    const args = ['warrant', 'sign', 'x.note', ...pinned(), '--key', 'anna.key', '--out', 'y.note'];
    expect((await onTerminal(args, typing('TICKET-20817'))).code).toBe(0);
    expect(place.read('x.note')).toBe(before);
    expect(place.read('y.note').startsWith(before)).toBe(true);
  });

  test('a warrant that was changed is refused', async () => {
    place.write('z.note', place.read('w.note').replace('values 4', 'values 5'));
    place.write('z.dossier', place.read('w.dossier'));
    const shown = await place.run(['warrant', 'show', 'z.note', ...pinned()]);
    expect([shown.code, shown.out]).toEqual([7, '']);
    expect(shown.err).toContain('z.note: line 18: the signature by a known key does not verify');
  });

  test('without its dossier, a warrant is shown and not judged', async () => {
    place.write('alone.note', place.read('w.note'));
    const shown = await place.run(['warrant', 'show', 'alone.note', ...pinned()]);
    expect([shown.code, shown.out]).toEqual([9, expect.stringContaining('(the dossier is not here)')]);
    expect(shown.err).toContain('nobody can say whether the warrant is valid');
  });
});

describe('refusing', () => {
  test('makes a note of its own, by those who could approve', async () => {
    const refuse = (by: string, why: string, out = 'w.refusal') =>
      place.run(['warrant', 'refuse', 'w.note', ...pinned(), '--key', by, '--why', why, '--out', out]);
    const made = await refuse('bela.key', 'The ticket was closed in March.');
    expect([made.code, made.out]).toEqual([0, '']);
    const warrant = parseWarrant(place.read('w.note'));
    expect(verifyRefusal(place.read('w.refusal'), { charter: charter(), warrant }).officer.handle).toBe('bela');
    const piped = await refuse('eva.key', 'The ticket was closed in March.', '-');
    expect(verifyRefusal(piped.out, { charter: charter(), warrant }).officer.handle).toBe('eva');
    expect((await refuse('chris.key', 'I changed my mind.', 'no.refusal')).code).toBe(6);
    expect((await refuse('bela.key', 'no', 'no.refusal')).code).toBe(6);
    expect((await refuse('bela.key', 'The ticket was closed in March.')).code).toBe(5);
    expect(place.files()).not.toContain('no.refusal');
  });
});

describe('break-glass', () => {
  const GLASS = { '--purpose': null, '--glass': 'safety-of-life', '--hours': '1' };

  test('needs nobody else, and its uses are ratified afterwards', async () => {
    const asked = await place.run(asking('g.note', GLASS));
    expect([asked.code, asked.err]).toEqual([0, expect.not.stringContaining('to go')]);
    expect(verified('g').purpose.isGlass).toBe(true);
    place.write('uses.txt', `811 sha256:${'1'.repeat(64)}\n812 sha256:${'2'.repeat(64)}\n`);
    const why = 'An ambulance was on its way.';
    const ratify = (by: string, ...more: string[]) => [
      'warrant',
      'sign',
      'g.note',
      ...pinned(),
      '--key',
      by,
      '--ratify',
      'agreed.note',
      ...more,
    ];
    const missing = await onTerminal(ratify('anna.key'), []);
    expect([missing.code, missing.out]).toEqual([2, expect.stringContaining('to make it, set --uses FILE and --why')]);
    const first = await onTerminal(ratify('anna.key', '--uses', 'uses.txt', '--why', why), typing('TICKET-20817'));
    expect(first.code, first.out).toBe(0);
    for (const words of ['you ratify as anna', 'BREAK-GLASS', 'entry 812 of the log', why]) {
      expect(first.out).toContain(words);
    }
    const warrant = parseWarrant(place.read('g.note'));
    const about = { charter: charter(), warrant };
    expect(verifyRatification(place.read('agreed.note'), about).ratification.uses.map(({ index }) => index)).toEqual([
      811, 812,
    ]);
    const again = await onTerminal(ratify('bela.key', '--uses', 'uses.txt', '--why', why), []);
    expect([again.code, again.out]).toEqual([2, expect.stringContaining('--uses and --why are for a new one')]);
    const second = await onTerminal(ratify('bela.key'), typing('TICKET-20817'));
    expect(second.code, second.out).toBe(0);
    expect(place.read('agreed.note').match(/^— /gm)?.length).toBe(2);
    const own = await onTerminal(ratify('chris.key'), typing('TICKET-20817'));
    expect([own.code, own.out]).toEqual([6, expect.stringContaining('the requester cannot ratify their own uses')]);
  });

  test('uses that are none', async () => {
    place.write('odd-uses.txt', `811 sha256:${'1'.repeat(63)}\n`);
    const args = ['--key', 'anna.key', '--ratify', 'r2.note', '--uses', 'odd-uses.txt', '--why', 'An ambulance came.'];
    const ended = await onTerminal(['warrant', 'sign', 'g.note', ...pinned(), ...args], []);
    expect(ended.code).toBe(6);
    expect(ended.out).toContain('odd-uses.txt: line 1: expected the index of an entry');
  });
});

describe.runIf(HAS_SSH)('ssh-keygen', () => {
  test('verifies an approval by the recipe of the page', async () => {
    const note = place.read('w.note');
    const text = parseWarrant(note).text;
    place.write('w.text', text);
    place.write('allowed_signers', `dora namespaces="warrant@trefoil" ${place.read('dora.pub')}`);
    // The recipe of docs/spec/govern/warrant-v1.md.
    const recipe =
      `{ echo '-----BEGIN SSH SIGNATURE-----'; grep '^— dora ' w.note | cut -d' ' -f3 | base64 -d | tail -c +5 | ` +
      `base64 -w 70; echo '-----END SSH SIGNATURE-----'; } > w.sig; ` +
      'ssh-keygen -Y verify -f allowed_signers -I dora -n warrant@trefoil -s w.sig';
    const page = await place.bash(`${recipe} < w.text`);
    expect([page.code, page.out]).toEqual([0, expect.stringContaining('Good "warrant@trefoil" signature for dora')]);
    expect((await place.bash(`${recipe} < w.dossier`)).code).not.toBe(0);
  });

  test('a key that the charter has as a note key does not sign as one of OpenSSH', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', place.path('other')]);
    const ended = await onTerminal(['warrant', 'sign', 'w.note', ...pinned(), '--ssh', 'other'], []);
    expect([ended.code, ended.out]).toEqual([6, expect.stringContaining('no officer with this key of OpenSSH')]);
  });
});

test('the signer of a key file is that of the library', () => {
  expect(notePartySigner(place.read('anna.key')).handle).toBe(null);
});
