/** TSV streams (`trefoil/tsv`), in the text format of PostgreSQL's COPY. Web standards only. */

export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanMove, CanProtect, CanReveal, Source } from './io/stream.ts';
export type { TsvOptions } from './io/tsv/codec.ts';
export {
  protectTsv,
  protectTsvStream,
  rekeyTsv,
  rekeyTsvStream,
  revealTsv,
  revealTsvStream,
} from './io/tsv/streams.ts';
