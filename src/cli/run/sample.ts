/** Streams over the first records of an input, for `--dry-run` and `trefoil check`, also for a policy with a vault. */

import type { RecordOptions } from '../../io/records.ts';
import type { CanMove } from '../../io/stream.ts';
import type { Direction } from '../../policy/bound.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../../policy.ts';
import type { PolicyWithKeys } from '../bind.ts';
import type { Streams } from '../file-formats.ts';

/** Options of {@link sampleStream}. */
export interface SampleOptions extends RecordOptions {
  readonly limit: number;
}

/** Runs the first records of a source through a policy. */
export function sampleStream(
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
