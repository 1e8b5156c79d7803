/**
 * Runs the commands of docs/guide/a-key-has-leaked.md for a service with PostgreSQL, on a real server, and plays the
 * thief of its key file. `.ci/postgres` starts the server. Without one these tests are skipped.
 */
import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { token } from '../../../src/index.ts';
import { openKeys } from '../../../src/keys/domain-keys.ts';
import { addKey, keyset, promoteKey } from '../../../src/keys.ts';
import { subjectKeys } from '../../../src/vault/rows/inner.ts';
import { outerLayer } from '../../../src/vault/rows/outer.ts';
import type { Row, Table } from '../../../src/vault/stores/store.ts';
import { cellsOf, makePlace, type Place } from '../harness.ts';
import { pageRun, stepsOf, textOf } from '../keys/page.ts';
import { keysetsOf, opensSealed, tokensMet } from '../keys/thief.ts';

const url = process.env.TREFOIL_PG;
const page = textOf('docs/guide/a-key-has-leaked.md', '## A service with PostgreSQL');

type Client = {
  readonly connect: () => Promise<void>;
  readonly end: () => Promise<void>;
  readonly query: (
    text: string,
    values?: unknown[],
  ) => Promise<{ readonly rows: Record<string, unknown>[]; readonly rowCount: number }>;
};
const { Client } = pg as unknown as { readonly Client: new (options: object) => Client };

const EXAMPLES: readonly string[] = ['f6z1t7we', 'r9y3k5bd', 'g8w4n0hm', 'q2k6a', 'v7n3d'];
const steps = stepsOf(page);
const move = steps.findIndex((step) => 'command' in step && step.command.includes('create table moved'));

describe.skipIf(url === undefined)('a key file has leaked: a service with PostgreSQL', () => {
  const database = `leak_${randomUUID().slice(0, 8)}`;
  const addressOf = (name: string) => url!.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
  const run = pageRun(EXAMPLES);
  let place: Place;
  let admin: Client;

  const clientOf = async (name: string): Promise<Client> => {
    const client = new Client({ connectionString: addressOf(name) });
    await client.connect();
    return client;
  };
  const withClient = async <T>(name: string, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = await clientOf(name);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    place = makePlace();
    admin = new Client({ connectionString: url! });
    await admin.connect();
    await admin.query(`create database ${database}`);
  });
  afterAll(async () => {
    for (const name of [database, `${database}_stolen`, `${database}_persons`]) {
      await admin.query(`drop database if exists ${name} with (force)`);
    }
    await admin.end();
    place.remove();
  });

  const before = () => `DB='${addressOf(database)}'`;

  describe('the page', () => {
    it('has the steps', () => {
      expect(steps.filter((step) => 'command' in step).length).toBeGreaterThan(25);
      expect(move).toBeGreaterThan(0);
    });
    run.run(steps.slice(0, move), () => place, before);
    it('the thief copies the database and the key file', async () => {
      await admin.query(`create database ${database}_stolen template ${database}`);
      copyFileSync(place.path('keys-1.json'), place.path('stolen.json'));
    });
    run.run(steps.slice(move), () => place, before);
  });

  it('one person has one row, however many processes with either primary key add them at once', async () => {
    const [, insert] = /^const insert = `([^`]+)`/m.exec(page)!;
    const [, lock] = /transaction\.query\('(select pg_advisory_xact_lock[^']+)'/.exec(page)!;
    const first = keyset.generate({ renewable: true });
    const ready = addKey(first);
    const now = promoteKey(ready, ready.ids.find((id) => !first.ids.includes(id))!);
    const rule = token({ scope: 'person.email', label: 'mail' });
    const persons = Array.from({ length: 60 }, (_, n) => `${n}@example.com`);
    const process = (keys: typeof first) =>
      withClient(`${database}_persons`, async (client) => {
        const bound = rule.bind(keys.domain('eu-shop'));
        let added = 0;
        for (const person of persons) {
          const tokens = bound.candidates(person);
          await client.query('begin');
          await client.query(lock!, [[...tokens].sort()[0]]);
          added += (await client.query(insert!, [tokens])).rowCount;
          await client.query('commit');
        }
        return added;
      });
    await admin.query(`create database ${database}_persons`);
    await withClient(`${database}_persons`, (client) =>
      client.query('create table people (row bigint generated always as identity, mail text not null unique)'),
    );
    const added = await Promise.all([ready, now, ready, now].map(process));
    expect(added.reduce((sum, count) => sum + count)).toBe(60);
    await withClient(`${database}_persons`, async (client) => {
      const { rows } = await client.query('select mail from people');
      expect(rows).toHaveLength(60);
      const bound = rule.bind(now.domain('eu-shop'));
      expect(new Set(bound.renewMany(rows.map(({ mail }) => mail as string))).size).toBe(60);
    });
  });

  describe('the thief', () => {
    const ids = Array.from({ length: 10_000 }, (_, n) => String(10_000 + n));
    const mails = [
      ...ids.slice(3).map((n) => `${n}@example.com`),
      ...['ada', 'zoe', 'grace'].map((n) => `${n}@example.com`),
    ];
    const theft = () => ({ keys: place.read('stolen.json'), domain: 'eu-shop' });
    const column = (name: string, of: string) =>
      withClient(name, async (client) => {
        const { rows } = await client.query(`select ${of} as cell from people where ${of} is not null order by row`);
        return rows.map(({ cell }) => cell as string);
      });

    /** How many rows of a store open under some key of the thief, and how many of its subjects a guess meets. */
    const vaultOf = async (name: string) => {
      const tables = ['value', 'token', 'subject'] as const satisfies readonly Table[];
      const rows = new Map<Table, Row[]>();
      await withClient(name, async (client) => {
        for (const table of tables) {
          const found = await client.query(`select idx as index, key, version, expires, body from trefoil_${table}`);
          rows.set(table, found.rows as unknown as Row[]);
        }
      });
      const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
      const subjects = new Set(rows.get('subject')!.map(({ index }) => hexOf(index)));
      let opened = 0;
      const met = new Set<string>();
      for (const keys of keysetsOf(theft())) {
        for (const key of openKeys(keys).keys) {
          const outer = outerLayer(key, 'phones');
          for (const table of tables) {
            // The id of the key in a row is that of the thief's key now.
            const own = rows.get(table)!.map((row) => ({ ...row, key: outer.id }));
            opened += outer.openMany(table, own, () => true).filter((one) => one !== null).length;
          }
          const indexes = outer.indexesOf(subjectKeys(key, 'phones').indexesOf(ids));
          for (let at = 0; at < indexes.length; at += 16) {
            const index = hexOf(indexes.subarray(at, at + 16));
            if (subjects.has(index)) met.add(index);
          }
        }
      }
      return { rows: [...rows.values()].flat().length, opened, met: met.size };
    };

    it('with the old copies tests guesses, opens sealed values, and opens the store', async () => {
      const old = `${database}_stolen`;
      expect(tokensMet(theft(), 'person', ids, await column(old, 'id'))).toBe(3);
      expect(tokensMet(theft(), 'person.email', mails, await column(old, 'mail'))).toBe(3);
      expect(opensSealed(theft(), 'person.name', await column(old, 'name'))).toEqual([
        'Ada Lovelace',
        'Grace Hopper',
        'Zoë Müller',
      ]);
      expect(await vaultOf(old)).toEqual({ rows: 8, opened: 8, met: 2 });
    });

    it('with the new table and the new store meets nothing in 10,000 guesses, and opens nothing', async () => {
      expect(tokensMet(theft(), 'person', ids, await column(database, 'id'))).toBe(0);
      expect(tokensMet(theft(), 'person.email', mails, await column(database, 'mail'))).toBe(0);
      expect(opensSealed(theft(), 'person.name', await column(database, 'name'))).toEqual([]);
      expect(await vaultOf(database)).toEqual({ rows: 8, opened: 0, met: 0 });
    });

    it('reveals nothing by commands with the new table, and everything with the old one', async () => {
      const policy = place.read('shop.policy.yaml').replace(/^(keyCheck|branchCheck).*\n/gm, '');
      place.write('thief.yaml', policy);
      const reveal = (file: string, name: string) =>
        place.run(['reveal', file, '--policy', 'thief.yaml', '--keys', 'stolen.json', '--vault', addressOf(name)]);
      const stolen = `${database}_stolen`;
      const rows = await Promise.all(['id', 'mail', 'name', 'phone'].map((of) => column(stolen, of)));
      place.write('old.csv', `id,mail,name,phone\n${rows.map((cells) => cells[0]).join()}\n`);
      const old = await reveal('old.csv', stolen);
      expect(old.out).toContain('Ada Lovelace,+442079460017');
      const now = await reveal('people.now.csv', database);
      expect(now.code).not.toBe(0);
      expect(now.err).toContain('the vault uses key');
      expect(cellsOf(now.out)).toEqual([]);
      // The new table with the old store opens nothing, either: its sealed values are of the new key.
      const mixed = await reveal('people.now.csv', stolen);
      expect(mixed.code).not.toBe(0);
      expect(cellsOf(mixed.out)).toEqual([]);
    });
  });
});
