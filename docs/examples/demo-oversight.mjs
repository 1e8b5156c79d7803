/**
 * `npm run demo:oversight`: a gateway with the keys, an analyst who asks, an officer who approves, a reveal of two
 * people, a curious employee who is refused and seen, and a changed log that an overseer catches. Every step is a
 * process of the command line; only signatures that a person gives at a terminal are made here, in code.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseCsv } from 'csv-parse/sync';
import { addSignature, notePartySigner, openCharter, parseCharter, signWarrant } from 'trefoil/govern';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const people = fileURLToPath(new URL('people.csv', import.meta.url));
const out = fileURLToPath(new URL('../../demo-out/oversight', import.meta.url));
// Keys are thrown away at the end. A socket needs a short path.
const secret = mkdtempSync(join(tmpdir(), 'trefoil-demo-'));
const at = (name) => join(secret, name);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const WHO = ['log', 'answers', 'eva', 'anna', 'chris', 'chris-desk', 'mallory', 'etl'];
for (const name of WHO) trefoil('officer', 'new', '--name', `${name}.example`, '--out', at(`${name}.key`));
const vkey = Object.fromEntries(WHO.map((name) => [name, notePartySigner(read(`${name}.key`)).key.verifier.text]));
trefoil('keys', 'new', '--out', at('keys.json'));
writeFileSync(at('shard.key'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });

const charter = [
  'trefoil charter v1',
  'version 1',
  'domain eu-enclave',
  'subject person',
  `log ${vkey.log}`,
  `answers ${vkey.answers}`,
  'quorum none',
  `officer eva keeper note ${vkey.eva}`,
  `officer anna approver note ${vkey.anna}`,
  `officer chris requester note ${vkey.chris}`,
  `desk chris-desk of chris note ${vkey['chris-desk']}`,
  `client etl note ${vkey.etl}`,
  'case shown',
  'purpose support.call-back dpv:CustomerCare verb reveal scopes seal:person.name approvals 1:approver values 10 ' +
    'subjects 3 hours 12 witnessed 1h show 7d unbound',
  'rate client etl protect token:person 100000 per 1d',
  'rate client etl protect seal:person.name 100000 per 1d',
  'change 1:keeper',
  '',
].join('\n');
const { sha256 } = parseCharter(charter);
const eva = notePartySigner(read('eva.key'));
writeFileSync(join(out, 'charter.note'), addSignature(charter, await eva.sign(charter, 'charter@trefoil')));
writeFileSync(join(out, 'log.vkey'), `${vkey.log}\n`);

const { keyCheck } = JSON.parse(
  trefoil('keys', 'inspect', '--keys', at('keys.json'), '--domain', 'eu-enclave', '--json').out,
);
writeFileSync(
  join(out, 'policy.yaml'),
  `trefoil: 1\ndomain: eu-enclave\nkeyCheck: ${JSON.stringify(keyCheck)}\nsubject: id\nunnamed: drop\nfields:\n` +
    '  id: { rule: token, scope: person, label: cust }\n  name: { rule: seal, scope: person.name }\n  city: keep\n',
);

const socket = at('g.sock');
const pins = ['--charter', join(out, 'charter.note'), '--charter-sha256', sha256];
const through = ['--policy', join(out, 'policy.yaml'), '--gateway', `unix:${socket}`, ...pins];
const gateway = spawn(
  process.execPath,
  [
    ...[cli, 'gateway', '--keys', at('keys.json'), ...pins, '--log', join(out, 'log'), '--head', at('head'), '--new'],
    ...['--log-key', at('log.key'), '--shard-key', at('shard.key'), '--answers-key', at('answers.key')],
    ...['--host', 'gateway-1', '--listen', `unix:${socket}`],
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
);
const ended = new Promise((resolve) => gateway.once('exit', resolve));
await Promise.race([new Promise((resolve) => gateway.stdout.once('data', resolve)), ended]);

try {
  await story();
} finally {
  gateway.kill('SIGTERM');
  await ended;
  rmSync(secret, { recursive: true, force: true });
}

async function story() {
  trefoil('protect', people, ...through, '--holder', at('etl.key'), '--out', join(out, 'people.safe.csv'));
  const rows = parseCsv(readFileSync(join(out, 'people.safe.csv')), { columns: true });
  console.log(`A gateway holds the keys. The data platform sent it ${rows.length} people and got codes back.`);
  const [first, second, third] = rows;
  const table = (name, ...some) => {
    const lines = ['id,name,city', ...some.map(({ id, name, city }) => `${id},${name},${city}`)];
    writeFileSync(join(out, name), `${lines.join('\n')}\n`);
    return join(out, name);
  };
  writeFileSync(at('tokens'), `${first.id}\n${second.id}\n`);
  writeFileSync(at('why'), 'Two customers ask to be called back about their refund.\n');
  const note = at('w.note');
  trefoil(
    ...['warrant', 'new', ...pins, '--purpose', 'support.call-back', '--case', 'TICKET-20817', '--values', '2'],
    ...['--scope', 'seal:person.name', '--subjects', at('tokens'), '--hours', '1', '--desk', 'chris-desk'],
    ...['--key', at('chris.key'), '--reason-file', at('why'), '--out', note],
  );
  console.log('Chris, an analyst, asks for the names of two customers: TICKET-20817, for one hour.');
  const desk = (key, input, name, paper = note) => [
    ...['reveal', input, ...through, '--warrant', paper, '--holder', at(key), '--out', join(out, name)],
  ];
  const two = table('two.safe.csv', first, second);
  console.log(`He tries before anybody has agreed: ${refused(desk('chris-desk.key', two, 'early.csv'))}`);
  const options = { charter: openCharter(readFileSync(join(out, 'charter.note')), { sha256 }), now: now() };
  const anna = notePartySigner(read('anna.key'));
  const approved = await signWarrant(readFileSync(note, 'utf8'), {
    ...options,
    dossier: read('w.dossier'),
    signer: anna,
  });
  writeFileSync(note, approved, { mode: 0o600 });
  console.log('Anna, an officer, reads who, why and how many, types the number of the case, and signs.');
  trefoil(...desk('chris-desk.key', two, 'two.csv'));
  const names = parseCsv(readFileSync(join(out, 'two.csv')), { columns: true }).map((row) => row.name);
  console.log(`The gateway writes the use into its log, and then opens it: ${names.join(' and ')}.`);
  const other = table('neighbour.safe.csv', third);
  console.log(`Chris looks for a neighbour under the same warrant: ${refused(desk('chris-desk.key', other, 'n.csv'))}`);
  console.log(`Once more for the two: ${refused(desk('chris-desk.key', two, 'again.csv'))}`);
  console.log(`Mallory has copied the warrant: ${refused(desk('mallory.key', two, 'stolen.csv'))}`);
  gateway.kill('SIGTERM');
  await ended;
  oversight();
}

function oversight() {
  const honest = spawn3('oversee', 'verify', join(out, 'log'), '--log-key', vkey.log, '--seen', at('seen.json'));
  console.log(`An overseer verifies the log: ${honest.out.split('\n')[0]}`);
  const pinned = ['--charter-sha256', sha256, '--shard-key', at('shard.key')];
  const { out: report } = trefoil('oversee', 'report', join(out, 'log'), ...pinned);
  writeFileSync(join(out, 'report.txt'), report);
  console.log(`The report names what was refused, too: ${(/^.*refused.*$/m.exec(report)?.[0] ?? '').trim()}`);
  // Somebody with the disk makes the use of two values one of one value, and hopes that nobody looks.
  cpSync(join(out, 'log'), join(out, 'log-tampered'), { recursive: true });
  const bundles = spawnSync('find', [join(out, 'log-tampered/tile/entries'), '-type', 'f'], { encoding: 'utf8' });
  for (const file of bundles.stdout.trim().split('\n')) {
    const text = readFileSync(file, 'latin1').replace('"seal:person.name":2', '"seal:person.name":1');
    writeFileSync(file, text, 'latin1');
  }
  const tampered = join(out, 'log-tampered');
  const changed = spawn3('oversee', 'verify', tampered, '--log-key', vkey.log, '--seen', at('new.json'));
  console.log(`Somebody changes an entry on the disk: ${changed.out.split('\n')[0]} (exit code ${changed.code})`);
  console.log('What it does not show: a gateway that was changed to log nothing. Witnesses and samples are for that.');
  const left = ['log', 'log.vkey', 'charter.note', 'report.txt'].map((name) => join(out, name));
  console.log(`see: ${left.map((path) => relative(process.cwd(), path)).join(', ')}`);
  if (honest.code !== 0 || changed.code !== 7) process.exitCode = 1;
}

function now() {
  return Math.floor(Date.now() / 1000);
}

function read(name) {
  return readFileSync(at(name), 'utf8');
}

/** Runs a command of trefoil. */
function spawn3(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** Runs a command that has to succeed. */
function trefoil(...args) {
  const ended = spawn3(...args);
  if (ended.code !== 0) throw new Error(`trefoil ${args.slice(0, 2).join(' ')} ended with ${ended.code}: ${ended.err}`);
  return ended;
}

/** Runs a command that has to be refused, and returns why. */
function refused(args) {
  const { code, err } = spawn3(...args);
  if (code !== 6) throw new Error(`the command should have been refused, and ended with ${code}: ${err}`);
  const [line] = err.split('\n').filter((one) => one.startsWith('trefoil: error: '));
  return `refused, ${line.slice('trefoil: error: '.length)}`;
}
