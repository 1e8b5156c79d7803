/** NDJSON: one JSON object a line (https://jsonlines.org). Pure web standards, no Node. */

import { typeName } from '../core/checks.ts';
import { jsonErrorAt } from '../core/json-error.ts';
import { scanJson } from '../core/json-scan.ts';
import type { Issue } from '../errors.ts';
import { type BoundInside, type Direction, openReady } from '../policy/bound.ts';
import type { Batch, Codec } from './batches.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, makeRun, type RecordOptions, type Run } from './records.ts';

/** What an NDJSON stream may be told. */
export type NdjsonOptions = RecordOptions;

/** Checks the arguments and gives what starts a run. */
export function prepareNdjson(
  direction: Direction,
  bound: unknown,
  options: NdjsonOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openReady(bound);
  const checked = checkRecordOptions(options);
  const { maxRecord = DEFAULT_MAX_RECORD } = checked;
  return {
    start: () => makeRun(makeNdjsonCodec(direction, inside, maxRecord, checked.onSample), checked, maxRecord),
    signal: checked.signal,
  };
}

/** Makes the codec of one run. */
export function makeNdjsonCodec(
  direction: Direction,
  inside: BoundInside,
  maxRecord: number,
  onSample: RecordOptions['onSample'],
): Codec {
  return {
    quoted: false,
    heading: null,
    // RFC 8259, section 8.1: a writer must not add one.
    keepsMark: false,
    begin: () => inside.demand(direction),
    take(block, batch) {
      const { values, indices, lines } = readLines(batch, block.line);
      const out =
        values.length === 0 ? [] : inside.rows(direction, values, (i, issue) => batch.report(indices[i]!, issue));
      let text = '';
      for (let i = 0; i < out.length; i++) {
        const record = out[i];
        if (record === undefined || batch.faulty.has(indices[i]!)) continue;
        text += `${JSON.stringify(record)}\n`;
        onSample?.(values[i] as Record<string, unknown>, record);
      }
      return { rows: lines.length, text, lineOf: (index) => lines[index]! };
    },
    oversize: () => {
      const message = `the record is longer than ${maxRecord} bytes`;
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: true };
    },
  };
}

interface Lines {
  readonly values: unknown[];
  /** Index in the batch of each value: a line that is no JSON has none. */
  readonly indices: number[];
  /** Line of each record of the batch. */
  readonly lines: number[];
}

/** JSON's own white space (RFC 8259, section 2), and nothing else. */
const BLANK = /^[\t\r ]*$/;

function readLines(batch: Batch, firstLine: number): Lines {
  const found: Lines = { values: [], indices: [], lines: [] };
  const texts = batch.text.split('\n');
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    if (BLANK.test(text)) continue;
    const index = found.lines.length;
    found.lines.push(firstLine + i);
    const read = readRecord(text);
    if ('issue' in read) batch.report(index, read.issue);
    else {
      found.values.push(read.value);
      found.indices.push(index);
    }
  }
  return found;
}

/** Reads one line. */
export function readRecord(text: string): { readonly value: object } | { readonly issue: Issue } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message repeats the input.
    return { issue: { code: 'invalid_json', message: 'the line is not valid JSON', column: jsonErrorAt(text) + 1 } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { issue: { code: 'not_an_object', message: `expected a JSON object, got ${typeName(value)}`, column: 1 } };
  }
  const issue = scanJson(text, value);
  return issue === null ? { value } : { issue: { column: 1, ...issue } };
}
