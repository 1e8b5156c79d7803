/**
 * A vault in a real PostgreSQL from the command line, with real processes. `.ci/postgres` starts a server and puts its
 * address into TREFOIL_PG. Without a server these tests are skipped.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cellsOf, expectVoice, json, makePlace, type Place } from '../harness.ts';

const url = process.env.TREFOIL_PG;

type Client = {
  readonly connect: () => Promise<void>;
  readonly end: () => Promise<void>;
  readonly query: (text: string, values?: unknown[]) => Promise<{ readonly rows: Record<string, unknown>[] }>;
};
const { Client } = pg as unknown as { readonly Client: new (options: object) => Client };

const POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: vault, scope: person.name, store: people, subject: id }
  phone: { rule: vault, scope: person.phone, store: people }
  note: keep
`;
const VALUES = ['Person', '+49 30'];
const csv = (count: number, note = 'x') =>
  `id,name,phone,note\n${Array.from({ length: count }, (_, n) => `${n},Person ${n},+49 30 ${n >> 1},${note}\n`).join('')}`;

describe.skipIf(url === undefined)('a vault in PostgreSQL', () => {
  const database = `vault_${randomUUID().slice(0, 8)}`;
  let place: Place;
  let admin: Client;
  let inside: Client;
  let args: readonly string[];

  const clientOf = async (connectionString: string): Promise<Client> => {
    const client = new Client({ connectionString });
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    place = makePlace();
    place.write('p.yaml', POLICY);
    place.write('in.csv', csv(3000));
    await place.run(['keys', 'new', '--out', 'keys.json']);
    admin = await clientOf(url!);
    await admin.query(`create database ${database}`);
    const there = url!.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
    inside = await clientOf(there);
    args = ['--policy', 'p.yaml', '--keys', 'keys.json', '--vault', there];
  });
  afterAll(async () => {
    await inside.end();
    await admin.query(`drop database ${database} with (force)`);
    await admin.end();
    place.remove();
  });

  const verify = async () => {
    const { code, out, err } = await place.run(['vault', 'verify', ...args]);
    expect(code, err).toBe(0);
    expect(json(out)[0]).toMatchObject({ store: 'people', broken: 0, problems: [] });
  };

  test('records there and back, by two processes at once and once more', async () => {
    const [one, two] = await Promise.all(
      ['one.csv', 'two.csv'].map((out) => place.run(['protect', 'in.csv', ...args, '--out', out])),
    );
    expect([one!.code, two!.code], one!.err + two!.err).toEqual([0, 0]);
    expect(one!.err).toContain('3,000 rows in, 3,000 out');
    expectVoice(one!, VALUES);
    expect(place.read('two.csv')).toBe(place.read('one.csv'));
    expect(place.read('one.csv')).not.toMatch(/Person|\+49/);
    const again = await place.run(['protect', 'in.csv', ...args]);
    expect(again.out).toBe(place.read('one.csv'));
    const back = await place.run(['reveal', 'one.csv', ...args]);
    expect(back.code, back.err).toBe(0);
    expect(cellsOf(back.out).map((cells) => cells.slice(1))).toEqual(
      cellsOf(place.read('in.csv')).map((cells) => cells.slice(1)),
    );
    for (const table of ['value', 'token', 'subject']) {
      const { rows } = await inside.query(`select body from trefoil_${table}`);
      expect(Buffer.concat(rows.map(({ body }) => body as Buffer)).toString('latin1')).not.toMatch(
        /Person \d|\+49 30 /,
      );
    }
  });

  test('stats, verify, expire', async () => {
    const stats = await place.run(['vault', 'stats', ...args]);
    expect(stats.code, stats.err).toBe(0);
    expect(json(stats.out)[0]).toMatchObject({ domain: 'eu-enclave', store: 'people' });
    expect(json(stats.out)[0].tables).toMatchObject({ value: { rows: 4500 }, token: { rows: 4500 } });
    await verify();
    expect(json((await place.run(['vault', 'expire', ...args])).out)).toEqual([{ store: 'people', removed: 0 }]);
  });

  test('connections that are lost inside a run: it is said, and the run is repeated', async () => {
    place.write('long.csv', csv(12_000, 'n'.repeat(300)));
    const command = ['protect', 'long.csv', ...args, '--out', 'long.safe.csv'];
    const { ended } = place.start(command);
    let over = false;
    ended.then(() => {
      over = true;
    });
    // The first new rows are there, and the rest is not.
    const count = async () => Number((await inside.query('select count(*) as n from trefoil_value')).rows[0]!.n);
    const before = await count();
    while (!over && (await count()) === before) await new Promise((done) => setTimeout(done, 5));
    await inside.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const first = await ended;
    // If all connections of the run were idle when they were lost, it takes others and succeeds.
    if (first.code !== 0) {
      expect(first.code).toBe(5);
      expect(first.err).toMatch(/the connection to PostgreSQL failed or was lost|the server ended the connection/);
      expect(place.files()).not.toContain('long.safe.csv');
      expect((await place.run(command)).code).toBe(0);
    }
    expectVoice(first, VALUES);
    // Those of the runs before have kept their tokens.
    const tokens = (name: string) => cellsOf(place.read(name)).map((cells) => cells.slice(0, 3).join());
    expect(tokens('long.safe.csv').slice(0, 3000)).toEqual(tokens('one.csv'));
    await verify();
  });

  test('kill -9 in the middle of a file, then --resume', async () => {
    place.write('more.csv', csv(16_000, 'm'.repeat(300)));
    const command = ['protect', 'more.csv', ...args, '--out', 'more.safe.csv', '--resume'];
    const { child, ended } = place.start(command);
    let over = false;
    ended.then(() => {
      over = true;
    });
    while (!over && !place.files().includes('more.safe.csv.resume.json')) await new Promise((d) => setTimeout(d, 5));
    child.kill('SIGKILL');
    expect((await ended).code).toBeNull();
    expect(JSON.parse(place.read('more.safe.csv.resume.json')).position.rows).toBeLessThan(16_000);
    const elsewhere = command.map((one) => (one.startsWith('postgres') ? 'other.db' : one));
    const refused = await place.run(elsewhere);
    expect(refused.err).toContain('the store of the vault has changed');
    expect(refused.code).toBe(5);
    expect((await place.run(command)).code).toBe(0);
    const whole = await place.run(['protect', 'more.csv', ...args]);
    expect(whole.code).toBe(0);
    expect(place.read('more.safe.csv')).toBe(whole.out);
    await verify();
  });

  test('forget and shred; what was erased stays so', async () => {
    const cells = cellsOf(place.read('one.csv'));
    const forgotten = await place.run(['vault', 'forget', ...args], `${cells[20]![2]}\nno token\n`);
    expect(json(forgotten.out)).toEqual([
      { line: 1, found: true, forgotten: true },
      { line: 2, found: false, forgotten: false },
    ]);
    expect(forgotten.code).toBe(9);
    const shredded = await place.run(['vault', 'shred', ...args], '7\n8\n');
    expect(shredded.code, shredded.err).toBe(0);
    expect(json(shredded.out)).toMatchObject(
      [7, 8].map(() => ({ trefoil: 'vault-v1 certificate', destroyed: 'key', store: 'people' })),
    );
    const [head, ...lines] = place.read('one.csv').trimEnd().split('\n');
    for (const [row, code] of [
      [6, 0],
      [7, 1],
      [8, 1],
      [20, 1],
    ] as const) {
      const back = await place.run(['reveal', '-', '--format', 'csv', ...args], `${head}\n${lines[row]}\n`);
      expect(back.code, back.err).toBe(code);
      if (code === 1) expect(back.err).toContain('the mapping of this token was destroyed');
    }
    const load = await place.run(['protect', 'in.csv', ...args, '--out', 'later.csv']);
    expect(load.code).toBe(1);
    expect(load.err).toContain('erased');
    expectVoice(load, VALUES);
    await verify();
  });

  test('an unknown subject gets no certificate, and a certificate is checked', async () => {
    const done = await place.run(['vault', 'shred', ...args], '9\n99999\n');
    expect(done.code, done.err).toBe(9);
    expect(json(done.out)).toMatchObject([{ destroyed: 'key' }, { line: 2, found: false, store: 'people' }]);
    const checked = await place.run(['vault', 'check-certificate', ...args], done.out.split('\n')[0]);
    expect(checked.code, checked.err).toBe(0);
    expect(json(checked.out)).toMatchObject([{ verified: true, destroyed: 'key', subject: null }]);
    await verify();
  });

  describe('label and onErased', () => {
    const other = `${database}_labels`;
    const fields = ['error', 'new', 'missing'].map(
      (way) =>
        `  ${way}: { rule: vault, scope: ${way}, store: people, label: ${way.slice(0, 3)}, onErased: ${way}, subject: id }\n`,
    );
    const records = `id,error,new,missing\n${[1, 2, 3].map((n) => `${n},Person ${n},Person ${n},Person ${n}\n`).join('')}`;
    let at: readonly string[];
    let client: Client;

    beforeAll(async () => {
      await admin.query(`create database ${other}`);
      const there = url!.replace(/\/[^/?]*(\?|$)/, `/${other}$1`);
      client = await clientOf(there);
      place.write('labels.yaml', `trefoil: 1\ndomain: eu-enclave\nfields:\n  id: keep\n${fields.join('')}`);
      place.write('labels.csv', records);
      at = ['--policy', 'labels.yaml', '--keys', 'keys.json', '--vault', there];
    });
    afterAll(async () => {
      await client.end();
      await admin.query(`drop database ${other} with (force)`);
    });

    /** Runs some columns of the records, so that the field with the error can be left out. */
    const run = async (command: string, rows: readonly (readonly string[])[], names: readonly string[]) => {
      const left = fields.filter((field) => names.some((name) => field.startsWith(`  ${name}:`)));
      place.write('some.yaml', `trefoil: 1\ndomain: eu-enclave\nfields:\n  id: keep\n${left.join('')}`);
      const input = [['id', ...names], ...rows].map((cells) => `${cells.join()}\n`).join('');
      const options = at.map((one) => (one === 'labels.yaml' ? 'some.yaml' : one));
      return await place.run([command, '-', '--format', 'csv', ...options], input);
    };

    test('tokens have their labels, and are found by them again', async () => {
      const safe = await place.run(['protect', 'labels.csv', ...at, '--out', 'labels.safe.csv']);
      expect(safe.code, safe.err).toBe(0);
      expectVoice(safe, VALUES);
      for (const cells of cellsOf(place.read('labels.safe.csv'))) {
        expect(cells).toEqual([
          cells[0],
          expect.stringMatching(/^err_/),
          expect.stringMatching(/^new_/),
          expect.stringMatching(/^mis_/),
        ]);
      }
      const again = await place.run(['protect', 'labels.csv', ...at]);
      expect(again.out).toBe(place.read('labels.safe.csv'));
      const back = await place.run(['reveal', 'labels.safe.csv', ...at]);
      expect(back, back.err).toMatchObject({ code: 0, out: records });
      // A token of another field is not one of this one.
      const [, error, fresh] = cellsOf(place.read('labels.safe.csv'))[0]!;
      const mixed = await run('reveal', [['1', error!, fresh!]], ['new', 'error']);
      expect(mixed.code).toBe(1);
      expect(mixed.err).toMatch(/field new: the token is not in the vault under this scope/);
    });

    test('after an erasure each field goes on as it says', async () => {
      const shredded = await place.run(['vault', 'shred', ...at], '2\n');
      expect(shredded.code, shredded.err).toBe(0);
      const safe = cellsOf(place.read('labels.safe.csv'));
      const [error, fresh, missing] = safe[1]!.slice(1) as [string, string, string];
      const value = 'Person 2';

      for (const ended of [
        await run('protect', [['2', value]], ['error']),
        await run('reveal', [['2', error]], ['error']),
        await run('reveal', [['2', fresh]], ['new']),
      ]) {
        expect(ended.code).toBe(1);
        expect(ended.err).toMatch(/erased|destroyed/);
        expectVoice(ended, VALUES);
      }
      const gone = await run('protect', [['2', value]], ['missing']);
      expect(gone, gone.err).toMatchObject({ code: 0, out: 'id,missing\n2,\n' });
      expect(gone.err).toContain('1 erased value counts as missing');
      const back = await run('reveal', [['2', missing]], ['missing']);
      expect(back, back.err).toMatchObject({ code: 0, out: 'id,missing\n2,\n' });

      const anew = await run('protect', [['2', value]], ['new']);
      expect(anew.code, anew.err).toBe(0);
      const token = cellsOf(anew.out)[0]![1]!;
      expect(token).toMatch(/^new_/);
      expect(token).not.toBe(fresh);
      expect((await run('protect', [['2', value]], ['new'])).out).toBe(anew.out);
      expect(await run('reveal', [['2', token]], ['new'])).toMatchObject({ code: 0, out: `id,new\n2,${value}\n` });
      // The others are as they were, and the token from before the erasure stays dead.
      expect((await run('reveal', [['2', fresh]], ['new'])).code).toBe(1);
      const rest = await run('protect', [['1', 'Person 1', 'Person 1', 'Person 1']], ['error', 'new', 'missing']);
      expect(rest).toMatchObject({ code: 0 });
      expect(cellsOf(rest.out)[0]).toEqual(safe[0]);
      const verified = await place.run(['vault', 'verify', ...at]);
      expect(json(verified.out)[0]).toMatchObject({ broken: 0, problems: [] });
      const { rows } = await client.query('select body from trefoil_value');
      expect(Buffer.concat(rows.map(({ body }) => body as Buffer)).toString('latin1')).not.toMatch(/Person \d/);
    });
  });

  test('a database without a vault: nothing is done where nothing is protected, and nothing is made', async () => {
    const empty = `${database}_empty`;
    await admin.query(`create database ${empty}`);
    const there = url!.replace(/\/[^/?]*(\?|$)/, `/${empty}$1`);
    const elsewhere = args.map((one) => (one.startsWith('postgres') ? there : one));
    const client = await clientOf(there);
    try {
      for (const command of [
        ['reveal', 'one.csv'],
        ...['stats', 'verify', 'expire', 'rekey', 'forget', 'shred', 'export'].map((verb) => ['vault', verb]),
      ]) {
        const ended = await place.run([...command, ...elsewhere], '7\n');
        expect(ended.err).toContain('the database contains no vault');
        expect(ended.code).toBe(5);
        expect(ended.out).toBe('');
      }
      expect((await client.query("select 1 from pg_class where relname like 'trefoil%'")).rows).toEqual([]);
      // Tables without metadata are no vault yet, either.
      await client.query('create table trefoil_meta (one boolean, tables integer, generation integer, text text)');
      await client.query("insert into trefoil_meta values (true, 1, 0, '')");
      const ended = await place.run(['vault', 'shred', ...elsewhere], '7\n');
      expect(ended.err).toContain('the database contains no vault');
      expect(ended.code).toBe(5);
    } finally {
      await client.end();
      await admin.query(`drop database ${empty} with (force)`);
    }
  });

  test('connections are closed when a command ends, also by an error or a signal', async () => {
    const connections = async () => {
      const { rows } = await inside.query(
        'select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and client_port is not null',
      );
      return rows.length;
    };
    const none = async () => {
      // A backend takes a moment to go.
      for (let i = 0; i < 100 && (await connections()) > 0; i++) await new Promise((next) => setTimeout(next, 20));
      expect(await connections()).toBe(0);
    };
    expect((await place.run(['vault', 'stats', ...args])).code).toBe(0);
    await none();
    expect((await place.run(['protect', 'in.csv', ...args])).code).toBe(1);
    await none();
    const { child, ended } = place.start(['vault', 'shred', ...args]);
    while ((await connections()) === 0) await new Promise((next) => setTimeout(next, 5));
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    await none();
  });

  test('tables of a newer version are refused', async () => {
    await inside.query('update trefoil_meta set tables = 2');
    for (const command of [
      ['protect', 'in.csv', ...args],
      ['vault', 'verify', ...args],
    ]) {
      const ended = await place.run(command);
      expect(ended.err).toContain('the tables of the vault are of a newer version of trefoil');
      expect(ended.code).toBe(5);
    }
    await inside.query('update trefoil_meta set tables = 1');
    await verify();
  });

  test('a server that is not there', async () => {
    const nowhere = args.map((one) => (one.startsWith('postgres') ? 'postgres://someone@127.0.0.1:9/secret' : one));
    const ended = await place.run(['protect', 'in.csv', ...nowhere]);
    expect(ended.err).toContain('the connection to PostgreSQL failed or was lost');
    expect(ended.err).not.toMatch(/secret|someone|127/);
    expect(ended.code).toBe(5);
  });

  test('a retired root leaves the branches that the store needs', async () => {
    const there = args.at(-1)!;
    const run = async (line: readonly string[], input = '') => {
      const ended = await place.run(line, input);
      expect(ended.code, ended.err).toBe(0);
      expectVoice(ended, VALUES);
      return ended;
    };
    // Nobody among these was erased by the tests above.
    const rows = csv(3000).split('\n');
    place.write('kept.csv', `${[rows[0], ...rows.slice(100, 200)].join('\n')}\n`);
    const before = (await run(['protect', 'kept.csv', ...args, '--quiet'])).out;
    await run(['keys', 'add', '--keys', 'keys.json', '--out', 'k2.json']);
    const { keys } = JSON.parse((await run(['keys', 'inspect', '--keys', 'k2.json', '--json'])).out) as {
      keys: { id: string; state: string }[];
    };
    const [old, now] = [keys[0]!.id, keys.find(({ state }) => state === 'ready')!.id];
    await run(['keys', 'promote', now, '--keys', 'k2.json', '--out', 'k3.json']);
    await run(['vault', 'rekey', '--policy', 'p.yaml', '--keys', 'k3.json', '--vault', there]);
    const retire = ['keys', 'retire', old, '--policy', 'p.yaml', '--keys', 'k3.json', '--vault', there];
    expect((await place.run([...retire, '--out', 'no.json'])).err).toContain('has mappings in the inner layer of key');
    const { err } = await run([...retire, '--keep-needed', '--out', 'k4.json']);
    const [pin] = /branchCheck: "\w{26}"/.exec(err)!;
    place.write('pinned.yaml', `${pin}\n${POLICY}`);
    const after = ['--policy', 'pinned.yaml', '--keys', 'k4.json', '--vault', there];
    const tokens = (text: string) => cellsOf(text).map((cells) => cells.slice(1, 3));
    expect(tokens((await run(['protect', 'kept.csv', ...after, '--quiet'])).out)).toEqual(tokens(before));
    expect(json((await run(['vault', 'verify', ...after])).out)).toMatchObject([{ broken: 0 }]);
  });
});
