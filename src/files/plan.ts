/**
 * The plan of a run over files: the arguments, checked, with everything that follows from the names of files. Nothing
 * is opened here.
 */

import { badRange, badType, checkInteger, checkOneOf, typeName } from '../core/checks.ts';
import type { IssueTally } from '../core/issues.ts';
import { fail, type Issue, type IssueCounts } from '../errors.ts';
import { type CsvOptions, csvDialect } from '../io/csv/codec.ts';
import { checkEncoding } from '../io/encoding.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, type Progress, type RecordOptions } from '../io/records.ts';
import { tsvDialect } from '../io/tsv/codec.ts';
import { type BoundInside, type Direction, openBound } from '../policy/bound.ts';
import type { WorkOptions } from './chunk-work.ts';
import { codecOf, type FileFormat, type FileFormatSpec, formatOfName } from './file-format.ts';
import { COMPRESSIONS, type Compression, compressionOfName } from './inputs/compression.ts';
import { inputCompression, STDIN } from './inputs/inputs.ts';
import type { Output } from './outputs/output-file.ts';

/** Options of a run over files. */
export interface FileOptions extends Omit<CsvOptions, 'onSample'> {
  /** File format of all files; by default it follows from the inputs' names: `.csv`, `.ndjson`, `.jsonl`. */
  readonly format?: FileFormat | undefined;
  /** Replace existing outputs. */
  readonly force?: boolean | undefined;
  /** Compression of the inputs; by default it follows from each name: `.gz`, `.zst`. Zstandard needs Node 22.15. */
  readonly inputCompression?: Compression | undefined;
  /** Compression of the outputs; by default it follows from each name. */
  readonly outputCompression?: Compression | undefined;
  /**
   * Threads that do the work, 1 to 64. With 1, the default, the work is done in the caller's own thread; with `limit`
   * or a vault it always is.
   */
  readonly workers?: number | undefined;
  /** Keep a manifest beside the output, and continue where an interrupted run stopped. */
  readonly resume?: boolean | undefined;
  /**
   * File for rejected records. With this option a record with an issue is sealed into that file, and the run continues.
   */
  readonly rejects?: string | undefined;
  /**
   * Most rejected records, as a number or as a share of all records (`'1%'`), which is checked from 1,000 records on.
   */
  readonly maxRejects?: number | `${number}%` | undefined;
}

/** Result of a run over files. */
export interface FileResult {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsRejected: number;
  /**
   * Values that became missing because the store of a vault has erased them (`onErased: missing`), those of rejected
   * records included.
   */
  readonly valuesErased: number;
  /** Rejected records above `maxRecord`. They are never in memory as a whole, so they are in no file of rejects. */
  readonly rowsNotHeld: number;
  /**
   * The issues of the rejected records, counted by field, code and message. If the run was resumed and has no file of
   * rejects, they are those since then.
   */
  readonly issues: IssueCounts;
  /** Bytes of the inputs, uncompressed and in UTF-8. */
  readonly bytesIn: number;
  /** Bytes of the outputs on the disk. */
  readonly bytesOut: number;
}

/** Inputs that are written to one output. */
export interface Unit {
  readonly inputs: readonly string[];
  /** A path, or standard output. */
  readonly output: string | Output;
}

/** Counts of a run. */
export interface Counts {
  rows: number;
  rejected: number;
  /** Values that became missing because they were erased. */
  erased: number;
  bytesIn: number;
  bytesOut: number;
}

/** Counts of a finished run. */
export interface EndCounts extends Counts {
  /** Rejected records above the limit. */
  readonly notHeld: number;
  /** The issues of rejected records, counted. */
  readonly tally: IssueTally;
}

/** A run whose arguments are checked. */
export interface RunPlan {
  readonly inside: BoundInside;
  readonly units: readonly Unit[];
  readonly work: Omit<WorkOptions, 'rejectsId'>;
  readonly compressionOf: (input: string) => Compression;
  readonly force: boolean;
  readonly workers: number;
  readonly limit: number;
  /** A path, or standard output. */
  readonly rejects: string | Output | null;
  /** Path of the manifest. */
  readonly resume: string | null;
  /** Files that must not be an output. */
  readonly inputs: readonly string[];
  /** Places of the policy's stores, as far as known. A run is resumed only with the same stores. */
  readonly stores: readonly string[];
  /** Whether issues name their file, because the run has several inputs. */
  readonly namesFiles: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly onReject: ((issue: Issue) => void) | undefined;
  /** Throws `too_many_rejects` if the run has too many. */
  readonly judge: (counts: Counts, atEnd: boolean) => void;
}

const OWN = [
  'delimiter',
  'quoting',
  'quote',
  'escape',
  'header',
  'format',
  'force',
  'inputCompression',
  'outputCompression',
  'workers',
  'resume',
  'rejects',
  'maxRejects',
];

/**
 * A share of rejects is not checked before this many records, because one bad row among the first three says little.
 */
const JUDGED_FROM = 1000;

/**
 * Checks everything that can be checked without opening a file.
 *
 * @param fileOptions the caller's options.
 * @param manifest path of the manifest, for a run with `resume`.
 * @param others more files that must not be an output.
 * @param rejectsTo the output for rejects, in place of `fileOptions.rejects`.
 * @throws TypeError, RangeError for wrong arguments; TrefoilError if the policy or the keys do not allow the run.
 */
export function makePlan(
  direction: Direction,
  units: readonly Unit[],
  bound: unknown,
  fileOptions: FileOptions,
  manifest: string,
  others: readonly string[] = [],
  stores: readonly string[] = [],
  rejectsTo?: string | Output,
): RunPlan {
  const inside = openBound(bound);
  if (typeof fileOptions !== 'object' || fileOptions === null) {
    badType('options', `expected an object, got ${typeName(fileOptions)}`);
  }
  // An option that is `undefined` counts as not set, so that `delimiter: undefined` is no error for NDJSON.
  const set = Object.fromEntries(Object.entries(fileOptions).filter(([, value]) => value !== undefined));
  const options = checkRecordOptions(set, OWN) as FileOptions & RecordOptions;
  if (options.onSample !== undefined) {
    badRange('onSample', 'is an option of streams; a run over files has no samples');
  }
  const { force = false, resume = false, workers = 1, maxRejects } = options;
  const rejects = rejectsTo ?? options.rejects ?? null;
  checkFlag('force', force);
  checkFlag('resume', resume);
  checkInteger('workers', workers, 1, 64);
  if (rejects !== null && rejects !== rejectsTo) checkPath('rejects', rejects);
  for (const name of ['inputCompression', 'outputCompression'] as const) {
    if (options[name] !== undefined) checkOneOf(name, options[name], COMPRESSIONS);
  }

  const inputs = units.flatMap((unit) => unit.inputs);
  const fileFormat = fileFormatOf(inputs, options);
  const onFault = rejects !== null ? 'seal' : options.onReject !== undefined ? 'report' : 'stop';
  const judge = judgeOf(maxRejects, onFault);
  if (resume && (inputs.includes(STDIN) || [...units.map(({ output }) => output), rejects].some(isStream))) {
    badRange('resume', 'needs files: an input or output that is a pipe cannot be read again');
  }
  const codec = codecOf(fileFormat, direction, inside, null);
  codec.begin();
  const { limit = Number.POSITIVE_INFINITY } = options;
  return {
    inside,
    units,
    work: {
      direction,
      fileFormat,
      batchSize: options.batchSize ?? 1024,
      onFault,
      reports: options.onReject !== undefined,
      compression: outputCompression(units, options.outputCompression),
    },
    compressionOf: (input) => inputCompression(input, options.inputCompression),
    force,
    workers: limit === Number.POSITIVE_INFINITY && isPortable(inside) ? workers : 1,
    limit,
    rejects,
    resume: resume ? manifest : null,
    inputs: [...inputs, ...others],
    stores,
    namesFiles: inputs.length > 1,
    signal: options.signal,
    onProgress: options.onProgress,
    onReject: options.onReject,
    judge,
  };
}

/** Whether other threads can do the work. One thread asks a store, and governed keys stay where their place is. */
function isPortable({ beginAsync, keys }: BoundInside): boolean {
  return beginAsync === undefined && keys.place === null;
}

/** Whether an output is standard output. */
function isStream(output: string | Output | null): boolean {
  return typeof output === 'object' && output !== null;
}

/** Checks an argument that is a path. */
export function checkPath(argument: string, path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '')
    badType(argument, `expected a path, got ${path === '' ? 'an empty text' : typeName(path)}`);
}

function checkFlag(argument: string, flag: unknown): void {
  if (typeof flag !== 'boolean') badType(argument, `expected true or false, got ${typeName(flag)}`);
}

function fileFormatOf(inputs: readonly string[], options: FileOptions): FileFormatSpec {
  const names = new Set(inputs.map((input) => options.format ?? formatOfName(input)));
  const [name = null] = names;
  if (names.size > 1) badRange('format', 'expected inputs of one file format');
  if (name === null)
    badType('format', 'expected csv, tsv or ndjson, because the name of the input does not show its file format');
  checkOneOf('format', name, ['csv', 'tsv', 'ndjson']);
  const { maxRecord = DEFAULT_MAX_RECORD } = options;
  const encoding = checkEncoding(options.encoding);
  if (name === 'csv') return { name, maxRecord, encoding, dialect: csvDialect(options) };
  for (const option of ['delimiter', 'quoting', 'quote', 'escape'] as const) {
    if (options[option] !== undefined) badRange(option, `is an option of csv; the file format is ${name}`);
  }
  if (name === 'tsv') return { name, maxRecord, encoding, dialect: tsvDialect(options) };
  if (options.header !== undefined) badRange('header', `is an option of csv and tsv; the file format is ${name}`);
  return { name: 'ndjson', maxRecord, encoding };
}

function outputCompression(units: readonly Unit[], option: Compression | undefined): Compression {
  if (option !== undefined) return option;
  const all = new Set(
    units.map(({ output }) => (typeof output === 'string' ? compressionOfName(output).compression : 'none')),
  );
  if (all.size > 1)
    badRange('outputCompression', 'is needed, because the names of the outputs show more than one kind of compression');
  const [first = 'none'] = all;
  return first;
}

/** Makes the check that `maxRejects` asks for. */
function judgeOf(maxRejects: unknown, onFault: WorkOptions['onFault']): RunPlan['judge'] {
  if (maxRejects === undefined) return () => {};
  if (onFault === 'stop')
    badRange('maxRejects', 'needs rejects or onReject; without them the first issue ends the run');
  const share = typeof maxRejects === 'string' ? /^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$/.exec(maxRejects)?.[1] : undefined;
  if (share !== undefined && Number(share) <= 100) {
    const most = Number(share) / 100;
    return ({ rows, rejected }, atEnd) => {
      if ((atEnd || rows >= JUDGED_FROM) && rejected > rows * most) refuse(rejected, `${share} % of ${rows} records`);
    };
  }
  const count = checkInteger('maxRejects', maxRejects, 0, Number.MAX_SAFE_INTEGER);
  return ({ rejected }) => {
    if (rejected > count) refuse(rejected, `${count} records`);
  };
}

function refuse(rejected: number, most: string): never {
  fail('too_many_rejects', `${rejected} records were rejected; the limit is ${most}`, {
    actual: rejected,
  });
}
