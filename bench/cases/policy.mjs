/**
 * The policy of the people example against the same rules written by hand. The input is docs/examples/people.csv: 1,000
 * invented customers of ten countries, with accents, empty cells and three ways to write a card number.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { keep, keyset, policy } from 'trefoil';
import { parsePolicy } from 'trefoil/policy';
import { parse as parseYaml } from 'yaml';
import { peopleByHand } from '../rivals/people-by-hand.mjs';
import { KEYSET } from '../rivals/tree-by-hand.mjs';

const example = (name) => readFileSync(new URL(`../../docs/examples/${name}`, import.meta.url), 'utf8');
const AGAINST = 'by hand on node:crypto and @noble/ciphers';
const DOMAIN = 'eu-enclave';

const people = parse(example('people.csv'), { columns: true, bom: true });
/** Ten thousand different records: each of the thousand ten times, with a number appended to the id and the name. */
const many = Array.from({ length: 10 }, (_, turn) =>
  people.map((row) => ({ ...row, id: `${row.id}${turn}`, name: row.name === '' ? '' : `${row.name} ${turn}` })),
).flat();
const bound = parsePolicy(parseYaml(example('people.policy.yaml'))).bind(keyset.parse(KEYSET).domain(DOMAIN));
const byHand = peopleByHand(DOMAIN);

const luhnHolds = (digits) =>
  [...digits].reverse().reduce((sum, c, i) => sum + (i % 2 ? (2 * c > 9 ? 2 * c - 9 : 2 * c) : Number(c)), 0) % 10 ===
  0;

/**
 * Both sides must agree in all fields but the card. There, both must return a card number of the same bank and layout.
 */
function check() {
  const ours = bound.protectMany(people);
  for (const [i, row] of people.entries()) {
    const { card, ...rest } = byHand(row);
    const { card: mine, ...others } = ours[i];
    assert.deepEqual(others, rest);
    for (const number of [card, mine]) {
      assert.equal(number.replace(/[0-9]/g, '0'), row.card.replace(/[0-9]/g, '0'));
      const digits = number.replace(/[^0-9]/g, '');
      assert.equal(digits.slice(0, 6), row.card.replace(/[^0-9]/g, '').slice(0, 6));
      assert.ok(luhnHolds(digits));
    }
  }
}

function rows(work, floor, records) {
  return {
    work,
    against: AGAINST,
    floor,
    check,
    ours: { values: records.length, run: () => bound.protectMany(records) },
    rival: { values: 100, run: () => people.slice(0, 100).map(byHand) },
  };
}

function single() {
  let next = 0;
  const turn = (work) => () => work(people[next++ % people.length]);
  return {
    work: 'policy.protect, people, one record',
    against: AGAINST,
    floor: 4,
    check,
    ours: { values: 1, run: turn(bound.protect) },
    rival: { values: 1, run: turn(byHand) },
  };
}

/** The cost of turning rows into columns and columns into rows: no rule changes anything. */
function kept() {
  const fields = Object.fromEntries(Object.keys(people[0]).map((name) => [name, keep]));
  const plain = policy(fields).bind(keyset.parse(KEYSET).domain(DOMAIN));
  return {
    work: 'policy.protectMany of 10,000 records of nine fields, all kept',
    target: 1_000_000,
    check() {
      assert.deepEqual(plain.protectMany(people), people);
    },
    ours: { values: many.length, run: () => plain.protectMany(many) },
  };
}

export const cases = [
  single,
  () => rows('policy.protectMany, people, 1,000 records', 4, people),
  () => rows('policy.protectMany, people, 10,000 records', 4, many),
  kept,
];
