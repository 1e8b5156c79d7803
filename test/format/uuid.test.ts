import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { uuid } from '../../src/format/uuid.ts';
import { fpe, keyset, policy } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { random } from '../reference/random.ts';
import { counted, engineOf, JUNK, kept, outlined, plainData, refusal } from './values.ts';

/** RFC 9562, appendices A and B: one of each version that has an example. */
const EXAMPLES = [
  'c232ab00-9414-11ec-b3c8-9f6bdeced846',
  '000003e8-cbb9-21ea-b201-00045a86c8a1',
  '5df41881-3aed-3515-88a7-2f4a814cf09e',
  '919108f7-52d1-4320-9bac-f847db4148a8',
  '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  '1ec9414c-232a-6b00-b3c8-9f6bdeced846',
  '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  '2489e9ad-2ee2-8e00-8ec9-32d5f69181c0',
];

/** The definition, bit by bit: 128 bits; those at 48–51 (version) and 64–65 (variant) left out. */
function literalIndex(value: string): bigint {
  const bits = [...value.replaceAll('-', '')]
    .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
    .join('');
  expect(bits.slice(64, 66)).toBe('10');
  return BigInt(`0b${bits.slice(66, 68)}${bits.slice(0, 48)}${bits.slice(52, 64)}${bits.slice(68)}`);
}

const VALID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('uuid', () => {
  it('takes the examples of RFC 9562', () => {
    for (const value of EXAMPLES) {
      const parts = kept(uuid(), value);
      expect(parts).toMatchObject({ shape: '', clear: value[14], size: 2n ** 122n, index: literalIndex(value) });
      const values = counted(uuid(), value, 100);
      for (const other of values) {
        expect(other).toMatch(VALID);
        expect(other[14]).toBe(value[14]);
      }
      outlined(uuid(), values);
    }
  });

  it('the index is what the bits say, over many cases', () => {
    const next = random('uuid');
    const digest = createHash('sha256');
    for (let i = 0; i < 2000; i++) {
      const hex = next.bytes(16).toString('hex');
      const value = [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `${1 + next.below(8)}${hex.slice(13, 16)}`,
        `${'89ab'[next.below(4)]}${hex.slice(17, 20)}`,
        hex.slice(20),
      ].join('-');
      const { index } = kept(uuid(), value);
      expect(index).toBe(literalIndex(value));
      digest.update(`${value} ${index}\n`);
    }
    expect(digest.digest('hex')).toBe('ae58298fd64cefa04bbbde6d61faee4ed4c1826fb6eecb959f185ea790ca4e33');
    for (let i = 0; i < 200; i++) kept(uuid(), randomUUID());
  });

  it('counts 2^122 of each version', () => {
    const format = uuid();
    expect(format.size).toBe(2n ** 122n);
    expect(format.strength()).toMatchObject({ bits: 122, engine: 'ff1-cycle-walking', codebook: false });
    expect(format.unrank(0)).toBe('00000000-0000-4000-8000-000000000000');
    expect(format.unrank(2n ** 122n - 1n)).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
    expect(format.unrank(1, EXAMPLES[6])).toBe('00000000-0000-7000-8000-000000000001');
    expect(format.unrank(2n ** 120n, EXAMPLES[0])).toBe('00000000-0000-1000-9000-000000000000');
    counted(format);
  });

  it('keeps the letter case, value by value', () => {
    for (const value of EXAMPLES) {
      const parts = kept(uuid(), value.toUpperCase());
      expect(parts.index).toBe(literalIndex(value));
      expect(parts.layout).toBe('upper');
    }
    const keys = keyset.generate().domain('eu-enclave');
    const pins = keys.keyCheck;
    const rule = policy({ id: fpe({ scope: 'id', format: uuid() }) }, { keyCheck: pins }).bind(keys, revealAccess);
    const rows = EXAMPLES.flatMap((id) => [{ id }, { id: id.toUpperCase() }]);
    const out = rule.protectMany(rows).map(({ id }) => id as string);
    for (let i = 0; i < out.length; i += 2) {
      expect(out[i]).toMatch(VALID);
      expect(out[i + 1]).toBe(out[i]!.toUpperCase());
    }
    expect(rule.revealMany(out.map((id) => ({ id })) as never)).toEqual(rows);
    // Digits alone count as lower case.
    expect(kept(uuid(), '11111111-2222-4333-8444-555555555555').layout).toBe(null);
  });

  it('a refusal says what can be done', () => {
    const told = (value: string): string => refusal(uuid(), value).issues[0]!.message;
    expect(told('00000000-0000-0000-0000-000000000000')).toMatch(/list it under missing; .* use the format regex$/);
    expect(told('a0eebc99-9c0b-4ef8-cb6d-6bb9bd380a11')).toMatch(/^the UUID is not of version 1 to 8 and variant 10;/);
    expect(told('550e8400e29b41d4a716446655440000')).toMatch(/^the value is not a UUID in its text form/);
    expect(told('919108f7-52d1-4320-9bac-f847db4148A8')).toMatch(/^the UUID has letters of both cases/);
  });

  it.each([
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '919108f7-52d1-0320-9bac-f847db4148a8',
    '919108f7-52d1-9320-9bac-f847db4148a8',
    '919108f7-52d1-f320-9bac-f847db4148a8',
    '919108f7-52d1-4320-7bac-f847db4148a8',
    '919108f7-52d1-4320-cbac-f847db4148a8',
    '919108f7-52d1-4320-fbac-f847db4148a8',
    '919108f7-52d1-4320-9bac-f847db4148A8',
    '919108f752d143209bacf847db4148a8',
    '{919108f7-52d1-4320-9bac-f847db4148a8}',
    'urn:uuid:919108f7-52d1-4320-9bac-f847db4148a8',
    ' 919108f7-52d1-4320-9bac-f847db4148a8',
    '919108f7-52d1-4320-9bac-f847db4148a8 ',
    '919108f7-52d1-4320-9bac-f847db4148a8\n',
    '919108f7-52d1-4320-9bac-f847db4148a',
    '919108f7-52d1-4320-9bac-f847db4148a80',
    '919108f7-52d14-320-9bac-f847db4148a8',
    '919108f7\u201052d1-4320-9bac-f847db4148a8',
    'g19108f7-52d1-4320-9bac-f847db4148a8',
    '９19108f7-52d1-4320-9bac-f847db4148a8',
    ...JUNK,
  ])('%.50j is refused', (value) => {
    expect(refusal(uuid(), value).issues[0]).toMatchObject({ expected: 36 });
  });

  it.each([[{ letters: 'upper' }], [{ upper: true }], [null], ['upper'], [[]]])(
    'the options %j are refused',
    (options) => {
      expect(() => uuid(options as never)).toThrow(/^"options" /);
    },
  );

  it('descriptor and data', () => {
    expect(engineOf(uuid()).descriptor).toEqual(['uuid@1']);
    expect(engineOf(uuid()).hasClear).toBe(true);
    plainData(uuid(), { type: 'uuid' });
  });
});
