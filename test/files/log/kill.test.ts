/**
 * Repeated `kill -9` of a process that appends from eight callers at once. After each kill: no entry whose append was
 * fulfilled is lost or changed, every checkpoint that was shown is one of the log's, and every tile verifies. Each kill
 * comes at another moment: after a random number of fulfilled appends and a random pause.
 *
 * With TREFOIL_LONG=1 it kills 200 times. With TREFOIL_LOG_KEPT=FOLDER the logs are kept there, for `.ci/log`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { parseLogPolicy, verifyLog } from '../../../src/log.ts';
import { readLogFolder } from '../../../src/node.ts';
import { random } from '../../reference/random.ts';
import { filled, KEY, open } from './places.ts';
import { readCheckpoint, readLog, treeHash } from './reference.ts';

const KILLS = process.env.TREFOIL_LONG === '1' ? 200 : 12;
const KEPT = process.env.TREFOIL_LOG_KEPT;
const root = fileURLToPath(new URL('../../../', import.meta.url));
if (!existsSync(`${root}dist/log.js`)) throw new Error('dist/log.js is not there: npm run build:js first');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Eight callers; each appends as soon as its append before was fulfilled, and then writes what it was told. */
const WRITER = `
  import { createHash } from 'node:crypto';
  import { writeSync } from 'node:fs';
  import { noteSigner, openLog } from './dist/log.js';
  import { logFolder } from './dist/node.js';
  const [at, key, life] = process.argv.slice(1);
  const store = logFolder(at + '/log', { head: at + '/head' });
  const log = await openLog(store, { signer: noteSigner(key), entries: 'bytes' });
  writeSync(1, JSON.stringify({ taken: log.recovery.taken }) + '\\n');
  for (let who = 0; who < 8; who++) void (async () => {
    for (let i = 0; ; i++) {
      const size = (who * 7919 + i * 104729) % (i % 50 === 0 ? 60_000 : 300);
      const entry = new TextEncoder().encode(life + '.' + who + '.' + i + '.' + 'x'.repeat(size));
      const hash = createHash('sha256').update(entry).digest('hex');
      const { index, checkpoint } = await log.append(entry);
      writeSync(1, JSON.stringify({ index, hash, checkpoint }) + '\\n');
    }
  })();
`;

interface Line {
  readonly taken?: number;
  readonly index: number;
  readonly hash: string;
  readonly checkpoint: string;
}

/** Starts a writer, kills it after so many fulfilled appends and so many milliseconds, and returns what it wrote. */
async function life(at: string, number: number, appends: number, pause: number): Promise<readonly Line[]> {
  const args = ['--input-type=module', '--eval', WRITER, at, KEY.privateKey, String(number)];
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
      if (out.split('\n').length > appends) resolve();
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
  return lines.map((line) => JSON.parse(line) as Line);
}

test(`no fulfilled append is lost in ${KILLS} kills`, async () => {
  const at = await filled(0);
  const { below: next } = random('kill');
  const told: Line[] = [];
  let taken = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const appends = next(4) === 0 ? next(3) : next(120);
    const [start, ...lines] = await life(at, kill, appends, next(12));
    taken += start?.taken ?? 0;
    told.push(...lines);
    // Opening takes what the journal has, as the next writer would. Every tenth time this process looks by itself.
    if (kill % 10 !== 9 && kill !== KILLS - 1) continue;
    const log = await open(at);
    await log.close();
    const { entries, size } = readLog(join(at, 'log'), KEY.verifierKey);
    const policy = parseLogPolicy(`log ${KEY.verifierKey}\nquorum none\n`);
    const verified = await verifyLog(readLogFolder(join(at, 'log')), { policy, entries: 'bytes' });
    expect(verified).toMatchObject({ ok: true, size, findings: [] });
    const hashes = entries.map((entry) => createHash('sha256').update(entry).digest('hex'));
    for (const { index, hash } of told) expect(hashes[index]).toBe(hash);
    expect(new Set(told.map(({ index }) => index)).size).toBe(told.length);
    expect(new Set(hashes).size).toBe(size);
    const leaves = entries.map((entry) => createHash('sha256').update('\0').update(entry).digest());
    for (const { checkpoint } of [told[0]!, told.at(-1)!, told[Math.floor(told.length / 2)]!]) {
      const seen = readCheckpoint(checkpoint, KEY.verifierKey);
      expect(treeHash(leaves.slice(0, seen.size)).equals(seen.root)).toBe(true);
    }
    if (KEPT !== undefined) {
      mkdirSync(KEPT, { recursive: true });
      cpSync(join(at, 'log'), join(KEPT, `after-${kill + 1}`), { recursive: true });
    }
  }
  expect(told.length).toBeGreaterThan(KILLS * 10);
  // Some kills came between journal and head: otherwise the test would not have met what it is for.
  if (KILLS >= 100) expect(taken).toBeGreaterThan(0);
  expect(readFileSync(join(at, 'log/checkpoint'), 'utf8')).toBe(readFileSync(join(at, 'head'), 'utf8'));
}, 900_000);
