/**
 * The tables of docs/security.md on keys that were stolen: what each thief learns from the tables of each time, and
 * what a rotation takes away from them. A thief gets exactly what the row names.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policy, seal, shiftDate, token } from '../../src/index.ts';
import { type DomainKeys, openKeys } from '../../src/keys/domain-keys.ts';
import { addDomain, addKey, type Keyset, keyset, promoteKey, retireKey } from '../../src/keys.ts';
import { narrow } from '../../src/policy.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { root } from '../doc-blocks.ts';
import { codeOf } from '../helpers/errors.ts';
import { bodyReference } from '../reference/token.ts';
import { list } from '../reference/tree.ts';

const DOMAIN = 'eu';
const rule = token({ scope: 'person', label: 'cust' });
const names = seal({ scope: 'person.name' });
const visits = shiftDate({ scope: 'visit', subject: 'id', days: 180 });
const sheet = policy({ id: rule, visit: visits }, { domain: DOMAIN });

const people = Array.from({ length: 1000 }, (_, n) => String(20_000 + n));
/** 10,000 guesses, with every person among them. */
const guesses = Array.from({ length: 10_000 }, (_, n) => String(16_000 + n));

/** The 128 bits of a token, without what shows its key. */
const bodyOf = (text: string) => text.slice('cust_'.length + 5, -4);
const bodies = (keys: DomainKeys, values: readonly string[]) => rule.bind(keys).protectMany(values).map(bodyOf);
const hits = (made: readonly string[], table: readonly string[]) => {
  const known = new Set(made);
  return table.filter((body) => known.has(body)).length;
};

/** A keyset after a rotation: the first key is gone, also as a base where it is not needed as one. */
function rotated(from: Keyset): Keyset {
  const both = addKey(from);
  const later = promoteKey(both, both.ids.find((id) => !from.ids.includes(id))!);
  const isOwnBase = !JSON.parse(from.export(secretAccess)).keys[0].base;
  return isOwnBase ? later : retireKey(later, from.primary, { at: '2027-01-31', domains: [DOMAIN] });
}

/** The keyed function of tokens, without the permutation of a key. */
function tagOf(keys: DomainKeys, value: string): Buffer {
  const key = openKeys(keys).primary.derive('token', 'person', ['hmac-sha256', Buffer.from(list()), 'equal values']);
  return createHmac('sha256', key).update(value).digest();
}

/** What a worker that only protects has: the keyed function and the permutation of one key. */
function workerOf(from: Keyset): DomainKeys {
  const made = narrow(from, sheet, { verbs: ['protect'] });
  return made.keyset.domain(DOMAIN, { branchCheck: made.branchCheck });
}

const renewable = keyset.generate({ renewable: true });
const first = keyset.generate();

describe('the thief of a table alone', () => {
  /** How many of the bits of two bodies are equal. */
  const agreement = (a: string, b: string) => {
    let equal = 0;
    for (let i = 0; i < 25; i++) {
      const both = VALUES.indexOf(a[i]!) ^ VALUES.indexOf(b[i]!);
      for (let bit = 0; bit < 5; bit++) equal += ((both >> bit) & 1) ^ 1;
    }
    return equal;
  };
  const VALUES = '0123456789abcdefghjkmnpqrstvwxyz';

  it('cannot link it with the table of the next key by tokens, and can by a column that was kept', () => {
    const old = bodies(renewable.domain(DOMAIN), people);
    const now = bodies(rotated(renewable).domain(DOMAIN), people);
    expect(hits(old, now)).toBe(0);
    // Of two rows, which is the person of an old row? The one whose bits agree more, is the best that is left.
    let right = 0;
    let agreed = 0;
    for (let i = 0; i < people.length; i++) {
      const [same, other] = [agreement(old[i]!, now[i]!), agreement(old[i]!, now[(i + 1) % people.length]!)];
      if (same > other || (same === other && i % 2 === 0)) right++;
      agreed += same;
    }
    // 1,000 tosses are outside of 420 to 580 with a probability below 10^-6; of 125,000 bits half agree, within 1 %.
    expect(Math.abs(right - 500)).toBeLessThan(80);
    expect(Math.abs(agreed / 125_000 - 0.5)).toBeLessThan(0.01);
    // A kept column that is different for everybody links all rows.
    const kept = people.map((person, i) => ({ old: old[i], now: now[i], town: `town ${person}` }));
    expect(new Set(kept.map(({ town }) => town)).size).toBe(people.length);
  });
});

describe('the thief of the keys of a worker that protects', () => {
  it('tests guesses in the tables of its key, and in no table of the next one', () => {
    const worker = workerOf(renewable);
    expect(hits(bodies(worker, guesses), bodies(renewable.domain(DOMAIN), people))).toBe(1000);
    expect(hits(bodies(worker, guesses), bodies(rotated(renewable).domain(DOMAIN), people))).toBe(0);
  });

  it('of a later worker: no guess meets an old table whose key is gone, unless the first key was its own base', () => {
    for (const [from, met] of [
      [renewable, 0],
      [first, 1000],
    ] as const) {
      const old = bodies(from.domain(DOMAIN), people);
      const worker = workerOf(rotated(from));
      // With both of its keys, and with the keyed function alone.
      const own = hits(bodies(worker, guesses), old);
      const plain = guesses.map((guess) => bodyReference('labelled', 26, tagOf(worker, guess)));
      expect(own + hits(plain, old)).toBe(met);
    }
  });

  it('shifts dates back in the tables of every key of the lineage, for the subjects whom they can name', () => {
    const worker = workerOf(renewable);
    const subject = people[7]!;
    const shifted = visits.bind(rotated(renewable).domain(DOMAIN)).protect('2024-02-29', { subject });
    expect(visits.bind(worker).protect('2024-02-29', { subject })).toBe(shifted);
    // Recipients have other offsets.
    const partner = addDomain(renewable, 'partner', { of: DOMAIN }).domain('partner');
    const many = people.map((one) => visits.bind(partner).protect('2024-02-29', { subject: one }));
    const ours = people.map((one) => visits.bind(worker).protect('2024-02-29', { subject: one }));
    // 1,000 subjects, 360 offsets: about 3 are equal by chance.
    expect(many.filter((date, i) => date === ours[i]).length).toBeLessThan(20);
  });
});

describe('the thief of the whole key file', () => {
  it('opens and tests in old tables; after a rotation nothing in new ones', () => {
    const now = rotated(renewable);
    const stolen = names.bind(renewable.domain(DOMAIN), revealAccess);
    expect(stolen.reveal(names.bind(renewable.domain(DOMAIN)).protect('Ada'))).toBe('Ada');
    const sealed = names.bind(now.domain(DOMAIN)).protect('Ada');
    expect(codeOf(() => stolen.reveal(sealed))).toBe('unknown_key');
    const own = names.bind(renewable.domain(DOMAIN)).protect('Ada').slice(0, 5);
    expect(codeOf(() => stolen.reveal((own + sealed.slice(5)) as typeof sealed))).toBe('reveal_failed');
    expect(hits(bodies(renewable.domain(DOMAIN), guesses), bodies(now.domain(DOMAIN), people))).toBe(0);
  });

  it('and of the next permutation tests guesses again: the base is the same', () => {
    const now = rotated(renewable);
    const made = narrow(now, sheet, { verbs: ['rekey'] });
    const renewer = openKeys(made.keyset.domain(DOMAIN, { branchCheck: made.branchCheck })).primary;
    const permutation = renewer.derive('token permutation', 'person', ['bits', '128']);
    const stolen = renewable.domain(DOMAIN);
    const tokens = new Set(bodies(now.domain(DOMAIN), people));
    const met = guesses.filter((guess) => {
      const block = createCipheriv('aes-256-ecb', permutation, null).setAutoPadding(false);
      const body = block.update(tagOf(stolen, guess).subarray(0, 16));
      return tokens.has(bodyReference('labelled', 26, Buffer.concat([body, Buffer.alloc(16)])));
    });
    expect(met).toHaveLength(1000);
  });
});

describe('the thief of the keys of a renewer', () => {
  it('links both tables of the rotation, and not the next one', () => {
    const both = addKey(renewable);
    const later = promoteKey(both, both.ids.find((id) => !renewable.ids.includes(id))!);
    const made = narrow(later, sheet, { verbs: ['rekey'] });
    const renewer = rule.bind(made.keyset.domain(DOMAIN, { branchCheck: made.branchCheck }));
    const old = rule.bind(renewable.domain(DOMAIN)).protectMany(people);
    const now = rule.bind(later.domain(DOMAIN)).protectMany(people);
    expect(renewer.renewMany(old)).toEqual(now);
    const next = rule.bind(rotated(later).domain(DOMAIN)).protectMany(people);
    expect(hits(renewer.renewMany(old).map(bodyOf), next.map(bodyOf))).toBe(0);
    expect(codeOf(() => renewer.renewMany(next))).toBe('foreign_token');
  });
});

describe('docs/security.md', () => {
  it('names tests that exist', () => {
    const page = readFileSync(`${root}docs/security.md`, 'utf8');
    const named = [...page.matchAll(/`(test\/[\w/-]+\.test\.ts)`: `([^`]+)`/g)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, file, name] of named) {
      const text = readFileSync(root + file!, 'utf8');
      expect(text.includes(`'${name}`), `${file} has no test "${name}"`).toBe(true);
    }
  });
});
