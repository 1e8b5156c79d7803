/**
 * Faults around a vault in a file, from the command line: killed processes, locks, broken files and a full disk, all of
 * them real. What the library guarantees without the command line is tested in test/vault.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hex } from '../../helpers/hex.ts';
import { cellsOf, expectVoice, json } from '../harness.ts';
import { makeVaultPlace, VALUES, vaultPolicy } from './place.ts';

const POLICY = vaultPolicy(
  'name: { rule: vault, scope: person.name, store: people, subject: id }',
  'phone: { rule: vault, scope: person.phone, store: people }',
  'note: keep',
);

/** Rows of some numbers; two have one telephone. */
const csv = (numbers: readonly number[], note = 'x') =>
  `id,name,phone,note\n${numbers.map((n) => `${n},Person ${n},+49 30 ${n >> 1},${note}\n`).join('')}`;
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const place = makeVaultPlace(POLICY, csv(upTo(200)));
const { filled } = place;
const args = (keys = 'keys.json', vault = 'people.db') => place.options(vault, keys);

/** Two keysets of the same two keys, each with another primary. */
async function makeKeys(): Promise<void> {
  await place.run(['keys', 'new', '--out', 'second.json']);
  const [first, second] = ['keys.json', 'second.json'].map((name) => JSON.parse(place.read(name)).keys[0]);
  const { primary: _, ...a } = first;
  const { primary: __, ...b } = second;
  place.write('before.json', JSON.stringify({ version: 'keyset-v1', keys: [{ ...a, primary: true }, b] }));
  place.write('after.json', JSON.stringify({ version: 'keyset-v1', keys: [a, { ...b, primary: true }] }));
}

beforeAll(async () => {
  place.write('ttl.yaml', POLICY.replaceAll('store: people', 'store: people, ttl: 30'));
  await makeKeys();
});

afterEach(() => {
  for (const name of place.files()) if (/^people|^out|^other/.test(name)) rmSync(place.path(name), { recursive: true });
});

async function verified(keys = 'keys.json'): Promise<void> {
  const { code, out, err } = await place.run(['vault', 'verify', ...args(keys)]);
  expect(code, err).toBe(0);
  expect(json(out)[0]).toMatchObject({ broken: 0, problems: [] });
}

/** A command that ends with this code and these words, in trefoil's voice and without a value. */
async function refused(command: readonly string[], code: number, ...words: readonly string[]): Promise<void> {
  const ended = await place.run(command);
  for (const word of words) expect(ended.err).toContain(word);
  expect(ended.code, ended.err).toBe(code);
  expectVoice(ended, VALUES);
}

const withHandle = <T>(name: string, work: (handle: InstanceType<typeof DatabaseSync>) => T): T => {
  const handle = new DatabaseSync(place.path(name));
  try {
    return work(handle);
  } finally {
    handle.close();
  }
};

describe('kill -9', () => {
  test('in the middle of a file, then --resume: the bytes of a run that nobody disturbed', async () => {
    // 5,000 rows, 4 MB: several entries in the manifest.
    place.write('long.csv', csv(upTo(5000), 'n'.repeat(800)));
    const command = ['protect', 'long.csv', ...args(), '--out', 'out.csv', '--resume'];
    const rows: number[] = [];
    for (let kills = 0; kills < 2; ) {
      const { child, ended } = place.start(command);
      let over = false;
      ended.then(() => {
        over = true;
      });
      const before = rows.at(-1) ?? 0;
      const at = () =>
        place.files().includes('out.csv.resume.json')
          ? (JSON.parse(place.read('out.csv.resume.json')).position.rows as number)
          : 0;
      while (!over && at() <= before) await new Promise((done) => setTimeout(done, 5));
      child.kill('SIGKILL');
      const { code } = await ended;
      // Faster than its death: nothing is left to resume.
      if (code === 0) break;
      rows.push(at());
      kills++;
    }
    expect(rows[0]).toBeGreaterThan(0);
    expect(rows[0]).toBeLessThan(5000);
    if (place.files().includes('out.csv.resume.json')) {
      // A file has tokens of one store.
      const elsewhere = command.map((one) => (one === 'people.db' ? 'other.db' : one));
      await refused(elsewhere, 5, 'out.csv.resume.json: the store of the vault has changed');
      const done = await place.run(command);
      expect(done.code, done.err).toBe(0);
    }
    expect((await place.run(['protect', 'long.csv', ...args(), '--out', 'out.whole.csv'])).code).toBe(0);
    expect(place.read('out.csv')).toBe(place.read('out.whole.csv'));
    const back = await place.run(['reveal', 'out.csv', ...args()]);
    expect(cellsOf(back.out).map(([, name, phone]) => `${name},${phone}`)).toEqual(
      upTo(5000).map((n) => `Person ${n},+49 30 ${n >> 1}`),
    );
    await verified();
  });
});

describe('processes at once', () => {
  test('with different primaries during a roll-out, while the outer layer changes: one token a value', async () => {
    const numbers = upTo(1500);
    place.write('up.csv', csv(numbers));
    place.write('down.csv', csv(numbers.toReversed()));
    const [one, two] = await Promise.all([
      place.run(['protect', 'up.csv', ...args('before.json')]),
      place.run(['protect', 'down.csv', ...args('after.json')]),
    ]);
    expect([one.code, two.code], one.err + two.err).toEqual([0, 0]);
    const tokens = (out: string) => cellsOf(out).map(([, name, phone]) => `${name},${phone}`);
    const first = tokens(one.out);
    // The first column shows the key that protected it. The vault's tokens do not depend on the process that asked.
    expect(tokens(two.out).toReversed()).toEqual(first);
    expect(new Set(first).size).toBe(1500);
    await verified('before.json');

    const [again, rekeyed, later] = await Promise.all([
      place.run(['protect', 'up.csv', ...args('before.json')]),
      place.run(['vault', 'rekey', ...args('after.json')]),
      place.run(['protect', 'down.csv', ...args('after.json')]),
    ]);
    expect(rekeyed.code, rekeyed.err).toBe(0);
    expect(tokens(again.out)).toEqual(first);
    expect(tokens(later.out).toReversed()).toEqual(first);
    const back = await place.run(['reveal', '-', '--format', 'csv', ...args('before.json')], one.out);
    expect(cellsOf(back.out).map(([, name]) => name)).toEqual(numbers.map((n) => `Person ${n}`));
    await verified('after.json');
    const stats = await place.run(['vault', 'stats', ...args('before.json')]);
    expect(json(stats.out)[0].tables.value.rows).toBe(1500 + 750);
  });

  test('a vault that another process has locked', async () => {
    await filled();
    place.write('new.csv', csv(upTo(5, 900)));
    const sqlite = createRequire(import.meta.url).resolve('@photostructure/sqlite');
    const source = `
      const { DatabaseSync } = require(process.argv[1]);
      globalThis.handle = new DatabaseSync(process.argv[2]);
      handle.exec('BEGIN EXCLUSIVE');
      console.log('locked');
      setInterval(() => handle.isOpen, 1000);
    `;
    const child = spawn(process.execPath, ['-e', source, sqlite, place.path('people.db')]);
    const ended = new Promise((done) => child.once('close', done));
    await new Promise((done) => child.stdout.once('data', done));
    const command = ['protect', 'new.csv', ...args(), '--out', 'out.csv'];
    await refused(command, 5, 'people.db: the database is locked by another connection');
    expect(place.files()).not.toContain('out.csv');
    child.kill('SIGKILL');
    await ended;
    expect((await place.run(command)).code).toBe(0);
  });
});

describe('the clock', () => {
  const CLOCK = `
    const shift = Number(process.env.CLOCK_DAYS) * 86_400_000;
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) {
        if (given.length === 0) super(Real.now() + shift);
        else super(...given);
      }
      static now() {
        return Real.now() + shift;
      }
    };
  `;

  test('jumps back and forth between processes: nothing expires early, and one value has one token', async () => {
    const clock = place.write('clock.mjs', CLOCK);
    const at = (days: number, command: readonly string[], input = '') =>
      place.run([...command, '--policy', 'ttl.yaml', '--keys', 'keys.json', '--vault', 'people.db'], input, {
        NODE_OPTIONS: `--import ${clock}`,
        CLOCK_DAYS: String(days),
      });
    const reveal = (days: number, safe: string) => at(days, ['reveal', '-', '--format', 'csv'], safe);
    const first = await at(0, ['protect', 'in.csv']);
    expect(first.code, first.err).toBe(0);
    for (const days of [-400, -20_000, 29, 0]) {
      expect((await at(days, ['protect', 'in.csv'])).out).toBe(first.out);
      expect((await reveal(days, first.out)).code).toBe(0);
      expect(json((await at(days, ['vault', 'expire'])).out)[0].removed).toBe(0);
    }
    const late = await reveal(32, first.out);
    expect(late.err).toContain('it has expired');
    expect(late.code).toBe(1);
    const second = await at(32, ['protect', 'in.csv']);
    const [before, after] = [first, second].map(
      ({ out }) => new Set(cellsOf(out).flatMap((cells) => cells.slice(1, 3))),
    );
    for (const token of after!) expect(before!.has(token)).toBe(false);
    // With the clock back on day 0, each value still has its second token, and the first ones are gone.
    expect((await at(0, ['protect', 'in.csv'])).out).toBe(second.out);
    expect((await reveal(0, second.out)).code).toBe(0);
    expect((await reveal(0, first.out)).code).toBe(1);
    expect(json((await at(0, ['vault', 'expire'])).out)[0].removed).toBe(0);
    expect(json((await at(0, ['vault', 'verify'])).out)[0].broken).toBe(0);
    expect(json((await at(64, ['vault', 'expire'])).out)[0].removed).toBe(2 * (200 + 100));
  });
});

describe('what a vault is refused for', () => {
  test('tables of a newer version; those of an older one are brought up to date', async () => {
    const safe = await filled();
    withHandle('people.db', (handle) => handle.exec('UPDATE trefoil_schema SET version = 2'));
    const message = 'people.db: the tables of the vault are of a newer version of trefoil';
    await refused(['protect', 'in.csv', ...args(), '--out', 'out.csv'], 5, message);
    await refused(['reveal', '-', '--format', 'csv', ...args()], 5, message);
    for (const verb of ['stats', 'verify', 'expire', 'rekey']) await refused(['vault', verb, ...args()], 5, message);
    expect(place.files()).not.toContain('out.csv');
    withHandle('people.db', (handle) => handle.exec('UPDATE trefoil_schema SET version = 1'));
    expect((await place.run(['protect', 'in.csv', ...args()])).out).toBe(safe);

    // Version 0 has nothing but its number.
    withHandle('other.db', (handle) => {
      handle.exec('CREATE TABLE trefoil_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)');
      handle.exec('INSERT INTO trefoil_schema VALUES (1, 0)');
    });
    const older = await place.run(['protect', 'in.csv', ...args('keys.json', 'other.db')]);
    expect(older.code, older.err).toBe(0);
    expect(withHandle('other.db', (handle) => handle.prepare('SELECT version FROM trefoil_schema').get())).toEqual({
      version: 1,
    });
  });

  test('metadata of another version of the format', async () => {
    await filled();
    withHandle('people.db', (handle) => {
      handle.exec("UPDATE trefoil_meta SET text = replace(text, 'vault-v1', 'vault-v2')");
    });
    await refused(
      ['protect', 'in.csv', ...args()],
      5,
      'the vault has the version vault-v2, but this version of trefoil reads vault-v1',
    );
    await refused(
      ['vault', 'verify', ...args()],
      5,
      'the vault has the version vault-v2, but this version of trefoil reads vault-v1',
    );
  });

  test('other keys, another domain', async () => {
    await filled();
    await refused(['protect', 'in.csv', ...args('second.json')], 1, 'which the keyset does not have');
    place.write('us.yaml', POLICY.replace('eu-enclave', 'us-enclave'));
    const us = args().map((one) => (one === 'p.yaml' ? 'us.yaml' : one));
    await refused(['protect', 'in.csv', ...us], 4, 'another domain');
    await refused(['vault', 'shred', ...us], 4, 'another domain');
    await verified();
  });

  test('a file that is no database, and one that is cut off', async () => {
    place.write('people.db', 'id,name\n1,Person 1\n'.repeat(500));
    const message = 'people.db: the file is not a database';
    await refused(['protect', 'in.csv', ...args()], 5, message, 'SQLITE_NOTADB');
    await refused(['vault', 'stats', ...args()], 5, message);
    // There is no log beside the file, and no message mentions one.
    for (const command of [
      ['protect', 'in.csv', ...args()],
      ['vault', 'stats', ...args()],
    ])
      expect((await place.run(command)).err).not.toMatch(/-wal|warning/);
    rmSync(place.path('people.db'));
    const safe = await filled();
    await place.run(['vault', 'expire', ...args()]);
    withHandle('people.db', (handle) => handle.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    const bytes = readFileSync(place.path('people.db'));
    writeFileSync(place.path('people.db'), bytes.subarray(0, bytes.length >> 1));
    const cut = await place.run(['reveal', '-', '--format', 'csv', ...args(), '--out', 'out.csv'], safe);
    expect(cut.err).toMatch(/people\.db: .*SQLITE_/);
    expect(cut.code).toBe(5);
    expectVoice(cut, VALUES);
    expect(place.files()).not.toContain('out.csv');
  });

  test('a name that was mistyped, where nothing is protected; and nothing is made under it', async () => {
    const elsewhere = args('keys.json', 'other.db');
    const message = 'other.db: the vault does not exist';
    await refused(['reveal', 'in.csv', ...elsewhere, '--out', 'out.csv'], 5, message);
    for (const verb of ['stats', 'verify', 'expire', 'rekey', 'forget', 'shred']) {
      await refused(['vault', verb, ...elsewhere], 5, message);
    }
    expect(place.files()).not.toContain('other.db');
  });

  test('the vault is no output of the run, also not with --force', async () => {
    const safe = await filled();
    for (const output of ['--out', '--summary']) {
      for (const name of ['people.db', './people.db-wal']) {
        if (!existsSync(place.path(name))) continue;
        await refused(['protect', 'in.csv', ...args(), '--force', output, name], 5, name.replace('./', ''));
      }
    }
    expect((await place.run(['protect', 'in.csv', ...args()])).out).toBe(safe);
  });
});

describe('a row that is damaged', () => {
  test('is one opaque error; verify names it, and the rest is read', async () => {
    const safe = await filled();
    withHandle('people.db', (handle) => {
      // One bit of one body, and another body that is cut.
      const rows = handle.prepare('SELECT rowid, idx, body FROM trefoil_token ORDER BY rowid LIMIT 2').all();
      const [flipped, cut] = rows.map(({ body }: { body: Uint8Array }) => new Uint8Array(body));
      flipped![30]! ^= 4;
      const set = handle.prepare('UPDATE trefoil_token SET body = ? WHERE rowid = ?');
      set.run(flipped, rows[0].rowid);
      set.run(cut!.subarray(0, 40), rows[1].rowid);
    });
    const ended = await place.run(['vault', 'verify', ...args()]);
    expect(ended.code).toBe(7);
    expectVoice(ended, VALUES);
    const [{ broken, problems }] = json(ended.out);
    // Each of them, and the two by-value rows that have lost their partners.
    expect(broken).toBe(4);
    expect(problems.map(({ table, why }: { table: string; why: string }) => `${table} ${why}`).sort()).toEqual([
      'token does not verify',
      'token does not verify',
      'value has no partner',
      'value has no partner',
    ]);
    const read = await place.run(
      [
        ...['reveal', '-', '--format', 'csv', ...args(), '--out', 'out.csv'],
        '--on-error',
        'reject',
        '--rejects',
        'out.r',
      ],
      safe,
    );
    expect(read.code).toBe(9);
    expectVoice(read, VALUES);
    const opened = place.read('out.r');
    expect(opened.match(/row_broken/g)?.length).toBeGreaterThanOrEqual(2);
    expect(cellsOf(place.read('out.csv')).length).toBeGreaterThan(190);
  });

  test('an orphan, in either table, is named', async () => {
    await filled();
    withHandle('people.db', (handle) => {
      handle.exec('DELETE FROM trefoil_token WHERE rowid = (SELECT min(rowid) FROM trefoil_token)');
      handle.exec('DELETE FROM trefoil_value WHERE rowid = (SELECT max(rowid) FROM trefoil_value)');
    });
    const ended = await place.run(['vault', 'verify', ...args()]);
    expect(ended.code).toBe(7);
    const [{ broken, problems }] = json(ended.out);
    expect(broken).toBe(2);
    expect(problems.map(({ table, why }: { table: string; why: string }) => `${table} ${why}`)).toEqual([
      'value has no partner',
      'token has no partner',
    ]);
  });
});

describe('erasure', () => {
  /** Bodies of the table of subjects. */
  const bodies = (): Uint8Array[] =>
    withHandle('people.db', (handle) =>
      handle
        .prepare('SELECT body FROM trefoil_subject')
        .all()
        .map(({ body }: { body: Uint8Array }) => new Uint8Array(body)),
    );
  const inFiles = (bytes: Uint8Array): boolean =>
    ['people.db', 'people.db-wal', 'people.db-shm', 'people.db-journal'].some(
      (name) => existsSync(place.path(name)) && readFileSync(place.path(name)).includes(Buffer.from(bytes)),
    );

  test('leaves nothing of the key of a subject in the files, nor of a forgotten mapping', async () => {
    const safe = await filled();
    const before = bodies();
    expect(before.length).toBe(400);
    // Somebody else has the vault open, so that closing it does not take the log away.
    const other = new DatabaseSync(place.path('people.db'));
    other.exec('PRAGMA journal_mode = WAL');
    other.prepare('SELECT count(*) FROM trefoil_meta').get();
    const shredded = await place.run(['vault', 'shred', ...args()], '7\n');
    expect(shredded.code, shredded.err).toBe(0);
    expect(statSync(place.path('people.db-wal')).size).toBe(0);
    const now = new Set(bodies().map((body) => hex(body)));
    const gone = before.filter((body) => !now.has(hex(body)));
    expect(gone.length).toBe(2);
    for (const body of gone) expect(inFiles(body.subarray(0, 24))).toBe(false);
    for (const body of before.filter((one) => !gone.includes(one)).slice(0, 5)) expect(inFiles(body)).toBe(true);

    const [, , phone] = cellsOf(safe)[20]!;
    const rows = () =>
      new Set(
        withHandle('people.db', (handle) =>
          ['value', 'token'].flatMap((table) =>
            handle
              .prepare(`SELECT body FROM trefoil_${table}`)
              .all()
              .map(({ body }: { body: Uint8Array }) => hex(body)),
          ),
        ),
      );
    const whole = rows();
    await place.run(['vault', 'forget', ...args()], `${phone}\n`);
    const left = rows();
    const destroyed = [...whole].filter((body) => !left.has(body));
    expect(destroyed.length).toBe(2);
    for (const body of destroyed) expect(inFiles(Buffer.from(body, 'hex').subarray(0, 24))).toBe(false);
    other.close();
  });

  test('is told line by line: what comes after may fail, and what was destroyed is known', async () => {
    const safe = await filled();
    const [, , phone] = cellsOf(safe)[20]!;
    const forgotten = await place.run(['vault', 'forget', ...args()], `no token\n${phone}\n`);
    expect(json(forgotten.out)).toEqual([
      { line: 1, found: false, forgotten: false },
      { line: 2, found: true, forgotten: true },
    ]);
    expect(forgotten.code).toBe(9);

    const { child, ended } = place.start(['vault', 'shred', ...args()]);
    const told = new Promise((done) => child.stdout!.once('data', done));
    child.stdin!.write('7\n');
    await told;
    child.kill('SIGKILL');
    expect(json((await ended).out)).toMatchObject([
      { trefoil: 'vault-v1 certificate', destroyed: 'key', store: 'people' },
    ]);
    await refused(['protect', 'in.csv', ...args()], 1, 'row 8', 'the subject was erased');
  });

  test('outlives the restoring of an old file, when the table of subjects is the newer one', async () => {
    const safe = await filled();
    withHandle('people.db', (handle) => handle.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    copyFileSync(place.path('people.db'), place.path('other.backup.db'));
    expect((await place.run(['vault', 'shred', ...args()], '7\n')).code).toBe(0);
    withHandle('people.db', (handle) => {
      handle.exec(`ATTACH '${place.path('other.backup.db')}' AS old`);
      for (const table of ['value', 'token']) {
        handle.exec(`DELETE FROM trefoil_${table}; INSERT INTO trefoil_${table} SELECT * FROM old.trefoil_${table}`);
      }
    });
    const [head, ...lines] = safe.trimEnd().split('\n');
    const seven = await place.run(['reveal', '-', '--format', 'csv', ...args()], `${head}\n${lines[7]}\n`);
    expect(seven.code).toBe(1);
    expect(seven.err).toContain('field name: the mapping of this token was destroyed');
    const eight = await place.run(['reveal', '-', '--format', 'csv', ...args()], `${head}\n${lines[8]}\n`);
    expect(eight.out).toContain('Person 8,');
    await refused(['protect', 'in.csv', ...args()], 1, 'row 8', 'the subject was erased');
  });
});

/** Whether a file system of one's own can be mounted, unseen by others. */
const mounts =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' }).status === 0;

describe('the disk', () => {
  test.skipIf(!mounts)('is full: it is said, nothing is lost, and the work goes on when there is room', async () => {
    place.write('many.csv', csv(upTo(4000)));
    const common = args('keys.json', 'small/people.db').join(' ');
    const ended = await place.bash(`mkdir -p small; unshare -rm bash -c '
      set -u
      mount -t tmpfs -o size=1m none small
      $T protect in.csv ${common} --out small.first.csv || exit 21
      $T protect many.csv ${common} --out small.many.csv; echo "code $?"
      ls small.many.csv 2>/dev/null && exit 22
      $T protect in.csv ${common} --out small.again.csv --force || exit 23
      cmp small.first.csv small.again.csv || exit 24
      mount -o remount,size=64m none small
      $T vault verify ${common} || exit 25
      $T protect many.csv ${common} --out small.many.csv || exit 26
      $T vault verify ${common} || exit 27
    '`);
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toContain('code 5');
    expect(ended.err).toContain('small/people.db: the disk is full');
    expectVoice(ended, VALUES);
    const first = place.read('small.first.csv').split('\n').slice(0, 201);
    expect(place.read('small.many.csv').split('\n').slice(0, 201)).toEqual(first);
  });

  test('a file that may only be read: what is known is found, what is new is refused', async () => {
    const safe = await filled();
    place.write('new.csv', csv(upTo(5, 900)));
    withHandle('people.db', (handle) => handle.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    // Root writes everywhere, unless it lays that power down. (Another user might not reach this checkout.)
    const isRoot = process.getuid?.() === 0;
    const as = isRoot ? 'setpriv --bounding-set -dac_override,-dac_read_search ' : '';
    for (const name of place.files()) if (!name.startsWith('small')) chmodSync(place.path(name), 0o444);
    chmodSync(place.dir, 0o777);
    const known = await place.bash(`${as}$T protect in.csv ${args().join(' ')} --quiet`);
    expect(known.code, known.err).toBe(0);
    expect(known.out).toBe(safe);
    const fresh = await place.bash(`${as}$T protect new.csv ${args().join(' ')} --out out.csv`);
    expect(fresh.err).toContain('people.db: the database is read-only (SQLITE_READONLY)');
    expect(fresh.code).toBe(5);
    for (const name of ['people.db-wal', 'people.db-shm']) rmSync(place.path(name), { force: true });
    // Nor may anything be made beside it.
    chmodSync(place.dir, 0o555);
    const nowhere = await place.bash(`${as}$T protect new.csv ${args().join(' ')}`);
    expect(nowhere.err).toMatch(/people\.db: .*\(SQLITE_(CANTOPEN|READONLY)\)/);
    expect(nowhere.code).toBe(5);
    chmodSync(place.dir, 0o700);
    for (const name of place.files()) if (!name.startsWith('small')) chmodSync(place.path(name), 0o600);
    await verified();
  });
});
