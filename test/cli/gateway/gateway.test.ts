/** `trefoil gateway` as a process, and `protect` and `reveal` through it: sockets, signals, kills, refusals. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addSignature, newWarrant, notePartySigner, openCharter, parseCharter } from '../../../src/govern.ts';
import { newNoteKey, noteSigner, openLog, readEntry, signNote } from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';
import { type Ended, expectVoice, json, makePlace, type Place } from '../harness.ts';

let place: Place;
let pin = '';
let charterNote = '';
const running: ChildProcess[] = [];
const KEYS = new Map(
  ['log', 'answers', 'anna', 'chris', 'eva', 'desk', 'other', 'etl'].map((who) => [who, newNoteKey(`${who}.example`)]),
);
const vkey = (who: string) => KEYS.get(who)!.verifierKey;

const ROWS = Array.from({ length: 2300 }, (_, i) => [String(i), `Person Nr ${i}`, `KA${String(10000 + i)}`, 'Oslo']);
const CSV = `${[['id', 'name', 'plate', 'city'], ...ROWS].map((row) => row.join(',')).join('\n')}\n`;

const GATEWAY = [
  'gateway',
  ...['--keys', 'keys.json', '--charter', 'c.note', '--log', 'log', '--head', 'head', '--log-key', 'log.key'],
  ...['--shard-key', 'shard.key', '--answers-key', 'answers.key'],
];
const FAR = ['--gateway', 'unix:g.sock', '--charter', 'c.note'];

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly line: string;
}

async function start(...more: string[]): Promise<Started> {
  const { child, ended } = place.start([...GATEWAY, '--charter-sha256', pin, ...more]);
  running.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(text.trim());
    });
    ended.then(({ err }) => reject(new Error(err)), reject);
  });
  return { child, ended, line };
}

async function writeWarrant(name: string, purpose: object): Promise<void> {
  const charter = openCharter(charterNote, { sha256: pin });
  const request = {
    purpose: 'bulk.copy',
    requester: 'chris',
    desk: 'chris-desk',
    case: 'TICKET-20817',
    scopes: ['fpe:car', 'seal:person.name'],
    values: null,
    subjects: null,
    reason: 'The table is copied to the archive.',
    seconds: 12 * 3600,
    ...purpose,
  };
  const { warrant, dossier } = newWarrant(request, { charter, now: Math.floor(Date.now() / 1000) });
  let note = warrant.text;
  for (const who of ['chris', 'anna']) {
    note = addSignature(note, await notePartySigner(KEYS.get(who)!.privateKey).sign(warrant.text, 'warrant@trefoil'));
  }
  place.write(`${name}.note`, note);
  place.write(`${name}.dossier`, dossier);
}

beforeAll(async () => {
  place = makePlace();
  for (const [who, { privateKey }] of KEYS) place.write(`${who}.key`, `${privateKey}\n`);
  place.write('shard.key', `${randomBytes(32).toString('hex')}\n`);
  await place.run(['keys', 'new', '--out', 'keys.json']);
  const inspected = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', 'eu-enclave', '--json']);
  const [facts] = json(inspected.out.replace(/\n\s*/g, ''));
  place.write(
    'p.yaml',
    `trefoil: 1\ndomain: eu-enclave\nkeyCheck: ${JSON.stringify(facts.keyCheck ?? facts.domains?.[0]?.keyCheck)}\n` +
      'subject: id\nfields:\n  id: { rule: token, scope: person, label: cust }\n' +
      '  name: { rule: seal, scope: person.name }\n' +
      '  plate: { rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }\n  city: keep\n',
  );
  const note = (who: string) => `note ${vkey(who)}`;
  const text = `trefoil charter v1
version 1
domain eu-enclave
subject person
log ${vkey('log')}
answers ${vkey('answers')}
quorum none
officer anna approver ${note('anna')}
officer chris requester ${note('chris')}
officer eva keeper ${note('eva')}
desk chris-desk of chris ${note('desk')}
desk other-desk of chris ${note('other')}
client etl ${note('etl')}
case shown
purpose bulk.copy verb reveal scopes fpe:car,seal:person.name approvals 1:approver values any hours 12 witnessed no show never unbound
rate client etl protect * 100000 per 1h
change 1:keeper
`;
  charterNote = await signNote(text, [noteSigner(KEYS.get('eva')!.privateKey)]);
  place.write('c.note', charterNote);
  pin = parseCharter(text).sha256;
  place.write('people.csv', CSV);
  await writeWarrant('w', {});
  const made = await place.run([
    'protect',
    'people.csv',
    '--policy',
    'p.yaml',
    '--keys',
    'keys.json',
    '--out',
    'safe.csv',
  ]);
  expect(made.err).toMatch(/2,300 rows in/);
});

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  place.remove();
});

const revealAs = (holder: string, ...more: string[]) =>
  place.run([
    ...['reveal', 'safe.csv', '--policy', 'p.yaml', ...FAR, '--warrant', 'w.note', '--holder', holder, ...more],
  ]);

/** The entries of the log of these tests, when no gateway runs. */
async function entries() {
  const found = [];
  const store = logFolder(place.path('log'), { head: place.path('head') });
  const log = await openLog(store, { signer: noteSigner(KEYS.get('log')!.privateKey) });
  for await (const bytes of log.entries()) found.push(readEntry(bytes).event!);
  await log.close();
  return found;
}

describe('files through a gateway', () => {
  test('are what the keys would make here, and every value is in the log before', async () => {
    const { child, ended, line } = await start('--listen', 'unix:g.sock', '--new');
    expect(line).toBe('unix:g.sock');
    const protectedFar = await place.run([
      ...['protect', 'people.csv', '--policy', 'p.yaml', ...FAR, '--holder', 'etl.key', '--out', 'far.csv'],
    ]);
    expect(protectedFar).toMatchObject({ code: 0, out: '' });
    expectVoice(protectedFar, ['Person Nr', 'KA1']);
    expect(place.read('far.csv')).toBe(place.read('safe.csv'));
    const back = await revealAs('desk.key', '--charter-sha256', pin, '--out', 'back.csv');
    expect(back.code, back.err).toBe(0);
    expect(place.read('back.csv').replace(/^(cust_[^,]+)/gm, '')).toBe(CSV.replace(/^[0-9]+/gm, ''));
    child.kill('SIGTERM');
    const gone = await ended;
    expect(gone.code, gone.err).toBe(0);
    expectVoice(gone, ['Person Nr', 'KA1']);
    const uses = (await entries()).flatMap((event) => (event.kind === 'use' ? [event] : []));
    const total = uses.flatMap(({ scopes }) => Object.values(scopes)).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(2 * ROWS.length);
  });

  test('are refused to another desk, and to a client that reveals', async () => {
    const { child, ended } = await start('--listen', 'unix:g.sock');
    for (const holder of ['other.key', 'etl.key']) {
      const ended = await revealAs(holder, '--out', 'no.csv');
      expect(ended).toMatchObject({ code: 6, out: '' });
      expect(ended.err).toContain('trefoil: error: the gateway refuses');
    }
    const unknown = await revealAs('eva.key', '--out', 'no.csv');
    expect(unknown.code).toBe(6);
    expect(place.files()).not.toContain('no.csv');
    child.kill('SIGKILL');
    await ended;
  });

  test('of a gateway that is killed hold nothing that the log does not have', async () => {
    for (let round = 0; round < 4; round++) {
      const before = (await entries()).filter(({ kind }) => kind === 'use').length;
      const { child, ended } = await start('--listen', 'unix:g.sock');
      const run = place.start([
        ...['reveal', 'safe.csv', '--policy', 'p.yaml', ...FAR, '--warrant', 'w.note', '--holder', 'desk.key'],
      ]);
      run.child.stdin!.end();
      let released = '';
      run.child.stdout!.on('data', (chunk) => {
        released += chunk;
      });
      await new Promise((resolve) => setTimeout(resolve, 500 + 150 * round));
      child.kill('SIGKILL');
      await ended;
      const { code } = await run.ended;
      const values = (released.match(/Person Nr [0-9]+/g) ?? []).length;
      const uses = (await entries()).flatMap((event) => (event.kind === 'use' ? [event] : [])).slice(before);
      const logged = uses.reduce((sum, { scopes }) => sum + (scopes['seal:person.name'] ?? 0), 0);
      expect(logged).toBeGreaterThanOrEqual(values);
      if (values < ROWS.length) expect(code).not.toBe(0);
    }
  });
});

describe('what is refused before anything is opened', () => {
  const usage = async (args: readonly string[]): Promise<string> => {
    const ended = await place.run(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expectVoice(ended);
    return ended.err;
  };

  test('a gateway that other machines reach without TLS', async () => {
    const err = await usage([...GATEWAY, '--charter-sha256', pin, '--listen', '0.0.0.0:7380']);
    expect(err).toContain('needs --tls-cert, --tls-key and --client-ca');
    expect(await usage([...GATEWAY, '--charter-sha256', pin, '--tls-cert', 'x'])).toContain('belong together');
  });

  test.each([
    [['--workers', '2'], '--workers'],
    [['--resume'], '--resume'],
    [['--vault', 'v.db'], '--vault'],
    [['--keys', 'keys.json'], '--keys'],
    [['--dry-run'], '--dry-run'],
    [['--engine', 'duckdb'], '--engine duckdb'],
    [['--on-error', 'reject', '--rejects', 'r.csv'], '--rejects'],
  ])('a run with %j', async (more, flag) => {
    const args = ['reveal', 'safe.csv', '--policy', 'p.yaml', ...FAR, '--warrant', 'w.note', '--holder', 'desk.key'];
    const err = await usage([...args, ...more]);
    expect(err).toContain(`${flag} cannot be combined with --gateway`);
    expect(err).toContain('trefoil: hint:');
  });

  test('options that need a gateway', async () => {
    expect(await usage(['reveal', 'safe.csv', '--policy', 'p.yaml', '--warrant', 'w.note'])).toContain(
      'needs --gateway',
    );
  });
});
