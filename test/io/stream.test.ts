import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { protectCsv, protectCsvStream, revealCsv, revealCsvStream } from '../../src/csv.ts';
import { type Issue, TrefoilError } from '../../src/errors.ts';
import { keep, policy } from '../../src/index.ts';
import { protectNdjson, protectNdjsonStream, revealNdjsonStream } from '../../src/ndjson.ts';
import { abc, brief, collect, errorOf, keys, textOf, wayBack } from './helpers.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/trefoil-stream-`);
});
afterAll(() => rm(folder, { recursive: true }));

const TEXT = `a,b,c\n${'1,2,3\n'.repeat(5000)}`;

/** A source that counts how often it is asked for a chunk. */
function counting(
  chunks: number,
  text = '1,2,3\n'.repeat(100),
): { source: AsyncIterable<string>; seen: { asked: number; closed: number } } {
  const seen = { asked: 0, closed: 0 };
  const source = {
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<string>> {
        seen.asked++;
        if (seen.asked === 1) return { done: false, value: 'a,b,c\n' };
        return seen.asked > chunks + 1 ? { done: true, value: undefined } : { done: false, value: text };
      },
      async return(): Promise<IteratorResult<string>> {
        seen.closed++;
        return { done: true, value: undefined };
      },
    }),
  };
  return { source, seen };
}

/** A web stream that reads from its source only when it is read from. */
function webOf(source: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await iterator.next();
      if (step.done === true) controller.close();
      else controller.enqueue(new TextEncoder().encode(step.value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

test('pipeline, the iterable form', async () => {
  const [input, output, back] = ['in.csv', 'out.csv', 'back.csv'].map((name) => `${folder}/${name}`) as [
    string,
    string,
    string,
  ];
  const text = `name,pan,age,city\n${'Zoë,4111 1111 1111 1111,36,Ulm\n'.repeat(3000)}`;
  await writeFile(input, text);
  await pipeline(createReadStream(input), (source) => protectCsv(source, wayBack), createWriteStream(output));
  await pipeline(
    createReadStream(output),
    (source: AsyncIterable<Uint8Array>) => revealCsv(source, wayBack),
    createWriteStream(back),
  );
  expect(await readFile(back, 'utf8')).toBe(text);
});

test('pipeline, the transform form', async () => {
  const [input, output] = [`${folder}/t-in.csv`, `${folder}/t-out.csv`];
  const text = `name,pan,age,city\n${'Zoë,4111 1111 1111 1111,36,Ulm\n'.repeat(3000)}`;
  await writeFile(input, text);
  await pipeline(
    createReadStream(input),
    protectCsvStream(wayBack) as never,
    revealCsvStream(wayBack) as never,
    createWriteStream(output),
  );
  expect(await readFile(output, 'utf8')).toBe(text);
});

test('an error goes through pipeline in both forms', async () => {
  const run = (stage: unknown): Promise<unknown> =>
    pipeline(Readable.from([Buffer.from('a,b,c\n1,2\n')]), stage as never, createWriteStream(`${folder}/bad.csv`));
  await expect(run((source: AsyncIterable<Uint8Array>) => protectCsv(source, abc))).rejects.toThrow('expected 3 cells');
  await expect(run(protectCsvStream(abc))).rejects.toThrow('expected 3 cells');
});

test('pipeThrough, CSV and NDJSON', async () => {
  const through = (text: string, stage: TransformStream<Uint8Array, Uint8Array>): Promise<string> =>
    new Response(new Response(text).body!.pipeThrough(stage)).text();
  expect(await through(TEXT, protectCsvStream(abc))).toBe(TEXT);
  expect(await through('{"a":1}\n{"a":2}', protectNdjsonStream(policy({ a: keep }).bind(keys)))).toBe(
    '{"a":1}\n{"a":2}\n',
  );
  expect(await through(TEXT, protectCsvStream(abc, { limit: 2 }))).toBe('a,b,c\n1,2,3\n1,2,3\n');
  await expect(through('', protectCsvStream(abc))).rejects.toThrow('the input is empty');
  expect(() => revealNdjsonStream(policy({ a: keep }).bind(keys) as never)).toThrow(TrefoilError);
});

test('sources of every kind', async () => {
  const bytes = Buffer.from('a,b,c\n1,2,é\n');
  const text = bytes.toString();
  const noIterator = {
    getReader: () => new Response(bytes).body!.getReader(),
  } as unknown as ReadableStream<Uint8Array>;
  for (const source of [
    text,
    bytes,
    [bytes],
    [...text],
    Readable.from([bytes]),
    new Response(bytes).body!,
    noIterator,
    new Set([text]),
  ]) {
    expect(await textOf(protectCsv(source as never, abc))).toBe(text);
  }
  expect(await textOf(protectCsv(['a,b,c\n1,2,\ud83d', '\ude00\n'], abc))).toBe('a,b,c\n1,2,😀\n');
  for (const broken of [['a,b,c\n1,2,\ud83d'], ['a,b,c\n1,2,\ud83d', bytes], ['\ude00'], ['\ud83d', 'x']]) {
    expect((await errorOf(protectCsv(broken, abc))).code).toBe('lone_surrogate');
  }
  for (const wrong of [5, null, {}, [5], [null]])
    await expect(collect(protectCsv(wrong as never, abc))).rejects.toThrow(TypeError);
});

test('back-pressure: if a consumer takes one batch, the source is read about one batch', async () => {
  const { source, seen } = counting(10_000);
  const out = protectCsv(source, abc, { batchSize: 200 })[Symbol.asyncIterator]();
  expect(seen.asked).toBe(0);
  await out.next();
  await sleep(20);
  // The header and two chunks of a hundred rows. The third may be needed to see where the second ends.
  expect(seen.asked).toBeLessThanOrEqual(4);
  for (let i = 0; i < 10; i++) await out.next();
  expect(seen.asked).toBeLessThanOrEqual(24);
  await out.return?.();
  expect(seen.closed).toBe(1);
});

test('back-pressure: the transform form', async () => {
  const { source, seen } = counting(10_000);
  const bytes = webOf(source);
  const reader = bytes.pipeThrough(protectCsvStream(abc, { batchSize: 200 })).getReader();
  await reader.read();
  await sleep(50);
  expect(seen.asked).toBeLessThanOrEqual(12);
  await reader.cancel();
  await sleep(20);
  expect(seen.closed).toBe(1);
});

test('a consumer that stops closes the source, and so do the limit and an error', async () => {
  const stopped = counting(100);
  for await (const _ of protectCsv(stopped.source, abc, { batchSize: 10 })) break;
  const limited = counting(100);
  await collect(protectCsv(limited.source, abc, { limit: 5 }));
  const failed = counting(100, '1,2\n');
  await errorOf(protectCsv(failed.source, abc, { batchSize: 10 }));
  const finished = counting(3);
  await collect(protectCsv(finished.source, abc));
  expect([stopped, limited, failed, finished].map(({ seen }) => seen.closed)).toEqual([1, 1, 1, 0]);
  expect(limited.seen.asked).toBeLessThanOrEqual(3);
});

test('a source whose closing fails does not hide the error', async () => {
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: 'x,y\n1,2\n'.repeat(2000) }) as const,
      return: () => Promise.reject(new Error('while closing')),
    }),
  };
  expect((await errorOf(protectCsv(source, abc))).code).toBe('header_missing');
});

test('an error of the source is passed on unchanged', async () => {
  const source = (async function* () {
    yield 'a,b,c\n1,2,3\n';
    throw new Error('disk gone');
  })();
  await expect(collect(protectCsv(source, abc))).rejects.toThrow('disk gone');
});

test('abort: before, between, while the source hangs', async () => {
  const reason = new Error('stop');
  const before = counting(10);
  await expect(collect(protectCsv(before.source, abc, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  expect(before.seen).toEqual({ asked: 0, closed: 1 });

  const between = counting(10_000);
  const controller = new AbortController();
  const run = async (): Promise<void> => {
    for await (const _ of protectCsv(between.source, abc, { signal: controller.signal, batchSize: 10 }))
      controller.abort(reason);
  };
  await expect(run()).rejects.toBe(reason);
  expect(between.seen.closed).toBe(1);

  const hanging = new AbortController();
  let closed = 0;
  const never = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        closed++;
        return new Promise<never>(() => {});
      },
    }),
  };
  const wait = collect(protectNdjson(never, abc, { signal: hanging.signal }));
  setTimeout(() => hanging.abort(reason), 10);
  await expect(wait).rejects.toBe(reason);
  expect(closed).toBe(1);

  const readable = new Readable({ read() {} });
  const third = new AbortController();
  const stuck = collect(protectCsv(readable, abc, { signal: third.signal }));
  setTimeout(() => third.abort(reason), 10);
  await expect(stuck).rejects.toBe(reason);
  expect(readable.destroyed).toBe(true);
});

test('abort: the transform form', async () => {
  const reason = new Error('stop');
  const controller = new AbortController();
  const { source, seen } = counting(10_000);
  const bytes = webOf(source);
  const reader = bytes.pipeThrough(protectCsvStream(abc, { signal: controller.signal, batchSize: 10 })).getReader();
  await reader.read();
  controller.abort(reason);
  await expect(
    (async () => {
      for (;;) if ((await reader.read()).done) return;
    })(),
  ).rejects.toBe(reason);
  await sleep(20);
  expect(seen.closed).toBe(1);
  const late = protectCsvStream(abc, { signal: controller.signal });
  await expect(new Response('a').body!.pipeThrough(late).getReader().read()).rejects.toBe(reason);
});

test('limit inside pipeline', async () => {
  const out = `${folder}/limit.csv`;
  await writeFile(`${folder}/limit-in.csv`, TEXT.repeat(1));
  await pipeline(
    createReadStream(`${folder}/limit-in.csv`, { highWaterMark: 64 }),
    (source) => protectCsv(source, abc, { limit: 3 }),
    createWriteStream(out),
  );
  expect(await readFile(out, 'utf8')).toBe('a,b,c\n1,2,3\n1,2,3\n1,2,3\n');
});

test('progress grows and ends with the totals', async () => {
  const seen: { rows: number; rejected: number; bytesIn: number; bytesOut: number }[] = [];
  const rejects: Issue[] = [];
  const text = `${TEXT}1,2\n`;
  await collect(protectCsv(text, abc, { onProgress: (p) => seen.push(p), onReject: (issue) => rejects.push(issue) }));
  expect(seen.at(-1)).toEqual({ rows: 5001, rejected: 1, bytesIn: text.length, bytesOut: TEXT.length });
  expect(seen.length).toBeGreaterThan(4);
  for (let i = 1; i < seen.length; i++) expect(seen[i]!.rows).toBeGreaterThanOrEqual(seen[i - 1]!.rows);
  expect(rejects.map(brief)).toEqual(['ragged_row row 5001 line 5002']);
});
