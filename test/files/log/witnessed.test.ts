/** A log with witnesses: cosignatures, proofs, witnesses that are down, and logs that were rolled back. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  checkProof,
  consistencyProof,
  cosign,
  cosigner,
  hashesOf,
  type LogPolicy,
  newNoteKey,
  openCheckpoint,
  parseLogPolicy,
  parseLogProof,
  verifierKey,
  witness,
  witnessMemory,
} from '../../../src/log.ts';
import { readLogFolder } from '../../../src/node.ts';
import { rejection } from '../../helpers/errors.ts';
import { copy, fill, filled, KEY, open, place, text } from './places.ts';

/** Witnesses in this process, by their names, and the policy that wants all of them. */
async function witnesses(...names: readonly string[]) {
  return witnessesAt({}, ...names);
}

/** The same, of which one has another clock. */
async function witnessesAt(clocks: Readonly<Record<string, () => number>>, ...names: readonly string[]) {
  const keys = names.map((name) => newNoteKey(`${name}.example`, { algorithm: 'cosignature/v1' }));
  const handlers = keys.map(({ privateKey }, i) => {
    const signer = cosigner(privateKey, { now: clocks[names[i]!] ?? Date.now });
    return witness({ signer, state: witnessMemory(), logs: [verifierKey(KEY.verifierKey)] });
  });
  const down = new Set<string>();
  let asked = 0;
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const name = new URL(request.url).hostname.split('.')[0]!;
    asked++;
    if (down.has(name)) throw new TypeError('fetch failed');
    return (await handlers[names.indexOf(name)]!)(request);
  };
  const lines = [
    `log ${KEY.verifierKey}`,
    ...names.map((name, i) => `witness ${name} ${keys[i]!.verifierKey} https://${name}.example/`),
    `group both all ${names.join(' ')}`,
    'quorum both',
  ];
  const policy = parseLogPolicy(`${lines.join('\n')}\n`);
  return { policy, fetch: fetch as typeof globalThis.fetch, down, asked: () => asked };
}

describe('cosignatures', () => {
  test('come for what was appended, are published, and are in the proofs', async () => {
    const { policy, fetch } = await witnesses('one', 'two');
    const at = place();
    const log = await open(at, { create: true, witnesses: policy, fetch });
    for (const size of [1, 2, 257, 300]) {
      await fill(log, log.size(), size);
      const note = await log.cosigned(size, 10_000);
      expect(openCheckpoint(note, policy)).toMatchObject({ size, witnesses: [{ name: 'one' }, { name: 'two' }] });
      for (const index of [0, size - 1]) {
        const proof = await log.prove(index);
        expect(checkProof(proof, text(`entry ${index}`), policy).index).toBe(index);
      }
    }
    await log.close();
    expect(openCheckpoint(readFileSync(join(at, 'log/checkpoint')), policy).witnesses).toHaveLength(2);
    // The published checkpoint with its cosignatures is the head's, so opening finds nothing to mend.
    const again = await open(at, { witnesses: policy, fetch });
    expect(again.recovery).toEqual({ taken: 0, published: false });
    await again.close();
  });

  test('a witness is down: appends are fulfilled, cosigned says who is missing, and it recovers', async () => {
    const { policy, fetch, down } = await witnesses('one', 'two');
    const log = await open(place(), { create: true, witnesses: policy, fetch });
    down.add('two');
    await fill(log, 0, 10);
    const error = await rejection(log.cosigned(10, 300));
    expect(error.code).toBe('witness_missing');
    expect(error.message).toContain('two (witness_unavailable)');
    expect(error.message).not.toContain('one (');
    const later = log.cosigned(10, 10_000);
    down.clear();
    expect(openCheckpoint(await later, policy).size).toBe(10);
    await log.close();
  });

  test('a cosignature from the future does not count, as it does not for those who verify', async () => {
    const { policy, fetch } = await witnessesAt({ two: () => Date.now() + 3_600_000 }, 'one', 'two');
    const log = await open(place(), { create: true, witnesses: policy, fetch });
    await fill(log, 0, 2);
    for (let i = 0; i < 2; i++) {
      const error = await rejection(log.cosigned(2, 400));
      expect(error).toMatchObject({ code: 'witness_missing', message: expect.stringContaining('two (') });
      expect(error.message).toContain('in the future');
      expect(error.message).not.toContain('one (');
    }
    await log.close();
  });

  test('a witness that does not answer in the time is named', async () => {
    const { policy, fetch } = await witnesses('one', 'two');
    const log = await open(place(), {
      create: true,
      witnesses: policy,
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        const { url, method } = new Request(input, init);
        if (method === 'GET' || !url.includes('//two.')) return fetch(input, init);
        return new Promise<Response>((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal!.reason));
        });
      },
    });
    await fill(log, 0, 2);
    const error = await rejection(log.cosigned(2, 300));
    expect(error.code).toBe('witness_missing');
    expect(error.message).toContain('missing: two (no answer yet)');
    await log.close();
  });

  /** The witnesses of the checkpoint in the folder. */
  const published = (at: string, policy: LogPolicy): string[] =>
    openCheckpoint(readFileSync(join(at, 'log/checkpoint')), policy).witnesses.map(({ name }) => name);

  /** Lets every request wait for so long. */
  const slow =
    (fetch: typeof globalThis.fetch, milliseconds: number): typeof globalThis.fetch =>
    async (input, init) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return fetch(input, init);
    };

  test('closing waits for those that are on their way, so the published checkpoint has them', async () => {
    const { policy, fetch } = await witnesses('one', 'two');
    const at = place();
    const log = await open(at, { create: true, witnesses: policy, fetch: slow(fetch, 150) });
    await fill(log, 0, 3);
    await log.append(text('last'));
    await log.close();
    expect(published(at, policy)).toEqual(['one', 'two']);
    expect(openCheckpoint(readFileSync(join(at, 'log/checkpoint')), policy).size).toBe(4);
  });

  test('closing does not wait for a witness that never answers', async () => {
    const { policy } = await witnesses('one');
    const hanging = (async (_, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(new Error('abort'))),
      )) as typeof globalThis.fetch;
    const at = place();
    const log = await open(at, { create: true, witnesses: policy, fetch: hanging });
    // The look at the start has its own limit; the log has no entries then.
    await log.append(text('last'));
    const begun = performance.now();
    await log.close();
    expect(performance.now() - begun).toBeLessThan(8000);
    expect(published(at, policy)).toEqual([]);
  }, 30_000);

  test('enough of them are published at once, and not after the slowest one', async () => {
    const { policy: all, fetch, down } = await witnesses('one', 'two');
    const lines = all.witnesses.map(({ name, verifier, url }) => `witness ${name} ${verifier.text} ${url}\n`).join('');
    const policy = parseLogPolicy(`log ${KEY.verifierKey}\n${lines}quorum one\n`);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const at = place();
    const log = await open(at, {
      create: true,
      witnesses: policy,
      fetch: (async (input, init) => {
        if (String(input).includes('two.') && init?.method === 'POST') await held;
        return fetch(input, init);
      }) as typeof globalThis.fetch,
    });
    await fill(log, 0, 3);
    await log.cosigned(3, 10_000);
    await vi.waitFor(() => expect(published(at, policy)).toEqual(['one']));
    release();
    await vi.waitFor(() => expect(published(at, policy)).toEqual(['one', 'two']));
    expect(down.size).toBe(0);
    await log.close();
  });

  test('those of one checkpoint are gathered over rounds, and a witness that has cosigned is not asked again', async () => {
    const { policy, fetch, down } = await witnesses('one', 'two');
    const at = place();
    const posts: string[] = [];
    const counted = (async (input, init) => {
      if (init?.method === 'POST') posts.push(new URL(String(input)).hostname);
      return fetch(input, init);
    }) as typeof globalThis.fetch;
    const log = await open(at, { create: true, witnesses: policy, fetch: counted });
    down.add('two');
    await fill(log, 0, 3);
    const waits = log.cosigned(3, 10_000);
    await vi.waitFor(() => expect(published(at, policy)).toEqual(['one']));
    down.add('one').delete('two');
    expect(openCheckpoint(await waits, policy).witnesses).toHaveLength(2);
    expect(posts.filter((host) => host === 'one.example')).toHaveLength(1);
    await log.close();
    expect(published(at, policy)).toEqual(['one', 'two']);
  });

  test('a log that was killed before they came asks for them when it is opened', async () => {
    const { policy, fetch, asked } = await witnesses('one', 'two');
    const at = await filled(3);
    expect(published(at, policy)).toEqual([]);
    const log = await open(at, { witnesses: policy, fetch });
    expect(openCheckpoint(await log.cosigned(3, 10_000), policy).size).toBe(3);
    await log.close();
    expect(published(at, policy)).toEqual(['one', 'two']);
    // Opened once more, it has them: nobody is asked for a cosignature, and the proofs have them at once.
    const before = asked();
    const again = await open(at, { witnesses: policy, fetch });
    expect(checkProof(await again.prove(0), text('entry 0'), policy).witnesses).toHaveLength(2);
    await again.close();
    expect(asked() - before).toBe(2);
  });

  test('a proof before any cosignature is under the signed checkpoint', async () => {
    const { policy, fetch, down } = await witnesses('one');
    down.add('one');
    const log = await open(place(), { create: true, witnesses: policy, fetch });
    await fill(log, 0, 3);
    const proof = await log.prove(2);
    expect(parseLogProof(proof).checkpoint).toBe(log.checkpoint());
    expect((await rejection(Promise.resolve().then(() => checkProof(proof, text('entry 2'), policy)))).code).toBe(
      'witness_missing',
    );
    await rejection(log.prove(3), RangeError);
    await rejection(log.cosigned(4, 10), RangeError);
    const waits = log.cosigned(3, 60_000);
    const rejected = rejection(waits);
    await log.close();
    expect((await rejected).code).toBe('witness_missing');
  });

  test('without the option there are none', async () => {
    const log = await open(place(), { create: true });
    await fill(log, 0, 1);
    expect((await rejection(log.cosigned(1, 10))).code).toBe('witness_missing');
    const quorumless = parseLogPolicy(`log ${KEY.verifierKey}\nquorum none\n`);
    expect(checkProof(await log.prove(0), text('entry 0'), quorumless).index).toBe(0);
    await log.close();
  });
});

describe('a witness that is not asked by the log alone', () => {
  const log = verifierKey(KEY.verifierKey);

  test('a stranger without a key hands it newer checkpoints first: the log goes on, and is cosigned', async () => {
    const { policy, fetch } = await witnesses('one');
    const at = place();
    const source = readLogFolder(join(at, 'log'));
    let strikes = 0;
    const late = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      if (init?.method === 'POST' && strikes < 5) {
        strikes++;
        await ours.append(text('newer'));
        const size = ours.size();
        const proof = (from: number) => consistencyProof(hashesOf(source, size), from, size);
        await cosign(ours.checkpoint(), 0, proof, policy.witnesses[0]!, { log, fetch });
      }
      return fetch(input, init);
    };
    const ours = await open(at, { create: true, witnesses: policy, fetch: late as typeof globalThis.fetch });
    await ours.append(text('first'));
    // The first rounds are overtaken, and what the witness serves is a cosigned checkpoint of this log all the same.
    expect(openCheckpoint(await ours.cosigned(1, 10_000), policy).size).toBeGreaterThan(1);
    while (strikes < 5) {
      await ours.append(text('more'));
      const size = ours.size();
      expect(openCheckpoint(await ours.cosigned(size, 10_000), policy).size).toBeGreaterThanOrEqual(size);
    }
    await ours.close();
  });

  test('422 that nothing proves does not stop the log', async () => {
    const { policy } = await witnesses('one');
    const fetch = async (_: RequestInfo | URL, init?: RequestInit) =>
      new Response('', { status: init?.method === 'POST' ? 422 : 404 });
    const ours = await open(place(), { create: true, witnesses: policy, fetch });
    await ours.append(text('first'));
    expect((await rejection(ours.cosigned(1, 300))).message).toContain('one (witness_disagrees)');
    expect((await ours.append(text('more'))).index).toBe(1);
    await ours.close();
  });
});

describe('rolled back with its head', () => {
  /** A log and a copy of its whole machine at size 5; the original then grew to 8 and was witnessed. */
  async function twoMachines() {
    const all = await witnesses('one', 'two');
    const at = await filled(5);
    const snapshot = copy(at, 'log', 'head', 'head.key');
    const log = await open(at, { witnesses: all.policy, fetch: all.fetch });
    await fill(log, 5, 8);
    await log.cosigned(8, 10_000);
    await log.close();
    return { ...all, at, snapshot };
  }

  test('a snapshot of the whole machine does not start when a witness answers', async () => {
    const { snapshot, policy, fetch } = await twoMachines();
    const error = await rejection(open(snapshot, { witnesses: policy, fetch }));
    expect(error.code).toBe('log_rolled_back');
    expect(error.issues[0]).toMatchObject({ expected: 8, actual: 5 });
  });

  test('when no witness answers at the start, the first one that does stops it', async () => {
    const { snapshot, policy, fetch, down } = await twoMachines();
    down.add('one').add('two');
    const log = await open(snapshot, { witnesses: policy, fetch });
    await log.append(text('branch'));
    down.clear();
    expect((await rejection(log.cosigned(6, 3000))).code).toBe('log_rolled_back');
    const stopped = await rejection(log.append(text('more')));
    expect(stopped.code).toBe('log_stopped');
    expect(stopped.message).toContain('log_rolled_back: the witness');
    await log.close();
  });

  test('one witness proves it and the other one never answers: nobody waits for the end of the time', async () => {
    const { snapshot, policy, fetch, down } = await twoMachines();
    down.add('one').add('two');
    // The witness that hangs takes only the signal of `close`, or the limit of 10 seconds.
    const hanging = async (input: RequestInfo | URL, init?: RequestInit) =>
      down.size === 0 && String(input).includes('two')
        ? new Promise<Response>((_, reject) =>
            init?.signal?.addEventListener('abort', () => reject(new Error('abort'))),
          )
        : fetch(input, init);
    const log = await open(snapshot, { witnesses: policy, fetch: hanging as typeof globalThis.fetch });
    await log.append(text('branch'));
    const waiting = [6, 6, 5].map((size) => rejection(log.cosigned(size, 60_000)));
    down.clear();
    const begun = performance.now();
    const errors = await Promise.all(waiting);
    errors.push(await rejection(log.cosigned(6, 60_000)));
    expect(errors.map(({ code }) => code)).toEqual(Array(4).fill('log_rolled_back'));
    expect(errors[0]!.message).toContain('the witness one has a checkpoint');
    // A round begins at most 2.5 seconds after the last one.
    expect(performance.now() - begun).toBeLessThan(8000);
    await log.close();
  });

  test('a branch of the same size as what the witnesses have is never cosigned', async () => {
    const { snapshot, policy, fetch, down } = await twoMachines();
    down.add('one').add('two');
    const log = await open(snapshot, { witnesses: policy, fetch });
    for (const name of ['a', 'b', 'c', 'd']) await log.append(text(name));
    down.clear();
    expect((await rejection(log.cosigned(9, 1500))).code).toBe('log_forked');
    const stopped = await rejection(log.append(text('more')));
    expect(stopped.code).toBe('log_stopped');
    expect(stopped.message).toMatch(/log_forked: the witness (?:one|two) has cosigned another tree/);
    await log.close();
    expect((await rejection(open(snapshot, { witnesses: policy, fetch }))).code).toBe('log_forked');
  });

  test('the machine that went on starts again', async () => {
    const { at, snapshot, policy, fetch } = await twoMachines();
    const log = await open(at, { witnesses: policy, fetch });
    await fill(log, 8, 9);
    await log.cosigned(9, 10_000);
    await log.close();
    // The newest copy of the log is brought to the other machine, with its head.
    for (const part of ['log', 'head', 'head.key']) {
      rmSync(join(snapshot, part), { recursive: true });
      cpSync(join(at, part), join(snapshot, part), { recursive: true });
    }
    const moved = await open(snapshot, { witnesses: policy, fetch });
    await fill(moved, 9, 10);
    await moved.cosigned(10, 10_000);
    await moved.close();
  });
});
