/** `--dry-run`: the first records before and after, as a table. */

import { TrefoilError } from '../../errors.ts';
import type { SampleRecord } from '../../io/records.ts';
import { openBound, openReady } from '../../policy/bound.ts';
import type { PolicyWithKeys } from '../bind.ts';
import { openSource, streamsOf } from '../file-formats.ts';
import type { Context } from '../options.ts';
import { writeOut } from '../stdout.ts';
import { renderTable } from '../table.ts';
import type { RunRequest } from './request.ts';
import { sampleStream } from './sample.ts';

/** Records that are shown without `--limit`. */
const DEFAULT_LIMIT = 5;

/** A record before and after. */
export interface Sample {
  readonly before: SampleRecord;
  readonly after: SampleRecord;
}

/** Shows the first records of the first input that has a head, before and after, and writes no file. */
export async function dryRun(request: RunRequest, bound: PolicyWithKeys['bound'], context: Context): Promise<void> {
  const { direction, inputs, options, duckdb } = request;
  const { out, outDir, summary, rejects, limit = DEFAULT_LIMIT } = options;
  if ([out, outDir, summary, rejects].some((path) => path !== undefined)) {
    context.voice.note('dry run: no file is written');
  }
  if (direction === 'protect' && openBound(bound).beginAsync !== undefined) {
    context.voice.note('dry run: the vault is not opened, and tokens of its rules are examples');
  }
  if (duckdb?.inputFormat === 'parquet') {
    const { sampleParquet } = await import('../../duckdb/sample.ts');
    const parquet = { ...duckdb, direction, inside: openReady(bound) };
    return await showSamples(sampleParquet(parquet, limit, context.signal), bound, context);
  }
  for (const [i, input] of inputs.entries()) {
    try {
      const source = openSource(input, options);
      return await showSamples(samplesOf(request, source, bound, limit, context), bound, context);
    } catch (error) {
      // A part of a table may be without bytes.
      const isEmpty = error instanceof TrefoilError && error.code === 'empty_input';
      if (!isEmpty || i === inputs.length - 1) throw error;
    }
  }
}

/** Shows records as tables, each as soon as it is transformed. */
async function showSamples(
  samples: AsyncIterable<readonly Sample[]>,
  bound: PolicyWithKeys['bound'],
  context: Context,
): Promise<void> {
  const rules = new Map<string, string>();
  for (const { path, header, rule } of openBound(bound).leaves) {
    rules.set(path, rule.rule);
    if (header !== null) rules.set(header, rule.rule);
  }
  let rows = 0;
  for await (const batch of samples) {
    context.signal.throwIfAborted();
    let text = '';
    for (const { before, after } of batch) {
      rows++;
      text += `row ${rows}\n${sampleTable(before, after, rules)}`;
    }
    await writeOut(text);
  }
}

/** Transforms the first `limit` records of a stream. Its own output is discarded. */
async function* samplesOf(
  { direction, fileFormat, options: fileFileFormatOptions }: RunRequest,
  source: AsyncIterable<Uint8Array>,
  bound: PolicyWithKeys['bound'],
  limit: number,
  context: Context,
): AsyncGenerator<readonly Sample[], void, undefined> {
  const streams = streamsOf(fileFormat, fileFileFormatOptions);
  let samples: Sample[] = [];
  const options = {
    signal: context.signal,
    limit,
    onSample: (before: SampleRecord, after: SampleRecord) => samples.push({ before, after }),
  };
  for await (const _ of sampleStream(streams, direction, source, bound, options)) {
    yield samples;
    samples = [];
  }
  yield samples;
}

/** One record as a table: one line per field, in the order of the record. The "after" of a dropped field is empty. */
export function sampleTable(before: SampleRecord, after: SampleRecord, rules: ReadonlyMap<string, string>): string {
  const ruleOf = (path: string) => rules.get(path.replace(/\[\d+\]/g, '[]')) ?? '';
  const old = flatten(before);
  const transformed = new Map(flatten(after));
  const lines = old.map(([path, value]) => [path, show(value), show(transformed.get(path)), ruleOf(path)]);
  const known = new Set(old.map(([path]) => path));
  for (const [path, value] of transformed) {
    if (!known.has(path)) lines.push([path, '', show(value), ruleOf(path)]);
  }
  return renderTable([['field', 'before', 'after', 'rule'], ...lines]);
}

/** The scalars of a record with their paths, such as `user.email` and `items[0].sku`. */
function flatten(record: SampleRecord): [string, unknown][] {
  const out: [string, unknown][] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value) && value.length > 0) {
      for (const [index, element] of value.entries()) visit(element, `${path}[${index}]`);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, member] of Object.entries(value)) visit(member, path === '' ? name : `${path}.${name}`);
    } else out.push([path, value]);
  };
  visit(record, '');
  return out;
}

function show(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
