/**
 * Repeated `kill -9` of a process that reveals batches with governed keys, from four callers at once. It writes the
 * digest of each value that it got to a pipe. After each kill: for every value, it was not released more often than the
 * log has uses for its person. Each kill comes at another moment: after a random number of batches and a random pause.
 *
 * With TREFOIL_LONG=1 it kills 200 times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { parseCharter, subjectPseudonyms } from '../../../src/govern.ts';
import { keyset } from '../../../src/index.ts';
import { noteSigner, openLog, subjectSealer } from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';
import { secretAccess } from '../../../src/reveal.ts';
import { random } from '../../reference/random.ts';
import { charterText, eventsOf, KEYS, newPlace, papersFor, people, SHARD, signed } from './world.ts';

const KILLS = process.env.TREFOIL_LONG === '1' ? 200 : 6;
const PEOPLE = 200;
const root = fileURLToPath(new URL('../../../', import.meta.url));
if (!existsSync(`${root}dist/govern.js`)) throw new Error('dist/govern.js is not there: npm run build:js first');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Four callers; each reveals a batch as soon as it has the one before, and then writes the digests of its values. */
const REVEALER = `
  import { createHash } from 'node:crypto';
  import { readFileSync, writeSync } from 'node:fs';
  import { govern, openSequencer, warrantAccess } from './dist/govern.js';
  import { keep, keyset, policy, seal, token } from './dist/index.js';
  import { noteSigner, openLog, subjectSealer } from './dist/log.js';
  import { logFolder } from './dist/node.js';
  const given = JSON.parse(readFileSync(process.argv[1], 'utf8'));
  const store = logFolder(given.log, { head: given.head });
  const log = await openLog(store, { signer: noteSigner(given.key), create: given.create });
  const sequencer = await openSequencer(log, {
    firstCharter: given.charter,
    ...(given.create && { charter: given.charterNote }),
    sealer: subjectSealer(Buffer.from(given.shard, 'hex')),
    host: 'support-1',
  });
  const keys = govern(keyset.parse(given.keyset).domain('eu-enclave'), { sequencer });
  const people = policy(
    { id: token({ scope: 'person', label: 'cust' }), name: seal({ scope: 'person.name' }), city: keep },
    { subject: 'id' },
  );
  const desk = noteSigner(given.desk);
  const open = await people.open(keys, {}, warrantAccess(given.note, { dossier: given.dossier, desk }));
  writeSync(1, '[]\\n');
  const digest = (text) => createHash('sha256').update(text).digest('hex').slice(0, 24);
  for (let who = 0; who < 4; who++) void (async () => {
    for (let i = who; ; i += 7) {
      const from = (i * 31) % given.safe.length;
      const batch = given.safe.slice(from, from + 1 + (i % 40));
      const rows = await open.revealMany(batch);
      writeSync(1, JSON.stringify(rows.map(({ name }) => digest(name))) + '\\n');
    }
  })();
`;

/** Starts a process, kills it after so many batches and so many milliseconds, and returns what it had released. */
async function life(path: string, batches: number, pause: number): Promise<readonly string[][]> {
  const args = ['--input-type=module', '--eval', REVEALER, path];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let out = '';
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const reached = new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      out += data;
      if (out.split('\n').length > batches + 1) resolve();
    });
  });
  await Promise.race([reached, ended]);
  await sleep(pause);
  child.kill('SIGKILL');
  await ended;
  expect(errors).toBe('');
  // The last line may have been cut.
  const lines = out
    .slice(0, out.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => JSON.parse(line) as string[]);
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

test('no value is released whose use is not in the log', async () => {
  const at = newPlace();
  const all = keyset.generate();
  const keys = all.domain('eu-enclave');
  const safe = Array.from({ length: PEOPLE }, (_, i) =>
    people.bind(keys).protect({ id: String(20_000 + i), name: `Person Number ${i}`, city: 'Oslo' }),
  );
  const text = charterText().replace('values 50 subjects 10', 'values 1000000 subjects 1000');
  const charter = parseCharter(text);
  const now = Math.floor(Date.now() / 1000);
  const subjects = safe.map(({ id }) => ({ token: id! }));
  const papers = await papersFor({ values: 1_000_000, subjects }, { charter, now });
  const given = {
    ...at,
    key: KEYS.log.privateKey,
    create: true,
    charter: charter.sha256,
    charterNote: await signed(text, ['eva'], 'charter@trefoil'),
    shard: SHARD.toString('hex'),
    keyset: all.export(secretAccess),
    desk: KEYS['chris-desk'].privateKey,
    note: papers.note,
    dossier: papers.dossier,
    safe,
  };
  const path = join(dirname(at.head), 'given.json');
  const { below: next } = random('kill of reveals');
  const pseudonymOf = subjectPseudonyms(keys, 'person');
  const persons = new Map(safe.map(({ id }, i) => [pseudonymOf(id!), digest(`Person Number ${i}`)]));
  const { open } = subjectSealer(SHARD);
  const released = new Map<string, number>();
  let total = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    writeFileSync(path, JSON.stringify({ ...given, create: kill === 0 }), { mode: 0o600 });
    // The first life writes the warrant: after a kill before that, nothing could be created again.
    const lines = await life(path, kill === 0 ? 5 : next(30), next(12));
    for (const one of lines.flat()) {
      released.set(one, (released.get(one) ?? 0) + 1);
      total++;
    }
    if (kill % 10 !== 9 && kill !== KILLS - 1) continue;
    // Opening takes what the journal has, as the next life would.
    const log = await openLog(logFolder(at.log, { head: at.head }), { signer: noteSigner(KEYS.log.privateKey) });
    await log.close();
    const { ok, events } = await eventsOf(at);
    expect(ok).toBe(true);
    const noted = new Map<string, number>();
    let values = 0;
    for (const event of events) {
      if (event.kind !== 'use') continue;
      values += Object.values(event.scopes).reduce((sum, count) => sum + count, 0);
      for (const one of event.subjects) {
        const person = persons.get(open(one)!)!;
        noted.set(person, (noted.get(person) ?? 0) + 1);
      }
    }
    expect(values).toBeGreaterThanOrEqual(total);
    for (const [person, count] of released) expect(noted.get(person) ?? 0).toBeGreaterThanOrEqual(count);
    // The check would notice a release that was not noted: no person was noted far more often than released.
    expect(values - total).toBeLessThan(4 * 40 * (kill + 1));
  }
  expect(total).toBeGreaterThan(KILLS * 20);
}, 1_800_000);
