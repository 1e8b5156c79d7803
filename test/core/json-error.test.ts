import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonErrorAt } from '../../src/core/json/error.ts';

test.each([
  ['', 0],
  ['{"a":1', 6],
  ['{"a":1}}', 7],
  ['{"a":1 "b"', 7],
  ['{a:1}', 1],
  ['{"a" 1}', 5],
  ['{"a":}', 5],
  ['{"a":1,}', 7],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['{"a":01}', 6],
  ['{"a":.5}', 5],
  ['{"a":"\t"}', 5],
  ['{"a":"\\q"}', 5],
  ['{"a":tru}', 5],
  ['nul', 0],
  ['\ufeff{}', 0],
  ['{"a":1}\u00a0', 7],
  ["{'a':1}", 1],
  ['{"a":[{"b":]}', 11],
])('%j stops being JSON at %i', (text, at) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(jsonErrorAt(text)).toBe(at);
});

test('property: what stands before the place can be completed, what stands there cannot', () => {
  const damaged = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '0', '-', 'x', '{', '[', '\\', ' '))
    .map(([json, place, character]) => {
      const at = place % (json.length + 1);
      return json.slice(0, at) + character + json.slice(at + 1);
    });
  fc.assert(
    fc.property(damaged, (text) => {
      let engine: number | null = null;
      try {
        JSON.parse(text);
        return;
      } catch (error) {
        // V8's message has the position, unless the text is cut off or short.
        const said = /at position (\d+)/.exec((error as Error).message);
        if (said !== null) engine = Number(said[1]);
      }
      const at = jsonErrorAt(text);
      expect(at).toBeGreaterThanOrEqual(0);
      expect(at).toBeLessThanOrEqual(text.length);
      // Inside strings and words, the engine's position is more exact.
      if (engine !== null) expect(at).toBeLessThanOrEqual(engine);
      if (engine !== null && /^[^"\\a-z0-9.+-]*$/i.test(text.slice(at, engine))) expect(at).toBe(engine);
    }),
    { numRuns: 2000 },
  );
});

test('a line of 16 MB that is wrong has its place', () => {
  const long = 'x'.repeat(16 << 20);
  for (const [text, at] of [
    [`{"a":"${long}`, 5],
    [`{"a":"${long}"`, long.length + 7],
    [`{"a":"${'\\n'.repeat(8 << 20)}`, 5],
    [`{"${long}`, 1],
    [`{"a":${'1'.repeat(16 << 20)}`, 5 + (16 << 20)],
    [long, 0],
  ] as const) {
    expect(jsonErrorAt(text)).toBe(at);
  }
}, 60_000);
