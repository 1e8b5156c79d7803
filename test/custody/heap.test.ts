/**
 * What is left in the memory of a process that has opened a sealed key file, or has failed to: after garbage collection
 * a snapshot of the heap has no piece of the keyset's text, of the identity or of what a KMS has said. Bytes are
 * outside the heap and are not looked at. It needs `dist`, which `npm test` builds first.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as age from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealKeyFile } from '../../src/custody.ts';
import { root } from '../doc-blocks.ts';
import { newIdentity, newKeyset } from './age.ts';

if (!existsSync(join(root, 'dist/custody.js')))
  throw new Error('dist/custody.js is missing: run npm run build:js first');

/** Opens `keys.age` in the way that the argument names, keeps what comes of it, and writes a snapshot. */
const CHILD = `
import { readFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';
import * as age from '${root}node_modules/age-encryption/dist/index.js';
import { openKeyFile } from '${root}dist/custody.js';
import { keyset } from '${root}dist/keys.js';

const read = (name) => readFileSync(name, 'utf8').trim();
const wrapper = (unwrap) => ({ uri: 'test:key', wrap: async (key) => key, unwrap });
const options = {
  success: () => ({ identities: [read('identity')] }),
  damage: () => ({ identities: [read('identity')] }),
  identity: () => ({ identities: [read('other')] }),
  throws: () => ({ wrappers: [wrapper(async () => { throw new Error(read('provider')); })], name: 'a' }),
  rejects: () => ({ wrappers: [wrapper(async () => { throw Object.assign(new Error(read('provider')), { status: 403, body: read('provider') }); })], name: 'a' }),
  answer: () => ({ wrappers: [wrapper(async () => read('provider'))], name: 'a' }),
  json: () => ({ identities: [read('identity')] }),
};
async function attempt(way) {
  const file = readFileSync(way === 'json' ? 'keys.json' : way === 'damage' ? 'damaged.age' : 'keys.age');
  try {
    return keyset.parse(await openKeyFile(file, { age, ...options[way]() })).domain('eu');
  } catch (error) {
    return error;
  }
}
globalThis.kept = await attempt(process.argv[2]);
// Strings die in the old generation only after several collections, and promises of the last task after a turn.
for (let i = 0; i < 5; i++) {
  await new Promise((done) => setTimeout(done, 20));
  gc();
}
writeHeapSnapshot('heap.heapsnapshot');
console.log(globalThis.kept.code ?? globalThis.kept.keyId);
`;

const folder = mkdtempSync(join(tmpdir(), 'trefoil-heap-'));
const text = newKeyset();
const PROVIDER = 'provider-says-the-key-is-7f3c9a51e2';
let secrets: readonly string[];

beforeAll(async () => {
  const own = await newIdentity();
  const other = await newIdentity();
  const wrapper = {
    uri: 'test:key',
    wrap: async (key: Uint8Array) => Uint8Array.from(key, (byte) => byte ^ 1),
    unwrap: async (key: Uint8Array) => Uint8Array.from(key, (byte) => byte ^ 1),
  };
  const file = await sealKeyFile(text, { age, recipients: [own.recipient], wrappers: [wrapper], name: 'a' });
  const damaged = file.slice();
  damaged[damaged.length - 9]! ^= 1;
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  for (const [name, content] of Object.entries({ 'keys.age': file, 'damaged.age': damaged, 'keys.json': text }))
    write(name, content);
  for (const [name, content] of Object.entries({ identity: own.identity, other: other.identity, provider: PROVIDER }))
    write(name, content);
  write('child.mjs', CHILD);
  secrets = [/trefoil-root-1_(\w+)/.exec(text)![1]!, own.identity.slice(16), other.identity.slice(16), PROVIDER];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pieces of a secret: twelve characters each, which are 60 bits of a key. */
const pieces = (secret: string) =>
  Array.from({ length: Math.floor(secret.length / 12) }, (_, i) => secret.slice(12 * i, 12 * i + 12));

test.each([
  ['success', /^[0-9a-z]{5}$/],
  ['damage', /^invalid_keyset$/],
  ['identity', /^key_refused$/],
  ['throws', /^key_unavailable$/],
  ['rejects', /^key_refused$/],
  ['answer', /^key_answer_broken$/],
  ['json', /^key_not_sealed$/],
])('after %s', (way, result) => {
  const out = execFileSync(process.execPath, ['--expose-gc', 'child.mjs', way], { cwd: folder, encoding: 'utf8' });
  expect(out.trim()).toMatch(result);
  const heap = readFileSync(join(folder, 'heap.heapsnapshot'), 'latin1');
  // The snapshot has the texts of the process: those of the program are in it.
  expect(heap).toContain('trefoil-root-1_');
  expect(heap).toContain('openKeyFile');
  expect(secrets.flatMap(pieces).filter((piece) => heap.includes(piece))).toEqual([]);
});
