/**
 * The table "Who learns what" of docs/security.md, row by row. Each test plays an attacker who has what the row names
 * and nothing else, and shows what they learn and what they do not.
 */
import { readFileSync } from 'node:fs';
import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { card } from '../src/format.ts';
import { fpe, keyset, seal, token } from '../src/index.ts';
import { parsePolicy } from '../src/policy.ts';
import { emailAddress } from '../src/prepare.ts';
import { revealAccess } from '../src/reveal.ts';
import { checkCharacters, crc20 } from '../src/wire/check-characters.ts';

const example = (name: string) => readFileSync(new URL(`../docs/examples/${name}`, import.meta.url), 'utf8');
const people = parseCsv(example('people.csv'), { columns: true }) as Record<string, string>[];
const root = keyset.generate();
const keys = root.domain('eu-enclave');
const sheet = parsePolicy({ ...parseYaml(example('people.policy.yaml')), keyCheck: keys.keyCheck });
const stolen = sheet.bind(keys).protectMany(people) as Record<string, string>[];
const hidden = ['id', 'name', 'email', 'phone', 'iban'];

describe('an attacker who holds the protected data', () => {
  it('finds no value of a tokenised or sealed field in them', () => {
    const text = stolen.map((row) => Object.values(row).join('\n')).join('\n');
    for (const person of people) {
      for (const field of hidden) {
        const value = person[field]!;
        // Ids have five digits, which random tokens may contain; all other values are longer.
        if (value.length > 5) expect(text.includes(value), `a value of ${field} is in clear`).toBe(false);
      }
    }
    stolen.forEach((row, i) => {
      for (const field of hidden) if (people[i]![field] !== '') expect(row[field] === people[i]![field]).toBe(false);
    });
  });

  it('sees which values are equal: the number of mailboxes, and how often each occurs', () => {
    const histogram = (values: string[]) => {
      const counts = new Map<string, number>();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      return [...counts.values()].sort((a, b) => a - b);
    };
    expect(histogram(stolen.map((row) => row.email!))).toEqual(
      histogram(people.map((row) => emailAddress(row.email!))),
    );
  });

  it('sees only that a name has at most 31 bytes, or the range of powers of two of a longer one', () => {
    for (const [i, row] of stolen.entries()) {
      const bytes = new TextEncoder().encode(people[i]!.name).length;
      expect(row.name!.length).toBe(bytes < 32 ? 85 : bytes < 64 ? 137 : 239);
    }
  });

  it('sees the first six digits and the length of card numbers, all of which have valid check digits', () => {
    stolen.forEach((row, i) => {
      const before = people[i]!.card!;
      if (before === '') return;
      expect(row.card!.replace(/[0-9]/g, '0')).toBe(before.replace(/[0-9]/g, '0'));
      expect(row.card!.replace(/\D/g, '').slice(0, 6)).toBe(before.replace(/\D/g, '').slice(0, 6));
      expect(card().test(row.card!)).toBe(true);
    });
    const same = stolen.filter((row, i) => row.card !== '' && row.card === people[i]!.card).length;
    // A random permutation of at least 10^8 values maps any of 980 values to itself with a probability below 10^-5.
    expect(same).toBe(0);
  });
});

describe('an attacker who holds the protected data of two domains', () => {
  it('can join only the kept fields', () => {
    const other = root.domain('analysts');
    const { domain: _, keyCheck: __, ...file } = JSON.parse(JSON.stringify(sheet));
    const second = parsePolicy({ ...file, domain: 'analysts' })
      .bind(other)
      .protectMany(people) as Record<string, string>[];
    for (const field of [...hidden, 'card']) {
      const seen = new Set(stolen.map((row) => row[field]).filter((value) => value !== ''));
      expect(second.filter((row) => seen.has(row[field]!)).length, field).toBe(0);
    }
    expect(other.keyId).not.toBe(keys.keyId);
  });
});

describe('an attacker who may call protect', () => {
  it('finds every value of a small set by trying them all', () => {
    const years = token({ scope: 'person.year' }).bind(keys);
    const token1984 = years.protect(1984);
    const book = new Map(Array.from({ length: 120 }, (_, i) => [years.protect(1900 + i), 1900 + i]));
    expect(book.get(token1984)).toBe(1984);
  });

  it('does not find a person whom they cannot name', () => {
    const emails = token({ scope: 'person.email', prepare: emailAddress, label: 'mail' }).bind(keys);
    const guesses = new Set(Array.from({ length: 2000 }, (_, i) => emails.protect(`person${i}@example.com`)));
    expect(stolen.some((row) => guesses.has(row.email as never))).toBe(false);
  });
});

describe('an attacker who knows some people in the data', () => {
  it('learns their tokens, and nobody else by them', () => {
    const known = people[0]!;
    const rows = stolen.filter((row) => row.email === stolen[0]!.email);
    const same = people.filter((row) => emailAddress(row.email!) === emailAddress(known.email!));
    expect(rows.length).toBe(same.length);
  });
});

describe('an attacker who holds the policy', () => {
  it('finds neither a value nor a key in it, and cannot bind it', () => {
    const text = JSON.stringify(sheet);
    for (const person of people) expect(text.includes(person.name!)).toBe(false);
    const guess = keyset.generate().domain('eu-enclave');
    expect(() => sheet.bind(guess)).toThrow(/not the pinned ones/);
  });
});

describe('an attacker who holds the keyset and the data', () => {
  it('reveals every sealed and encrypted value, and can verify guesses for tokens', () => {
    const back = sheet.bind(keys, revealAccess).revealMany(stolen);
    back.forEach((row, i) => {
      for (const field of ['name', 'iban', 'card']) expect(row[field]).toBe(people[i]![field]);
      expect(row.email).toBe(stolen[i]!.email);
    });
    const emails = token({ scope: 'person.email', prepare: emailAddress, label: 'mail' }).bind(keys);
    expect(emails.matches(people[0]!.email!, stolen[0]!.email!)).toBe(true);
  });
});

describe('an attacker who has seen a token and may have records protected', () => {
  const options = { scope: 'person', label: 'cust' } as const;
  const victim = token(options).bind(keys).protect('victim@example.com');

  it('gets the rows of the victim if the rule has onToken: pass', () => {
    const loose = token({ ...options, onToken: 'pass' }).bind(keys);
    const [mine, theirs] = loose.protectMany([victim, 'victim@example.com']);
    expect(mine).toBe(theirs);
  });

  it('is refused without it, also with a token that they made up', () => {
    const bound = token(options).bind(keys);
    expect(() => bound.protect(victim)).toThrow(expect.objectContaining({ code: 'already_token' }));
    // The key id is public, and the check characters need no key.
    const body = '0'.repeat(26);
    const forged = `cust_${victim.slice(5, 10)}${body}`;
    expect(() => bound.protect(forged + checkCharacters(crc20(forged)))).toThrow(
      expect.objectContaining({ code: 'already_token' }),
    );
  });
});

describe('an attacker who can write to the protected data', () => {
  const names = seal({ scope: 'person.name' }).bind(keys, revealAccess);
  const pinned = root.domain('eu-enclave', { keyCheck: keys.keyCheck });
  const pans = fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }).bind(pinned, revealAccess);

  it('is noticed if they change any character of a sealed value', () => {
    const sealed = stolen[0]!.name!;
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice(0, i) + (sealed[i] === 'z' ? 'y' : 'z') + sealed.slice(i + 1);
      expect(() => names.reveal(changed as never)).toThrow();
    }
  });

  it('is not noticed if they copy a sealed value to another record of the scope', () => {
    const bound = sheet.bind(keys, revealAccess);
    expect(bound.reveal({ ...stolen[1]!, name: stolen[0]!.name }).name).toBe(people[0]!.name);
  });

  it('is not noticed if they change an encrypted card number, which is then revealed as another one', () => {
    const fake = card().test('4111111111111111') ? '4111 1111 1111 1111' : '';
    const revealed = pans.reveal(fake as never);
    expect(card().test(revealed)).toBe(true);
    expect(revealed === people[0]!.card).toBe(false);
  });

  it('is noticed if they change one or two characters of a token', () => {
    const emails = token({ scope: 'person.email', prepare: emailAddress, label: 'mail' }).bind(keys);
    const value = stolen[0]!.email!;
    const swapped = value.slice(0, 12) + value[13] + value[12] + value.slice(14);
    const changed = value.slice(0, 20) + (value[20] === 'z' ? 'y' : 'z') + value.slice(21);
    for (const damaged of value[12] === value[13] ? [changed] : [changed, swapped]) {
      expect(() => emails.matches(people[0]!.email!, damaged)).toThrow(/check characters/);
    }
  });
});
