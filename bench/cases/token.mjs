/**
 * Tokens against node:crypto. Ours makes a labelled token of 128 bits from an e-mail address of 20 bytes. The rival
 * makes the text of a MAC, in the form that is fastest on this machine (rivals/node-hmac.mjs has the forms).
 */
import assert from 'node:assert/strict';
import { inspect, keyset, policy, token, utf8Column } from 'trefoil';
import { rekey } from 'trefoil/policy';
import { emailAddress } from 'trefoil/prepare';
import { oneByOne, random, valueByValue, wholeColumn } from '../inputs.mjs';
import { nodeHmac, nodeHmacForms } from '../rivals/node-hmac.mjs';
import { KEYSET, list, ruleKey } from '../rivals/tree-by-hand.mjs';

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const AGAINST = "createHmac('sha256', KeyObject)";

/** Addresses of 20 characters, all different. */
function emails(count) {
  const next = random(11);
  return Array.from({ length: count }, (_, i) => {
    const name = `${String.fromCharCode(97 + next(26), 97 + next(26))}${String(i).padStart(6, '0')}`;
    // A flat string, as a driver or a parser returns it. The side that reads a template string first would pay for
    // joining its parts.
    return Buffer.from(`${name}@example.com`).toString('latin1');
  });
}

const values = emails(10_000);
const keys = keyset.parse(KEYSET).domain('bench');
const bound = token({ scope: 'person.email', label: 'mail' }).bind(keys);
const secret = ruleKey('bench', 'token', 'person.email', ['hmac-sha256', list(), 'equal values']);
const rival = nodeHmac(secret);

/** The body of every token must be the beginning of the rival's MAC, in each form of the rival. */
function checkTokens() {
  const many = bound.protectMany(values);
  const forms = Object.values(nodeHmacForms(secret));
  values.forEach((value, i) => {
    const parts = inspect(many[i]);
    assert.ok(parts.intact);
    const mac = Buffer.from(forms[i % forms.length](value), 'base64url').readBigUInt64BE();
    const body = [...parts.body.slice(0, 12)].reduce((sum, c) => sum * 32n + BigInt(BASE32.indexOf(c)), 0n);
    assert.equal(body, mac >> 4n);
    assert.equal(many[i], bound.protect(value));
  });
}

function one() {
  return {
    work: 'token.protect, e-mail of 20 bytes, labelled',
    against: AGAINST,
    floor: 2.5,
    check: checkTokens,
    ours: oneByOne(values, bound.protect),
    rival: oneByOne(values, rival),
  };
}

function many() {
  return {
    work: 'token.protectMany of 10,000, labelled',
    against: AGAINST,
    floor: 3.5,
    aim: 5,
    check: checkTokens,
    ours: wholeColumn(values, bound.protectMany),
    rival: valueByValue(values, rival, 1000),
  };
}

function form(name, floor, options) {
  const rule = token({ scope: 'person.email', ...options }).bind(keys);
  return {
    work: `token.protectMany of 10,000, ${name}`,
    against: AGAINST,
    floor,
    check() {
      const all = rule.protectMany(values);
      for (const [i, value] of values.entries()) assert.equal(all[i], rule.protect(value));
    },
    ours: wholeColumn(values, rule.protectMany),
    rival: valueByValue(values, rival, 1000),
  };
}

function utf8() {
  const column = utf8Column(values);
  return {
    work: 'token.protectMany of 10,000 as UTF-8 with offsets',
    against: AGAINST,
    floor: 2.5,
    check() {
      const out = bound.protectMany(column);
      const text = Buffer.from(out.bytes).toString();
      assert.equal(text, bound.protectMany(values).join(''));
    },
    ours: { values: values.length, run: () => bound.protectMany(column) },
    rival: valueByValue(values, rival, 1000),
  };
}

/** A column that has each value ten times. */
function repeated() {
  const few = Array.from({ length: 10_000 }, (_, i) => values[(i * 7919) % 1000]);
  return {
    work: 'token.protectMany of 10,000, 1,000 of them different',
    against: AGAINST,
    floor: 5,
    check() {
      const all = bound.protectMany(few);
      for (const [i, value] of few.entries()) assert.equal(all[i], bound.protect(value));
    },
    ours: wholeColumn(few, bound.protectMany),
    rival: valueByValue(few, rival, 1000),
  };
}

/** The public root keys of the test vectors in docs/spec/renewal-v1.md. */
const SECRETS = [
  'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v',
  'trefoil-root-1_p08d8jh4vg2qv1fjabg26bz9714gad6g7fq7gejrs0stm28ktkq08y7v',
  'trefoil-root-1_6evzcjgp1eytqfb0rj0e2xzwapwzjjnxjmd17v21czacpkpp1bggp5he',
];

/** The form with the slowest permutation: FF1 over digits. */
const DIGITS = { form: 'digits', length: 18, population: 1_000_000 };

/** Keys of the same three epochs of one lineage, the named one primary. */
function epoch(primary) {
  const entries = SECRETS.map((secret, i) => ({
    id: `epoch-${i + 1}`,
    primary: i + 1 === primary,
    ...(i > 0 && { base: 'epoch-1' }),
    secret,
  }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: entries })).domain('bench');
}

const KEYS = [1, 2, 3].map(epoch);

/** A column of flat strings, as a driver or a parser returns them. */
const flat = (column) => column.map((text) => Buffer.from(text).toString('latin1'));

/** Renewing a column against making it anew from its values, under the first key. */
function renewing(name, from, floor, options) {
  const rule = token({ scope: 'person.email', ...options });
  const [source, target] = [rule.bind(KEYS[from - 1]), rule.bind(KEYS[from])];
  const old = flat(source.protectMany(values));
  const named = options.label === undefined ? { from: KEYS[from - 1].keyId } : {};
  return {
    work: `token.renewMany of 10,000, ${name}, ${from === 1 ? 'from the first key' : 'from a later key'}`,
    against: 'token.protectMany under the first key',
    floor,
    check() {
      assert.deepEqual(target.renewMany(old, named), target.protectMany(values));
    },
    ours: wholeColumn(old, (column) => target.renewMany(column, named)),
    rival: wholeColumn(values, rule.bind(KEYS[0]).protectMany),
  };
}

/** Protecting under a key with a base against protecting under that base. */
function later(name, floor, options) {
  const rule = token({ scope: 'person.email', ...options });
  const [first, second] = [rule.bind(KEYS[0]), rule.bind(KEYS[1])];
  return {
    work: `token.protectMany of 10,000, ${name}, under a later key`,
    against: 'token.protectMany under the first key',
    floor,
    check() {
      const named = options.label === undefined ? { from: KEYS[0].keyId } : {};
      assert.deepEqual(second.protectMany(values), second.renewMany(first.protectMany(values), named));
    },
    ours: wholeColumn(values, second.protectMany),
    rival: wholeColumn(values, first.protectMany),
  };
}

/** Moving records to a later key against protecting them anew. */
function moving() {
  const rules = ['id', 'mail', 'phone'].map((label) => token({ scope: `person.${label}`, label }));
  const records = policy({ id: rules[0], mail: rules[1], phone: rules[2] });
  const rows = values.slice(0, 5000).map((value) => ({ id: value, mail: value, phone: value }));
  const [first, second] = [records.bind(KEYS[0]), records.bind(KEYS[1])];
  const old = first.protectMany(rows);
  const move = rekey(records, { from: KEYS[1], to: KEYS[1] });
  return {
    work: 'rekeyMany of 5,000 records with three labelled tokens, to a later key',
    against: 'protectMany under the first key',
    floor: 0.8,
    check() {
      assert.deepEqual(move.rekeyMany(old), second.protectMany(rows));
    },
    ours: wholeColumn(old, move.rekeyMany),
    rival: wholeColumn(rows, first.protectMany),
  };
}

/** Three candidates against one token. */
function candidates() {
  const rule = token({ scope: 'person.email', label: 'mail' });
  const mail = rule.bind(KEYS[2]);
  return {
    work: 'token.candidates, three keys, labelled',
    against: 'token.protect under the first key',
    floor: 0.3,
    check() {
      const all = [2, 0, 1].map((i) => rule.bind(KEYS[i]));
      for (const value of values.slice(0, 500)) {
        assert.deepEqual(
          mail.candidates(value),
          all.map((one) => one.protect(value)),
        );
      }
    },
    ours: oneByOne(values, mail.candidates),
    rival: oneByOne(values, rule.bind(KEYS[0]).protect),
  };
}

export const cases = [
  one,
  many,
  () => form('prepared as e-mail address', 2.5, { prepare: emailAddress, label: 'mail' }),
  () => form('uuid', 2.5, { form: 'uuid' }),
  () => form('digits', 2.5, { form: 'digits', length: 18, population: 1_000_000 }),
  () => form('BLAKE3', 3.5, { prf: 'blake3', label: 'mail' }),
  utf8,
  repeated,
  () => renewing('labelled', 1, 1.5, { label: 'mail' }),
  () => renewing('labelled', 2, 1.5, { label: 'mail' }),
  () => renewing('uuid', 1, 1, { form: 'uuid' }),
  () => renewing('uuid', 2, 0.7, { form: 'uuid' }),
  () => renewing('digits', 1, 0.35, DIGITS),
  () => renewing('digits', 2, 0.2, DIGITS),
  () => later('labelled', 0.8, { label: 'mail' }),
  () => later('uuid', 0.55, { form: 'uuid' }),
  () => later('digits', 0.3, { form: 'digits', length: 18, population: 1_000_000 }),
  moving,
  candidates,
];
