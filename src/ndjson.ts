/** NDJSON streams (`trefoil/ndjson`): one JSON object a line, in flat memory. Web standards only. */

export type { NdjsonOptions } from './io/ndjson/codec.ts';
export { protectNdjson, protectNdjsonStream, revealNdjson, revealNdjsonStream } from './io/ndjson/streams.ts';
export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanProtect, CanReveal, Source } from './io/stream.ts';
