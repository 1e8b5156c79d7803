/**
 * The place of a vault, and its files after a command: one file is the whole store, only its owner can read it, and a
 * mistyped place is refused. Processes and files are real.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cellsOf, expectVoice, json } from '../harness.ts';
import { makeVaultPlace, VALUES, vaultPolicy } from './place.ts';

const POLICY = vaultPolicy(
  'name: { rule: vault, scope: person.name, store: people, subject: id, ttl: 30 }',
  'phone: { rule: vault, scope: person.phone, store: people }',
);
const csv = (count: number) =>
  `id,name,phone\n${Array.from({ length: count }, (_, n) => `${n},Person ${n},+49 30 ${n}\n`).join('')}`;
const place = makeVaultPlace(POLICY, csv(50));
const { done } = place;
const at = (vault: string) => place.options(vault);

beforeAll(() => {
  place.write('two.yaml', POLICY.replace('person.phone, store: people', 'person.phone, store: phones'));
});

const KEPT = new Set(['p.yaml', 'two.yaml', 'in.csv', 'keys.json', 'safe.csv']);
afterEach(() => {
  for (const name of place.files()) if (!KEPT.has(name)) rmSync(place.path(name), { recursive: true, force: true });
});

/** The files that SQLite makes beside a database. */
const beside = (name: string) => place.files().filter((file) => file.startsWith(`${name}-`));
const modeOf = (name: string) => statSync(place.path(name)).mode & 0o777;

async function filled(vault = 'people.db'): Promise<string> {
  const out = await place.filled(vault);
  place.write('safe.csv', out);
  return out;
}

/** Checks that the file, copied alone into an empty folder, reveals all records but the erased ones. */
async function revealsAlone(erased: readonly number[] = []): Promise<void> {
  expect(beside('people.db')).toEqual([]);
  const alone = place.path('alone');
  rmSync(alone, { recursive: true, force: true });
  mkdirSync(alone);
  copyFileSync(place.path('people.db'), join(alone, 'copy.db'));
  const [head, ...lines] = place.read('safe.csv').trimEnd().split('\n');
  const left = lines.filter((_, n) => !erased.includes(n));
  const back = await done(
    ['reveal', '-', '--format', 'csv', ...at('alone/copy.db')],
    `${[head, ...left].join('\n')}\n`,
  );
  const expected = cellsOf(place.read('in.csv')).filter((_, n) => !erased.includes(n));
  expect(cellsOf(back.out).map((cells) => cells.slice(1))).toEqual(expected.map((cells) => cells.slice(1)));
  expect(readdirSync(alone)).toEqual(['copy.db']);
}

describe('the file alone is the store', () => {
  test('after every command', async () => {
    await filled();
    await revealsAlone();
    for (const verb of ['stats', 'verify', 'expire', 'rekey']) {
      await done(['vault', verb, ...at('people.db')]);
      await revealsAlone();
    }
    await done(['vault', 'export', ...at('people.db'), '--out', 'people.ndjson']);
    await revealsAlone();
    const [, , phone] = cellsOf(place.read('safe.csv'))[3]!;
    await done(['vault', 'forget', ...at('people.db')], `${phone}\n`);
    await revealsAlone([3]);
    const { out } = await done(['vault', 'shred', ...at('people.db')], '7\n');
    await revealsAlone([3, 7]);
    await done(['vault', 'check-certificate', ...at('people.db')], out);
    await revealsAlone([3, 7]);
    rmSync(place.path('people.db'));
    await done(['vault', 'import', 'people.ndjson', ...at('people.db')]);
    await revealsAlone();
  });

  test('after a record that does not fit, an output that exists and a reader that has gone', async () => {
    await filled();
    place.write('bad.csv', `${csv(60)},Person 1,+49 30 1\n`);
    expect((await place.run(['protect', 'bad.csv', ...at('people.db')])).code).toBe(1);
    await revealsAlone();
    expect((await place.run(['protect', 'in.csv', ...at('people.db'), '--out', 'safe.csv'])).code).toBe(5);
    await revealsAlone();
    place.write('long.csv', csv(20_000));
    const gone = await place.bash(`set -o pipefail; $T protect long.csv ${at('people.db').join(' ')} | head -n 1`);
    expect(gone.code).not.toBe(0);
    await revealsAlone();
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('after %s in the middle of a run', async (signal) => {
    await filled();
    const { child, ended } = place.start(['protect', '-', '--format', 'csv', ...at('people.db')]);
    child.stdin!.on('error', () => {});
    child.stdin!.write(csv(30_000));
    // New rows are in the log by now.
    while (!existsSync(place.path('people.db-wal'))) await new Promise((next) => setTimeout(next, 5));
    child.kill(signal);
    expect((await ended).code).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    await revealsAlone();
    await done(['vault', 'verify', ...at('people.db')]);
  });

  test('after a signal to a command that waits for its next line', async () => {
    await filled();
    const { child, ended } = place.start(['vault', 'shred', ...at('people.db')]);
    const told = new Promise((next) => child.stdout!.once('data', next));
    child.stdin!.write('7\n');
    await told;
    child.kill('SIGTERM');
    const { code, out } = await ended;
    expect(code).toBe(143);
    expect(json(out)).toMatchObject([{ destroyed: 'key' }]);
    await revealsAlone([7]);
  });

  test('kill -9 leaves the log beside the file, and the next command takes it in', async () => {
    await filled();
    const { child, ended } = place.start(['protect', '-', '--format', 'csv', ...at('people.db')]);
    child.stdin!.write(csv(2_000));
    await new Promise((next) => child.stdout!.once('data', next));
    child.kill('SIGKILL');
    await ended;
    expect(beside('people.db')).toContain('people.db-wal');
    for (const name of beside('people.db')) expect(modeOf(name)).toBe(0o600);
    await done(['vault', 'stats', ...at('people.db')]);
    await revealsAlone();
  });

  test('where nothing can be written, and while another process has it open', async () => {
    const safe = await filled();
    const other = new DatabaseSync(place.path('people.db'));
    other.exec('PRAGMA journal_mode = WAL');
    other.prepare('SELECT count(*) FROM trefoil_meta').get();
    place.write('more.csv', csv(80));
    await done(['protect', 'more.csv', ...at('people.db'), '--out', 'more.safe.csv']);
    // The log stays for the other process, and holds nothing that the file does not have.
    copyFileSync(place.path('people.db'), place.path('copied.db'));
    const back = await done(['reveal', 'more.safe.csv', ...at('copied.db')]);
    expect(cellsOf(back.out)).toHaveLength(80);
    other.close();

    mkdirSync(place.path('fixed'));
    copyFileSync(place.path('copied.db'), place.path('fixed/people.db'));
    chmodSync(place.path('fixed/people.db'), 0o444);
    chmodSync(place.path('fixed'), 0o555);
    const isRoot = process.getuid?.() === 0;
    const as = isRoot ? 'setpriv --bounding-set -dac_override,-dac_read_search ' : '';
    const line = `reveal safe.csv ${at('fixed/people.db').join(' ')} --quiet`;
    const fixed = await place.bash(`${as}$T ${line}`);
    expect(fixed.code, fixed.err).toBe(0);
    expect(cellsOf(fixed.out).map((cells) => cells[1])).toEqual(cellsOf(place.read('in.csv')).map((cells) => cells[1]));
    const shredded = await place.bash(`echo 7 | ${as}$T vault shred ${at('fixed/people.db').join(' ')}`);
    expect(shredded.code).toBe(5);
    expect(shredded.out).toBe('');
    expect(shredded.err).toMatch(/fixed\/people\.db: .*\(SQLITE_(READONLY|CANTOPEN)\)/);
    expect(readdirSync(place.path('fixed'))).toEqual(['people.db']);
    chmodSync(place.path('fixed'), 0o700);
    expect(safe).not.toBe('');
  });
});

describe('a new file', () => {
  test('is read by its owner alone, and so is what is beside it, whatever the umask', async () => {
    for (const umask of ['000', '022']) {
      const line = `umask ${umask}; (cat in.csv; sleep 3) | $T protect - --format csv ${at('people.db').join(' ')} > /dev/null`;
      const running = place.bash(line);
      while (!existsSync(place.path('people.db-shm'))) await new Promise((next) => setTimeout(next, 5));
      expect(['people.db', ...beside('people.db')].map(modeOf)).toEqual(expect.arrayContaining([0o600]));
      expect(new Set(['people.db', ...beside('people.db')].map(modeOf))).toEqual(new Set([0o600]));
      expect((await running).code).toBe(0);
      expect(modeOf('people.db')).toBe(0o600);
      rmSync(place.path('people.db'));
    }
    symlinkSync('real.db', place.path('link.db'));
    await filled('link.db');
    expect(modeOf('real.db')).toBe(0o600);
    // An existing file keeps its mode.
    chmodSync(place.path('real.db'), 0o640);
    await filled('link.db');
    expect(modeOf('real.db')).toBe(0o640);
  });
});

describe('a file without a vault', () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['reveal', 'safe.csv'],
    ...['stats', 'verify', 'expire', 'rekey', 'forget', 'shred', 'check-certificate', 'export'].map((verb) => [
      'vault',
      verb,
    ]),
  ];

  test.each(['empty', 'another database', 'tables without metadata'])(
    '%s: nothing is done where nothing is protected, and nothing is made in it',
    async (kind) => {
      await filled('whole.db');
      writeFileSync(place.path('people.db'), '');
      if (kind !== 'empty') {
        const handle = new DatabaseSync(place.path('people.db'));
        handle.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1)');
        if (kind === 'tables without metadata') {
          handle.exec('CREATE TABLE trefoil_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)');
          handle.exec('INSERT INTO trefoil_schema VALUES (1, 1)');
          handle.exec('CREATE TABLE trefoil_meta (one INTEGER PRIMARY KEY, generation INTEGER, text TEXT)');
        }
        handle.close();
      }
      const before = readFileSync(place.path('people.db'));
      for (const command of COMMANDS) {
        const ended = await place.run([...command, ...at('people.db')], '7\n');
        expect(ended.err).toContain('people.db: the database contains no vault');
        expect(ended.code).toBe(5);
        expect(ended.out).toBe('');
        expectVoice(ended, VALUES);
      }
      expect(readFileSync(place.path('people.db'))).toEqual(before);
      expect(beside('people.db')).toEqual([]);
    },
  );

  test('becomes one where something is protected', async () => {
    writeFileSync(place.path('people.db'), '');
    await filled();
    await revealsAlone();
  });
});

describe('--vault', () => {
  const refused = async (vault: string | readonly string[], ...words: readonly string[]) => {
    const given = typeof vault === 'string' ? [vault] : vault;
    const policy = given.length > 1 ? 'two.yaml' : 'p.yaml';
    const places = given.flatMap((one) => ['--vault', one]);
    const before = place.files();
    for (const command of [
      ['protect', 'in.csv', '--out', 'out.csv'],
      ['vault', 'stats'],
    ]) {
      const ended = await place.run([...command, '--policy', policy, '--keys', 'keys.json', ...places]);
      for (const word of words) expect(ended.err).toContain(word);
      expect(ended.code, ended.err).toBe(2);
      expectVoice(ended, VALUES);
      expect(ended.err).not.toMatch(/hunter2|poeple|swordfish/);
    }
    expect(place.files()).toEqual(before);
  };

  test('with a name that is no store of the policy', async () => {
    await refused('poeple=p.db', 'its stores are people', 'did you mean people=PLACE?');
    await refused('People=p.db', 'did you mean people=PLACE?');
    await refused('zzz=p.db', 'its stores are people', './NAME=PLACE');
    await refused('=p.db', 'the policy has no store NAME');
    await refused('people =p.db', 'the policy has no store NAME');
    await refused('poeple=postgres://db.example/people', 'the policy has no store NAME');
    await refused(['people=a.db', 'phone=b.db'], 'its stores are people, phones', 'did you mean phones=PLACE?');
    await refused(['people=a.db', 'people=b.db'], 'twice');
    await refused(['people=a.db', 'b.db'], 'expected NAME=PLACE');
  });

  test('with a database that is gone when the run ends, or an address that SQLite would read', async () => {
    await refused(':memory:', 'would be lost when the run ends');
    await refused('people=:memory:', 'would be lost when the run ends');
    await refused(':memory:?cache=shared', 'would be lost when the run ends');
    for (const place of [' :memory:', 'people= :memory:', 'p.db ', 'people=p.db\t']) {
      await refused(place, 'begins or ends with white space');
    }
    await refused('file:p.db', 'another kind of address');
    await refused('file:p.db?mode=memory', 'another kind of address');
    await refused('people=file::memory:', 'another kind of address');
    await refused('FILE:p.db', 'another kind of address');
    await refused('mysql://db.example/people', 'another kind of address');
    await refused('Postgres://db.example/people', 'another kind of address');
    await refused('', 'got nothing');
    await refused('people=', 'got nothing');
  });

  test('with a password, wherever it is', async () => {
    for (const vault of [
      'postgres://me:hunter2@db.example/people',
      'postgresql://me:hunter2@db.example/people',
      'POSTGRES://me:hunter2@db.example/people',
      'people=postgres://me:hunter2@db.example/people',
      'postgres://:hunter2@db.example/people',
      'postgres://me:hunt/er2@db.example/people',
      'postgres://me:swordfish?x@db.example/people',
      'postgres://me:swordfish#x@db.example/people',
      'postgres://me:swordfish@x@db.example/people',
      'postgres://db.example/people?password=hunter2',
      'postgres://db.example/people?user=me&password=hunter2',
      'postgres://db.example/people?PassWord=hunter2',
      'postgres://db.example/people?p%61ssword=hunter2',
      'postgres://db.example/people?%70%61%73%73%77%6f%72%64=hunter2',
      'postgres://db.example/people?p%61ss%ffword=hunter2',
      'postgres://db.example/people?sslpassword=hunter2',
      'postgres://db.example/people#password=hunter2',
      'people=postgres://db.example/people?sslmode=require&sslpassword=hunter2',
      'host=db.example password=hunter2',
      'password=hunter2 host=db.example',
      'people=password=hunter2 host=db.example',
      'people=host=db.example password=hunter2',
      'people= password = hunter2 host=db.example',
    ]) {
      await refused(vault, '--vault contains a password', 'PGPASSWORD');
    }
  });

  test('takes a file whatever its name, with its folder before it', async () => {
    for (const name of ['a=b.db', ':memory:', 'file:x.db', 'a b?c#d%41.db']) {
      await filled(`./${name}`);
      expect(place.files()).toContain(name);
      await done(['reveal', 'safe.csv', ...at(`./${name}`)]);
      await done(['vault', 'verify', ...at(`people=./${name}`)]);
    }
    const known = place.path('known=.db');
    await filled(known);
    expect(place.files()).toContain('known=.db');
  });
});
