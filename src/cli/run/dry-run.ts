/** `--dry-run`: the first records before and after, as a table. */

import type { SampleRecord } from '../../io/records.ts';
import { openBound } from '../../policy/bound.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../../policy.ts';
import type { Streams } from '../formats.ts';
import type { Context } from '../options.ts';
import { writeOut } from '../stdout.ts';
import { renderTable } from '../table.ts';

/** A record before and after. */
export interface Sample {
  readonly before: SampleRecord;
  readonly after: SampleRecord;
}

/** Shows records as tables, as they come. */
export async function dryRun(
  samples: AsyncIterable<readonly Sample[]>,
  bound: BoundFilePolicy | RevealingFilePolicy,
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

/** Runs the first `limit` records of a stream through; its own output is thrown away. */
export async function* sampleStream(
  direction: 'protect' | 'reveal',
  streams: Streams,
  source: AsyncIterable<Uint8Array>,
  bound: BoundFilePolicy | RevealingFilePolicy,
  limit: number,
  context: Context,
): AsyncGenerator<readonly Sample[], void, undefined> {
  let samples: Sample[] = [];
  const options = {
    signal: context.signal,
    limit,
    onSample: (before: SampleRecord, after: SampleRecord) => samples.push({ before, after }),
  };
  const stream =
    direction === 'protect'
      ? streams.protect(source, bound, options)
      : streams.reveal(source, bound as RevealingFilePolicy, options);
  for await (const _ of stream) {
    yield samples;
    samples = [];
  }
  yield samples;
}

/** One record: a line a field, in the order of the record. A field that is gone shows nothing after. */
export function sampleTable(before: SampleRecord, after: SampleRecord, rules: ReadonlyMap<string, string>): string {
  const was = flatten(before);
  const is = new Map(flatten(after));
  const lines = was.map(([path, value]) => [
    path,
    show(value),
    show(is.get(path)),
    rules.get(path.replace(/\[\d+\]/g, '[]')) ?? '',
  ]);
  const known = new Set(was.map(([path]) => path));
  for (const [path, value] of is) {
    if (!known.has(path)) lines.push([path, '', show(value), rules.get(path.replace(/\[\d+\]/g, '[]')) ?? '']);
  }
  return renderTable([['field', 'before', 'after', 'rule'], ...lines]);
}

/** The scalars of a record with their paths: `user.email`, `items[0].sku`. */
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
