/**
 * What the compiler says about streams of records.
 */
import { keep, keyset, policy, seal } from 'trefoil';
import { protectCsv, protectCsvStream, revealCsv, revealCsvStream } from 'trefoil/csv';
import { protectNdjson, protectNdjsonStream, revealNdjson, revealNdjsonStream } from 'trefoil/ndjson';
import { protectFile, protectFiles, revealFile, revealFiles } from 'trefoil/node';
import { parsePolicy } from 'trefoil/policy';
import { revealAccess } from 'trefoil/reveal';
import { memoryStore, type ShredCertificate, vault } from 'trefoil/vault';
import { describe, expectTypeOf, test } from 'vitest';

const keys = keyset.generate().domain('eu');
const sheet = policy({ name: seal({ scope: 'name' }), country: keep });
const file = parsePolicy({});
const bound = sheet.bind(keys);
const revealing = sheet.bind(keys, revealAccess);

describe('streams', () => {
  test('take a bound policy, from code or from a file', () => {
    expectTypeOf(protectCsv('', bound)).toEqualTypeOf<AsyncIterable<Uint8Array>>();
    expectTypeOf(protectNdjson('', file.bind(keys))).toEqualTypeOf<AsyncIterable<Uint8Array>>();
    expectTypeOf(protectCsvStream(revealing)).toEqualTypeOf<TransformStream<Uint8Array, Uint8Array>>();
    expectTypeOf(revealCsv('', revealing)).toEqualTypeOf<AsyncIterable<Uint8Array>>();
    expectTypeOf(revealNdjsonStream(file.bind(keys, revealAccess))).toEqualTypeOf<
      TransformStream<Uint8Array, Uint8Array>
    >();
    // @ts-expect-error a policy without keys protects nothing
    protectCsv('', sheet);
    // @ts-expect-error keys alone are not a policy
    protectNdjsonStream(keys);
  });

  test('files and streams take a policy that was opened with its stores', async () => {
    const stores = { main: memoryStore() };
    const rule = vault({ scope: 'name', store: 'main' });
    const opened = await policy({ name: rule, country: keep }).open(keys, stores);
    const all = await policy({ name: rule, country: keep }).open(keys, stores, revealAccess);
    protectFile('in.csv', 'out.csv', opened);
    revealFile('in.csv', 'out.csv', all);
    protectFiles(['in.csv'], 'out', await file.open(keys, stores));
    revealFiles(['in.csv'], 'out', await file.open(keys, stores, revealAccess));
    // @ts-expect-error no capability, no way back
    revealFile('in.csv', 'out.csv', opened);
    protectCsv('', opened);
    revealNdjsonStream(all);
    // @ts-expect-error no capability, no way back
    revealCsv('', opened);
    // @ts-expect-error a rule alone is not a policy
    protectCsv('', await rule.open(keys, stores));
    // @ts-expect-error a rule alone is not a policy
    protectFile('in.csv', 'out.csv', await rule.open(keys, stores));
  });

  test('what destroys a mapping wants the capability, and shred may find nobody', async () => {
    const rule = vault({ scope: 'name', store: 'main', subject: 'id' });
    const stores = { main: memoryStore() };
    const open = await rule.open(keys, stores);
    const revealing = await rule.open(keys, stores, revealAccess);
    // @ts-expect-error no capability, no erasure
    open.expire();
    // @ts-expect-error no capability, no erasure
    open.forget('token');
    // @ts-expect-error no capability, no erasure
    open.shred(7);
    expectTypeOf(revealing.expire).toEqualTypeOf<(now?: number) => Promise<number>>();
    expectTypeOf(revealing.shred(7)).toEqualTypeOf<Promise<ShredCertificate | null>>();
    revealing.shred(7, { inAdvance: true });
    // @ts-expect-error leave it out instead
    revealing.shred(7, { inAdvance: false });
    // @ts-expect-error a subject, or null for any
    revealing.isCertificate((await revealing.shred(7))!);
    revealing.isCertificate((await revealing.shred(7))!, null);
  });

  test('reveal only with the capability', () => {
    // @ts-expect-error no capability, no way back
    revealCsv('', bound);
    // @ts-expect-error no capability, no way back
    revealCsvStream(bound);
    // @ts-expect-error no capability, no way back
    revealNdjson('', bound);
    // @ts-expect-error no capability, no way back
    revealNdjsonStream(file.bind(keys));
    // @ts-expect-error no capability, no way back
    revealFile('in.csv', 'out.csv', bound);
  });

  test('take options by name', () => {
    protectCsv('', bound, { delimiter: ';', quoting: 'all', signal: new AbortController().signal });
    protectFile('in.csv', 'out.csv', bound, { force: true });
    // @ts-expect-error an option that does not exist
    protectCsv('', bound, { delimeter: ';' });
    // @ts-expect-error no positional booleans
    protectFile('in.csv', 'out.csv', bound, true);
    // @ts-expect-error quoting that does not exist
    protectCsv('', bound, { quoting: 'some' });
  });
});
