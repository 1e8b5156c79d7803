/** Streams over the first records of an input, for `--dry-run` and `trefoil check`, also for a policy with a vault. */

import type { RecordOptions } from '../../io/records.ts';
import type { CanMove } from '../../io/stream.ts';
import { type BoundInside, type Direction, hideInside, openBound } from '../../policy/bound.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../../policy.ts';
import type { PolicyWithKeys } from '../bind.ts';
import type { Streams } from '../file-formats.ts';

/** Options of {@link sampleStream}. */
export interface SampleOptions extends RecordOptions {
  readonly limit: number;
}

/**
 * Runs the first records of a source through a policy.
 *
 * If the policy waits for a store, the records are read twice, as `AsyncRun` says. The bytes of the first pass are kept
 * for the second one, because standard input can be read only once.
 */
export async function* sampleStream(
  streams: Streams,
  direction: Direction,
  source: AsyncIterable<Uint8Array>,
  bound: PolicyWithKeys['bound'],
  options: SampleOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { beginAsync } = openBound(bound);
  if (beginAsync === undefined) return yield* runOnce(streams, direction, source, bound, options);
  const { collect, answer, settle } = beginAsync();
  const read: Uint8Array[] = [];
  const { limit, signal } = options;
  // The second pass reports what is wrong with records.
  const quiet = { limit, signal, onReject: () => {} };
  for await (const _ of runOnce(streams, direction, keeping(source, read), insideAlone(collect), quiet));
  await settle();
  yield* runOnce(streams, direction, replay(read), insideAlone(answer), options);
}

function runOnce(
  { protect, reveal, rekey }: Streams,
  direction: Direction,
  source: AsyncIterable<Uint8Array>,
  bound: PolicyWithKeys['bound'],
  options: SampleOptions,
): AsyncIterable<Uint8Array> {
  if (direction === 'protect') return protect(source, bound as BoundFilePolicy, options);
  if (direction === 'reveal') return reveal(source, bound as RevealingFilePolicy, options);
  return rekey(source, bound as CanMove, options);
}

/** A bound policy for a stream, which uses nothing but the inside. */
function insideAlone(inside: BoundInside): PolicyWithKeys['bound'] {
  return hideInside({}, inside) as PolicyWithKeys['bound'];
}

/** The chunks of a source, copied into a list on the way. A source may use the memory of a chunk again. */
async function* keeping(
  source: AsyncIterable<Uint8Array>,
  read: Uint8Array[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    read.push(chunk.slice());
    yield chunk;
  }
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}
