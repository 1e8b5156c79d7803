/**
 * Which versions of DuckDB's package are accepted. `package.json` accepts any, so the version is checked on loading.
 */
import { expect, test } from 'vitest';
import { isNewEnough, loadDuckdb } from '../../src/duckdb/module.ts';

test.each([
  ['v1.5.6', true],
  ['v1.5.0', true],
  ['1.10.0', true],
  ['v2.0.0', true],
  ['v1.4.4', false],
  ['v0.10.2', false],
  ['unknown', false],
])('%s: %s', (version, taken) => {
  expect(isNewEnough(version)).toBe(taken);
});

test('the installed version is accepted', async () => {
  expect((await loadDuckdb()).version()).toMatch(/^v\d+\.\d+\.\d+/);
});
