// Uses the installed package with one optional companion, or with none of them. `.ci/companions` copies this file into
// a folder in which only the two are installed, and runs it there with the name of the companion.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { keep, keyset, policy, seal, token } from 'trefoil';
import { protectFile } from 'trefoil/node';
import { revealAccess } from 'trefoil/reveal';
import { testKeyset } from 'trefoil/testing';
import { vault } from 'trefoil/vault';
import { sqliteStore } from 'trefoil/vault-sqlite';

const require = createRequire(import.meta.url);
const [name] = process.argv.slice(2);
const [major, minor] = process.versions.node.split('.').map(Number);
const hasNodeSqlite = major > 22 || (major === 22 && minor >= 13);
const INPUT = 'id,name,city\n7,Zoë Müller,Oslo\n8,Ada Lovelace,Bern\n';

/** Runs the command line, which must end with this code. Returns what it wrote. */
function trefoil(code, ...args) {
  const ended = spawnSync(process.execPath, ['node_modules/trefoil/dist/cli.js', ...args], { encoding: 'utf8' });
  assert.equal(ended.status, code, `trefoil ${args.join(' ')}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

function write(rules) {
  writeFileSync('in.csv', INPUT);
  writeFileSync('p.yaml', `trefoil: 1\ndomain: eu\nfields:\n${rules}\n  city: keep\n`);
  if (!existsSync('keys.json')) trefoil(0, 'keys', 'new', '--out', 'keys.json');
  return ['--policy', 'p.yaml', '--keys', 'keys.json'];
}
const writeSealed = () => write('  id: keep\n  name: { rule: seal, scope: name }');
const writeVault = () => write('  id: keep\n  name: { rule: vault, scope: name, store: main, subject: id }');

/** Protects the file with a vault at a place, and reveals it in another process. */
function throughVault(place) {
  const args = [...writeVault(), '--vault', place, '--force', '--out'];
  trefoil(0, 'protect', 'in.csv', ...args, 'safe.csv');
  assert.match(readFileSync('safe.csv', 'utf8'), /^id,name,city\n7,[0-9a-z]{35},Oslo\n8,[0-9a-z]{35},Bern\n$/);
  trefoil(0, 'reveal', 'safe.csv', ...args, 'back.csv');
  assert.equal(readFileSync('back.csv', 'utf8'), INPUT);
  // Two mappings of two rows each, and two rows for each of two subjects.
  const verified = JSON.parse(trefoil(0, 'vault', 'verify', ...args.slice(0, 6)).stdout);
  assert.deepEqual([verified.rows, verified.broken], [8, 0]);
}

/** The same in code, over a handle of a driver. */
async function throughStore(handle) {
  const people = policy({ name: vault({ scope: 'name', store: 'main' }) });
  const keys = keyset.generate().domain('eu');
  const opened = await people.open(keys, { main: sqliteStore(handle) }, revealAccess);
  const safe = await opened.protectMany([{ name: 'Zoë Müller' }, { name: 'Ada Lovelace' }, { name: 'Zoë Müller' }]);
  assert.equal(safe[0].name, safe[2].name);
  const back = await opened.revealMany(safe);
  assert.deepEqual(
    back.map((row) => row.name),
    ['Zoë Müller', 'Ada Lovelace', 'Zoë Müller'],
  );
  handle.close();
}

const uses = {
  /** Every module loads, and what needs a companion says which one and how to install it. */
  async none() {
    const { exports, peerDependencies } = require('trefoil/package.json');
    for (const peer of Object.keys(peerDependencies)) assert.throws(() => require.resolve(peer), peer);
    for (const [subpath, target] of Object.entries(exports)) {
      if (typeof target === 'string') continue;
      const module = subpath.replace('.', 'trefoil');
      assert.deepEqual(
        Object.keys(require(module))
          .filter((key) => key !== '__esModule')
          .sort(),
        Object.keys(await import(module))
          .filter((key) => key !== 'default' && key !== 'module.exports')
          .sort(),
        module,
      );
    }
    assert.equal(require('trefoil/vectors/token-v1.json').specification, 'token-v1');
    assert.equal(require('trefoil/sbom.cdx.json').bomFormat, 'CycloneDX');
    const example = token({ scope: 'person' }).bind(testKeyset('orders').domain('test')).protect('10017');
    assert.equal(example, 'xyyq4w6e5bmq70dpr28x3bqke09v678jeqv');

    const args = writeSealed();
    const bound = policy({ id: token({ scope: 'p' }), name: seal({ scope: 'n' }), city: keep }).bind(
      keyset.generate().domain('eu'),
    );
    const { rowsOut } = await protectFile(['in.*'], 'workers.csv', bound, { workers: 2, force: true });
    assert.equal(rowsOut, 2);
    trefoil(0, 'protect', 'in.csv', ...args, '--force', '--out', 'safe.csv');
    trefoil(0, 'reveal', 'safe.csv', ...args, '--force', '--out', 'back.csv');
    assert.equal(readFileSync('back.csv', 'utf8'), INPUT);

    const parquet = trefoil(5, 'protect', 'in.csv', ...args, '--out', 'safe.parquet');
    assert.match(parquet.stderr, /DuckDB is not installed; run npm install @duckdb\/node-api/);
    const wrapped = trefoil(5, 'keys', 'wrap', 'keys.json', '--to', 'age1x', '--out', 'x.age');
    assert.match(wrapped.stderr, /a sealed key file needs the package age-encryption: npm install age-encryption/);
    const server = trefoil(
      5,
      'protect',
      'in.csv',
      ...writeVault(),
      '--vault',
      'postgres://localhost/none',
      '--out',
      'x.csv',
    );
    assert.match(server.stderr, /PostgreSQL needs the package pg: npm install pg/);
    if (hasNodeSqlite) {
      throughVault('people.db');
    } else {
      const file = trefoil(5, 'protect', 'in.csv', ...writeVault(), '--vault', 'people.db', '--out', 'x.csv');
      assert.match(file.stderr, /a vault in a file needs Node 22\.13 or later, or npm install @photostructure\/sqlite/);
    }
    assert.deepEqual(
      ['safe.parquet', 'x.csv', 'x.age'].filter((file) => existsSync(file)),
      [],
    );
  },

  async '@duckdb/node-api'() {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const { register } = await import('trefoil/duckdb');
    const args = [...writeSealed(), '--force', '--out'];
    trefoil(0, 'protect', 'in.csv', ...args, 'safe.parquet');
    trefoil(0, 'reveal', 'safe.parquet', ...args, 'back.csv');
    assert.equal(readFileSync('back.csv', 'utf8'), INPUT);
    const connection = await (await DuckDBInstance.create(':memory:', { temp_directory: '' })).connect();
    const keys = testKeyset('orders').domain('test');
    await register(connection, { policy: policy({ id: token({ scope: 'person' }) }), keys });
    const found = await connection.runAndReadAll("SELECT trefoil_protect_id('10017'), count(*) FROM 'safe.parquet'");
    assert.deepEqual(found.getRows(), [['xyyq4w6e5bmq70dpr28x3bqke09v678jeqv', 2n]]);
    connection.closeSync();
  },

  async 'age-encryption'() {
    const age = await import('age-encryption');
    const { openKeyFile, sealKeyFile } = await import('trefoil/custody');
    const identity = await age.generateIdentity();
    const recipient = await age.identityToRecipient(identity);
    writeFileSync('id.txt', `${identity}\n`);
    writeSealed();
    trefoil(0, 'keys', 'wrap', 'keys.json', '--to', recipient, '--out', 'keys.age');
    const text = readFileSync('keys.json', 'utf8');
    assert.equal(await openKeyFile(readFileSync('keys.age'), { age, identities: [identity] }), text);
    writeFileSync('ours.age', await sealKeyFile(text, { age, recipients: [recipient] }));
    trefoil(0, 'keys', 'unwrap', 'ours.age', '--identity', 'id.txt', '--out', 'back.json');
    assert.equal(readFileSync('back.json', 'utf8'), text);
  },

  /** Without age-encryption, which the command line needs as well: its place in the library is taken by a constant. */
  async 'shamir-secret-sharing'() {
    const shamir = await import('shamir-secret-sharing');
    const { checkShare, combineShares, splitIdentity } = require('trefoil/custody');
    const age = { identityToRecipient: async () => `age1${'q'.repeat(58)}` };
    const { shares, ceremony } = await splitIdentity({ age, shamir, shares: 5, threshold: 3 });
    const identity = await combineShares(shares.slice(2), { age, shamir, ceremony });
    assert.match(identity, /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
    assert.equal(await combineShares(shares.slice(0, 3), { age, shamir: require('shamir-secret-sharing') }), identity);
    assert.equal(checkShare(shares[4], ceremony).number, 5);
    writeFileSync('share.txt', shares[1]);
    writeFileSync('ceremony.json', JSON.stringify(ceremony));
    trefoil(0, 'keys', 'check-share', 'share.txt', '--ceremony', 'ceremony.json');
    const split = trefoil(5, 'keys', 'split', '--shares', '3', '--threshold', '2', '--out-dir', 'x');
    assert.match(split.stderr, /shares of an identity need the package age-encryption: npm install age-encryption/);
    assert.equal(existsSync('x'), false);
  },

  async '@photostructure/sqlite'() {
    const { DatabaseSync } = await import('@photostructure/sqlite');
    await throughStore(new DatabaseSync('store.db'));
    throughVault('people.db');
  },

  async 'better-sqlite3'() {
    const { default: Database } = await import('better-sqlite3');
    await throughStore(new Database('store.db'));
    throughVault('people.db');
  },

  /** On the server at TREFOIL_PG, in a database of its own. */
  async pg() {
    const { default: pg } = await import('pg');
    const url = process.env.TREFOIL_PG;
    const database = `companion_node${major}`;
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query(`drop database if exists ${database}`);
    await admin.query(`create database ${database}`);
    await admin.end();
    throughVault(url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`));
  },
};

if (!Object.hasOwn(uses, name))
  throw new Error(`${name}: nothing uses this companion; add it to .ci/data/companions.mjs`);
await uses[name]();
if (name !== 'none') {
  // The bill of materials names the licence of a peer that is not installed where the package is built.
  const { components } = require('trefoil/sbom.cdx.json');
  const listed = components.find((one) => one['bom-ref'] === `installed:${name}`);
  const { license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
  assert.deepEqual(listed.licenses, [{ license: { id: license } }]);
}
