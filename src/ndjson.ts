/** NDJSON streams (`trefoil/ndjson`): one JSON object a line, in flat memory. Web standards only. */

export type { NdjsonOptions } from './io/ndjson/codec.ts';
export {
  protectNdjson,
  protectNdjsonStream,
  rekeyNdjson,
  rekeyNdjsonStream,
  revealNdjson,
  revealNdjsonStream,
} from './io/ndjson/streams.ts';
export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanMove, CanProtect, CanReveal, Source } from './io/stream.ts';
