/** CSV streams (`trefoil/csv`): records in, pseudonymised records out, in flat memory. For Node, Deno and Bun. */

export type { CsvOptions } from './io/csv/codec.ts';
export {
  protectCsv,
  protectCsvStream,
  rekeyCsv,
  rekeyCsvStream,
  revealCsv,
  revealCsvStream,
} from './io/csv/streams.ts';
export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanMove, CanProtect, CanReveal, Source } from './io/stream.ts';
