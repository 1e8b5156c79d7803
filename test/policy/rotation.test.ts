/** What `keys inspect --policy` says of a rotation, held against what `rekey` does: every rule, every lineage. */
import { describe, expect, it } from 'vitest';
import { keyset } from '../../src/index.ts';
import { describeKeyset } from '../../src/keys/described.ts';
import { addKey, type Keyset, promoteKey } from '../../src/keys.ts';
import { type FieldRotation, rotationKeys, rotationOf } from '../../src/policy/explain/rotation.ts';
import { parsePolicy, rekey } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, type VaultRule } from '../../src/vault.ts';

const FORMAT = { type: 'pattern', pattern: 'AA99999' };
const RULES = {
  token: { rule: 'token', scope: 'a', label: 'cust' },
  bare: { rule: 'token', scope: 'b', form: 'bare' },
  uuid: { rule: 'token', scope: 'c', form: 'uuid' },
  seal: { rule: 'seal', scope: 'd' },
  fpe: { rule: 'fpe', scope: 'e', format: FORMAT },
  blind: { rule: 'fpe', scope: 'f', format: { type: 'email', domain: 'hashed' } },
  shiftDate: { rule: 'shiftDate', scope: 'g', subject: 'id', days: 100 },
  vault: { rule: 'vault', scope: 'h', store: 'main' },
} as const;
type Name = keyof typeof RULES;
const VALUES: Partial<Record<Name, string>> = { fpe: 'KA12345', blind: 'ada@example.com', shiftDate: '2024-03-01' };

const kinds = {
  'the same lineage, renewable': { renewable: true, newLineage: false },
  'the same lineage, its own base': { renewable: false, newLineage: false },
  'another lineage': { renewable: false, newLineage: true },
  'another lineage, renewable': { renewable: true, newLineage: true },
} as const;
type Kind = keyof typeof kinds;

/** The effect that is expected of each rule: within a lineage, and between two. */
const EXPECTED: Readonly<Record<Name, readonly [FieldRotation['effect'], FieldRotation['effect']]>> = {
  token: ['renews', 'originals'],
  bare: ['whole column', 'originals'],
  uuid: ['whole column', 'originals'],
  seal: ['anew', 'anew'],
  fpe: ['whole column', 'whole column'],
  blind: ['originals', 'originals'],
  shiftDate: ['stays', 'originals'],
  vault: ['stays', 'stays'],
};

function rotated(kind: Kind): { readonly first: Keyset; readonly ready: Keyset; readonly now: Keyset } {
  const { renewable, newLineage } = kinds[kind];
  const first = keyset.generate({ renewable });
  const ready = addKey(first, newLineage ? { newLineage, renewable } : {});
  return { first, ready, now: promoteKey(ready, ready.ids.find((id) => !first.ids.includes(id))!) };
}

function policyOf(name: Name) {
  const id = { rule: 'keep', why: 'subject of the dates' };
  return parsePolicy({ trefoil: 1, domain: 'eu', fields: { id, value: RULES[name] } });
}

/** What rekey makes of a value: the value, or the code of its error. */
function moved(name: Name, keys: Keyset, from: string, value: unknown): unknown {
  const both = keys.domain('eu');
  const pinned = keys.domain('eu', { keyCheck: both.keyCheck });
  try {
    const move = rekey(policyOf(name), { from: pinned, to: pinned, fromKey: from }, revealAccess);
    return (move.rekey({ id: '7', value } as never) as { value: unknown }).value;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** A value under the primary key. The token of a vault is the same under every key. */
async function made(name: Name, keys: Keyset, store: ReturnType<typeof memoryStore>): Promise<unknown> {
  const policy = policyOf(name);
  const value = VALUES[name] ?? '7';
  const domain = keys.domain('eu');
  if (name === 'vault')
    return (policy.fields.value as VaultRule).open(domain, { main: store }).then((v) => v.protect(value));
  return (policy.bind(domain).protect({ id: '7', value } as never) as { value: unknown }).value;
}

describe.each(Object.keys(kinds) as Kind[])('%s', (kind) => {
  const keys = rotated(kind);
  const from = keys.first.domain('eu').keyId;

  it.each(Object.keys(RULES) as Name[])('%s', async (name) => {
    const say = (of: Keyset) => rotationOf(policyOf(name), rotationKeys(describeKeyset(of, 'eu').keys))[0]!;
    const { effect, words } = say(keys.now);
    // Before the promotion the same is said.
    expect(say(keys.ready)).toEqual({
      field: 'value',
      rule: RULES[name].rule,
      scope: RULES[name].scope,
      effect,
      words,
    });
    expect(effect).toBe(EXPECTED[name][kinds[kind].newLineage ? 1 : 0]);

    const store = memoryStore();
    const old = await made(name, keys.first, store);
    const fresh = await made(name, keys.now, store);
    const result = moved(name, keys.now, from, old);
    if (effect === 'originals') {
      expect(result).toBe('not_renewable');
      expect(words).toContain('anew');
      return;
    }
    expect(result).toEqual(fresh);
    expect(result === old).toBe(effect === 'stays');
  });
});

it('keys of two lineages: what is renewed and what is not are both said', () => {
  const { first, now } = rotated('another lineage');
  const more = addKey(now);
  const [id] = more.ids.filter((one) => !now.ids.includes(one));
  const described = describeKeyset(promoteKey(more, id!), 'eu').keys;
  const [token] = rotationOf(policyOf('token'), rotationKeys(described));
  expect(token).toMatchObject({
    effect: 'originals',
    words:
      `tokens are renewed without the originals, but tokens of key ${first.domain('eu').keyId} cannot be renewed, ` +
      'because they have another base; protect the originals anew',
  });
});

it('a key file with one key tells of a rotation within its lineage', () => {
  const keys = rotationKeys(describeKeyset(keyset.generate(), 'eu').keys);
  expect(keys).toEqual({ others: [], hasSame: false });
  expect(rotationOf(policyOf('token'), keys)[0]).toMatchObject({ effect: 'renews' });
});
