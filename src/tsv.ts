/** TSV streams (`trefoil/tsv`), in the text format of PostgreSQL's COPY. Web standards only. */

export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanProtect, CanReveal, Source } from './io/stream.ts';
export type { TsvOptions } from './io/tsv/codec.ts';
export { protectTsv, protectTsvStream, revealTsv, revealTsvStream } from './io/tsv/streams.ts';
