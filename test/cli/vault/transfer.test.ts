/** Export and import of a store from the command line: through files and pipes, and what is refused. */
import { statSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectVoice, makePlace } from '../harness.ts';

const place = makePlace();
afterAll(() => place.remove());

const POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: vault, scope: person.name, store: people, subject: id, onErased: error }
  phone: { rule: vault, scope: person.phone, store: people }
`;
const ROWS = Array.from({ length: 600 }, (_, i) => `${i},Person ${i % 400},+49 30 ${i % 300}`);
const VALUES = ['Person', '+49 30'];
const at = (store: string) => ['--policy', 'p.yaml', '--keys', 'keys.json', '--vault', store];
const json = (out: string) => JSON.parse(out.trimEnd());

beforeAll(async () => {
  place.write('p.yaml', POLICY);
  place.write('in.csv', `id,name,phone\n${ROWS.join('\n')}\n`);
  await place.run(['keys', 'new', '--out', 'keys.json']);
  expect((await place.run(['protect', 'in.csv', ...at('a.db'), '--out', 'safe.csv'])).code).toBe(0);
});

describe('there and back', () => {
  test('a file of its owner alone, a new store, and the same tokens', async () => {
    const done = await place.run(['vault', 'export', ...at('a.db'), '--out', 'a.ndjson']);
    expectVoice(done, VALUES);
    expect(done).toMatchObject({ code: 0, out: '' });
    // Two rows for each of 600 names and 300 telephones, and for each of 600 subjects.
    expect(done.err).toContain('3,000 rows exported');
    expect(statSync(place.path('a.ndjson')).mode & 0o777).toBe(0o600);
    expect(/Person \d|\+49 30 /.test(place.read('a.ndjson'))).toBe(false);
    expect(json(place.read('a.ndjson').split('\n')[0]!)).toMatchObject({ trefoil: 'vault-v1 export', store: 'people' });

    const imported = await place.run(['vault', 'import', 'a.ndjson', ...at('b.db')]);
    expectVoice(imported, VALUES);
    expect(imported).toMatchObject({ code: 0, err: '' });
    const rows = { rows: 3000, erased: 0, expired: 0, conflicts: 0 };
    expect(json(imported.out)).toEqual({ store: 'people', ...rows, written: 3000, there: 0 });
    const again = await place.run(['vault', 'import', ...at('b.db')], place.read('a.ndjson'));
    expect(json(again.out)).toEqual({ store: 'people', ...rows, written: 0, there: 3000 });

    const same = await place.run(['protect', 'in.csv', ...at('b.db'), '--out', 'b.csv']);
    expect(same.code).toBe(0);
    expect(place.read('b.csv')).toBe(place.read('safe.csv'));
    expect((await place.run(['vault', 'verify', ...at('b.db')])).code).toBe(0);
    // An export that exists stays.
    expect((await place.run(['vault', 'export', ...at('a.db'), '--out', 'a.ndjson'])).code).toBe(5);
    expect((await place.run(['vault', 'export', ...at('a.db'), '--out', 'a.ndjson', '--force'])).code).toBe(0);
  });

  test('through a pipe; and what was erased since stays erased', async () => {
    const copied = await place.bash(
      `set -o pipefail; $T vault export ${at('a.db').join(' ')} | $T vault import - ${at('c.db').join(' ')}`,
    );
    expect(copied.code).toBe(0);
    const [, , phone] = place.read('safe.csv').split('\n')[1]!.split(',');
    await place.run(['vault', 'forget', ...at('c.db')], `${phone}\n`);
    await place.run(['vault', 'shred', ...at('c.db')], '4\n');
    const older = await place.run(['vault', 'import', 'a.ndjson', ...at('c.db')]);
    expect(older.code).toBe(0);
    expect(json(older.out)).toMatchObject({ written: 0, erased: 0, conflicts: 0 });
    const load = await place.run(['protect', 'in.csv', ...at('c.db'), '--out', 'no.csv']);
    expect(load.err).toContain('erased');
    // And it comes along.
    await place.run(['vault', 'export', ...at('c.db'), '--out', 'c.ndjson']);
    const newer = await place.run(['vault', 'import', 'c.ndjson', ...at('b.db')]);
    expect(json(newer.out)).toMatchObject({ written: 0, erased: 4, conflicts: 0 });
    expect(newer.err).toContain('4 rows of the store were destroyed, because the export has erased them');
    expect(newer.code).toBe(0);
    expect(older.err).toBe('');
    expect((await place.run(['protect', 'in.csv', ...at('b.db'), '--out', 'no.csv'])).err).toContain('erased');
  });

  test('two stores that were filled apart: what is there stays, and the exit code says so', async () => {
    place.write('one.csv', 'id,name,phone\n1,Person 1,+49 30 1\n');
    await place.run(['protect', 'one.csv', ...at('d.db')]);
    const done = await place.run(['vault', 'import', 'a.ndjson', ...at('d.db')]);
    expect(done.code).toBe(9);
    // The subject with its key, and a telephone number with its token.
    expect(json(done.out).conflicts).toBe(4);
    expect(done.err).toContain('4 rows left out');
    expectVoice(done, VALUES);
    expect((await place.run(['vault', 'verify', ...at('d.db')])).code).toBe(0);
  });

  test('an import that is killed leaves no key that shredding does not find', async () => {
    const people = Array.from({ length: 1100 }, (_, i) => `${i + 10},Person ${i},+49 30 ${i}`);
    place.write('apart.csv', `id,name,phone\n1,Person of the export,+49 30\n${people.join('\n')}\n`);
    place.write('own.csv', 'id,name,phone\n1,Person of the store,+49 31\n');
    await place.run(['protect', 'apart.csv', ...at('apart.db'), '--out', 'apart.safe.csv']);
    await place.run(['protect', 'own.csv', ...at('own.db'), '--out', 'own.safe.csv']);
    await place.run(['vault', 'export', ...at('apart.db'), '--out', 'apart.ndjson']);
    place.write('one.safe.csv', `${place.read('apart.safe.csv').split('\n').slice(0, 2).join('\n')}\n`);
    // The export comes by a slow line: all but its last part.
    const lines = place.read('apart.ndjson').split('\n');
    const end = lines.findLastIndex((line) => line.startsWith('{"part"') && !line.includes('"rows"'));
    const { child, ended } = place.start(['vault', 'import', '-', ...at('own.db')]);
    child.stdin!.write(`${lines.slice(0, end + 1).join('\n')}\n`);
    const handle = new DatabaseSync(place.path('own.db'));
    handle.exec('pragma busy_timeout = 20000');
    const tokens = () => (handle.prepare('select count(*) as n from trefoil_token').get() as { n: number }).n;
    while (tokens() < 2000) await new Promise((done) => setTimeout(done, 20));
    handle.close();
    child.kill('SIGKILL');
    await ended;
    const shredded = await place.run(['vault', 'shred', ...at('own.db')], '1\n');
    expect(json(shredded.out).destroyed).toBe('key');
    const revealed = await place.run(['reveal', 'one.safe.csv', ...at('own.db')]);
    expect(revealed.out).not.toContain('Person of the export');
    // A second run completes the import, and shredded subjects stay shredded.
    expect((await place.run(['vault', 'import', 'apart.ndjson', ...at('own.db')])).code).toBe(0);
    expect((await place.run(['vault', 'verify', ...at('own.db')])).code).toBe(0);
    const again = await place.run(['reveal', 'one.safe.csv', ...at('own.db')]);
    expect(again.code).toBe(1);
    expect(again.out + again.err).not.toContain('Person of the export');
  });
});

describe('what is refused', () => {
  const refused = async (args: readonly string[], part: string, code: number, input = '') => {
    const ended = await place.run(args, input);
    expectVoice(ended, VALUES);
    expect(ended.err).toContain(part);
    expect(ended.code).toBe(code);
  };

  test('a file that was cut or changed, with its line; and no file', async () => {
    const lines = place.read('a.ndjson').trimEnd().split('\n');
    place.write('cut.ndjson', lines.slice(0, -1).join('\n'));
    await refused(['vault', 'import', 'cut.ndjson', ...at('e.db')], 'cut.ndjson: the end of the export is missing', 7);
    const cut = await place.run(['vault', 'import', 'cut.ndjson', ...at('cut.db')]);
    expect(cut.err).toMatch(/before that, 3,000 rows were written and 0 erased/);
    // One row of the first part, and all of the second.
    place.write('changed.ndjson', lines.with(9, lines[9]!.replace(/"body":"./, '"body":"')).join('\n'));
    await refused(['vault', 'import', 'changed.ndjson', ...at('e.db')], 'changed.ndjson: line 10: ', 7);
    // Without a complete part, not even an empty file is left of a new store.
    place.write('first.ndjson', lines.slice(0, 100).join('\n'));
    for (const file of ['first.ndjson', 'changed.ndjson', 'in.csv']) {
      await refused(['vault', 'import', file, ...at('never.db')], 'nothing was written', 7);
    }
    expect(place.files().filter((file) => file.startsWith('never'))).toEqual([]);
    const ends = lines.flatMap((line, i) => (line.startsWith('{"part"') ? [i] : []));
    expect(ends.length).toBe(4);
    place.write('left.ndjson', [...lines.slice(0, ends[0]! + 1), ...lines.slice(ends[1]! + 1)].join('\n'));
    await refused(['vault', 'import', 'left.ndjson', ...at('e.db')], 'were left out or changed', 7);
    await refused(['vault', 'import', 'none.ndjson', ...at('e.db')], 'none.ndjson', 5);
    await refused(['vault', 'import', ...at('e.db')], 'the export is empty', 7);
    await refused(['vault', 'import', 'in.csv', ...at('e.db')], 'in.csv: line 1: the line is not the first line', 7);
    // The complete export can still be imported.
    expect((await place.run(['vault', 'import', 'a.ndjson', ...at('e.db')])).code).toBe(0);
    expect((await place.run(['vault', 'verify', ...at('e.db')])).code).toBe(0);
  });

  test('another domain, other keys, and outputs that are inputs', async () => {
    place.write('us.yaml', POLICY.replace('eu-enclave', 'us-enclave'));
    const us = at('f.db').with(1, 'us.yaml');
    await refused(['vault', 'import', 'a.ndjson', ...us], 'of another domain', 4);
    await place.run(['keys', 'new', '--out', 'other.json']);
    const other = at('f.db').with(3, 'other.json');
    await refused(['vault', 'import', 'a.ndjson', ...other], 'which the keyset does not have', 1);
    for (const out of ['a.db', 'keys.json', 'p.yaml']) {
      await refused(['vault', 'export', ...at('a.db'), '--out', out, '--force'], 'an input of the same run', 5);
    }
    await refused(['vault', 'export', ...at('people=a.db'), '--out', 'a.db', '--force'], 'an input of the same run', 5);
  });

  test('rows that do not verify are left out, and nothing is left of an export that fails', async () => {
    const { DatabaseSync } = await import('@photostructure/sqlite');
    const damage = (file: string, sql: string) => {
      const database = new DatabaseSync(place.path(file));
      database.exec(sql);
      database.close();
    };
    damage('e.db', 'UPDATE trefoil_value SET version = version + 1 WHERE rowid <= 3');
    const partly = await place.run(['vault', 'export', ...at('e.db'), '--out', 'e.ndjson']);
    expect(partly.code).toBe(9);
    expect(partly.err).toContain('3 rows do not verify and were left out');
    expect(partly.err).toMatch(/ (2,997|3,00\d) rows exported/);
    damage('e.db', 'DROP TABLE trefoil_value');
    const files = place.files();
    await refused(['vault', 'export', ...at('e.db'), '--out', 'gone.ndjson'], 'SQLITE_ERROR', 5);
    expect(place.files().filter((name) => !name.startsWith('e.db'))).toEqual(
      files.filter((name) => !name.startsWith('e.db')),
    );
  });

  test('which store is to be said where there are several', async () => {
    place.write('two.yaml', `${POLICY}  ticket: { rule: vault, scope: ticket, store: tickets }\n`);
    const two = ['--policy', 'two.yaml', '--keys', 'keys.json', '--vault', 'a.db'];
    await refused(['vault', 'export', ...two], 'choose one with --store people or tickets', 2);
    await refused(['vault', 'export', ...two, '--store', 'x'], '--store expected people or tickets', 2);
    const done = await place.run(['vault', 'export', ...two, '--store', 'people', '--out', 'two.ndjson']);
    expect(done.code).toBe(0);
    place.write('plain.yaml', 'trefoil: 1\ndomain: eu-enclave\nfields:\n  id: keep\n');
    const plain = ['--policy', 'plain.yaml', '--keys', 'keys.json', '--vault', 'a.db'];
    await refused(['vault', 'import', 'a.ndjson', ...plain], 'no vault rule', 2);
  });
});
