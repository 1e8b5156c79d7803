import { describe, expect, it, vi } from 'vitest';
import { seq } from '../../src/format/composed/seq.ts';
import { enumOf } from '../../src/format/enum.ts';
import { digits } from '../../src/format/text.ts';
import { counted, engineOf, enumerated, JUNK, kept, outlined, plainData, refusal } from './values.ts';

const WARDS = ['cardiology', 'oncology', 'surgery', 'Z', '\u{1f3e5}', 'é', 'e\u0301', ' ', 'a\nb'];

describe('enumOf', () => {
  it('a value is its place in the list', () => {
    const format = enumOf(WARDS);
    expect(enumerated(format)).toEqual(WARDS);
    expect(WARDS.map((value) => format.rank(value))).toEqual(WARDS.map((_, i) => BigInt(i)));
    for (const value of WARDS) kept(format, value);
    outlined(format, WARDS);
    expect(format.size).toBe(9n);
    expect(format.strength()).toMatchObject({ codebook: true, engine: 'table', because: 'the values of the list: 9' });
  });

  it.each([
    'Surgery',
    'surgery ',
    ' surgery',
    'surger',
    'surgery\n',
    'z',
    'E\u0301',
    '',
    'constructor',
    '__proto__',
    '0',
  ])('%j is none of them', (value) => {
    expect(refusal(enumOf(WARDS), value).issues[0]).toMatchObject({ expected: 9 });
  });

  it('junk is none of them', () => {
    for (const value of JUNK.filter((each) => each !== ' ')) refusal(enumOf(WARDS), value);
    expect(enumOf(['__proto__', 'toString']).rank('toString')).toBe(1n);
  });

  it('takes 2 to 65,536 values', () => {
    const many = Array.from({ length: 65_536 }, (_, i) => `value ${i}`);
    const format = enumOf(many);
    expect(enumerated(format)).toEqual(many);
    counted(format);
    expect(format.strength()).toMatchObject({ size: 65_536n, codebook: false });
    expect(engineOf(format).outline).toMatchObject({ min: 7, max: 11 });
    outlined(format, many.slice(0, 100));
    expect(() => enumOf([...many, 'one more'])).toThrow('"values" expected 2 to 65536 values, got 65537');
    enumerated(enumOf(['a', 'b']));
  });

  it.each([
    [[], RangeError],
    [['a'], RangeError],
    [['a', 'a'], RangeError],
    [['a', ''], RangeError],
    [['a', '\ud83d'], RangeError],
    [['a', '\udc00b'], RangeError],
    [['a', 'b'.repeat(257)], RangeError],
    [['a', '\u{1f3e5}'.repeat(257)], RangeError],
    [['a', 1], TypeError],
    [['a', null], TypeError],
    [Object.assign(new Array(3), { 0: 'a', 2: 'b' }), TypeError],
    ['ab', TypeError],
    [new Set(['a', 'b']), TypeError],
    [{ 0: 'a', 1: 'b', length: 2 }, TypeError],
    [undefined, TypeError],
    [null, TypeError],
  ])('the list %j is refused', (values, error) => {
    expect(() => enumOf(values as never)).toThrow(error as never);
  });

  it('takes texts of 256 characters, astral ones too', () => {
    const long = ['\u{1f3e5}'.repeat(256), 'b'.repeat(256)];
    enumerated(enumOf(long));
    expect(engineOf(enumOf(long)).outline).toMatchObject({ min: 256, max: 256 });
  });

  it('says which one, and never the value', () => {
    expect(() => enumOf(['cardiology', 'oncology', 'oncology'])).toThrow(
      '"values" expected every value once; the text at index 2 is there twice',
    );
    expect(refusal(enumOf(WARDS), 'neurology').message).toBe(
      'the value is not one of the 9 values of the list, spelt as they are there',
    );
  });

  it('the list in its order is the descriptor', () => {
    expect(engineOf(enumOf(['a', 'b'])).descriptor).toEqual(['enumOf@1', 'a', 'b']);
    expect(engineOf(enumOf(['b', 'a'])).descriptor).toEqual(['enumOf@1', 'b', 'a']);
    expect(engineOf(enumOf(['a', 'b'])).hasClear).toBe(false);
  });

  it('is plain data and keeps its own copy', () => {
    const list = ['a', 'b'];
    const format = enumOf(list);
    list[0] = 'c';
    list.push('d');
    plainData(format, { type: 'enumOf', values: ['a', 'b'] });
    expect(format.unrank(0)).toBe('a');
    expect(Object.isFrozen(format.values)).toBe(true);
    expect(engineOf(enumOf(format.values)).descriptor).toEqual(engineOf(format).descriptor);
  });
});

it('in another format, a list is read a few times and not once for every position', () => {
  const values = Array.from({ length: 500 }, (_, i) => `v${i}`.padEnd(199 + (i % 2), 'x'));
  const spread = vi.spyOn(String.prototype, Symbol.iterator as never) as unknown as {
    readonly mock: { readonly calls: readonly unknown[] };
    readonly mockRestore: () => void;
  };
  // Where the list ends is shown by a slash that it has nowhere.
  seq(enumOf(values), '/', digits());
  const calls = spread.mock.calls.length;
  spread.mockRestore();
  expect(calls).toBeLessThan(10 * values.length);
});
