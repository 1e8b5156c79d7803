// Compares protected and revealed files with the originals. Every sealed cell must be revealed, no sealed or tokenised
// cell may be in clear in the protected files, and NDJSON must have equal values.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

const [data, work] = process.argv.slice(2);
const csv = (file) => parse(readFileSync(file), { columns: true });
const ndjson = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').map(JSON.parse);

const titanic = csv(`${data}/titanic.csv`);
const safe = csv(`${work}/titanic.safe.csv`);
const back = csv(`${work}/titanic.back.csv`);
assert.equal(safe.length, titanic.length);
titanic.forEach((row, i) => {
  for (const field of ['Name', 'Cabin']) {
    assert.ok(back[i][field] === row[field], `row ${i + 1}: ${field} was not revealed`);
    assert.ok(row[field] === '' || safe[i][field] !== row[field], `row ${i + 1}: ${field} was not protected`);
  }
  for (const field of ['PassengerId', 'Ticket']) assert.ok(safe[i][field] !== row[field], `row ${i + 1}: ${field}`);
  const decade = row.Age === '' ? '' : String(Math.floor(Number(row.Age) / 10) * 10);
  assert.ok(safe[i].Age === decade, `row ${i + 1}: Age was not coarsened`);
  assert.ok(safe[i].Fare === row.Fare, `row ${i + 1}: Fare was not kept`);
});

const access = ndjson(`${data}/access.ndjson`);
const safeAccess = ndjson(`${work}/access.safe.ndjson`);
const backAccess = ndjson(`${work}/access.back.ndjson`);
const tokens = new Map();
access.forEach((row, i) => {
  assert.ok(safeAccess[i].ip !== row.ip, `row ${i + 1}: the address is in clear`);
  assert.ok(backAccess[i].ip === row.ip, `row ${i + 1}: the address was not revealed`);
  assert.ok(
    (tokens.get(row.ip) ?? safeAccess[i].ip) === safeAccess[i].ip,
    `row ${i + 1}: the address has two ciphertexts`,
  );
  tokens.set(row.ip, safeAccess[i].ip);
});
assert.equal(new Set(tokens.values()).size, tokens.size);
// Prefix-preserving encryption: two ciphertexts have as many first bits in common as the two addresses.
const number = (text) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const shared = (a, b) => Math.clz32(number(a) ^ number(b));
const addresses = [...tokens.keys()];
addresses.slice(1).forEach((address, i) => {
  const [before, after] = [shared(addresses[i], address), shared(tokens.get(addresses[i]), tokens.get(address))];
  assert.equal(after, before, 'two ciphertexts do not share as many first bits as their addresses');
});
assert.deepEqual(ndjson(`${work}/access.whole.ndjson`), access);
