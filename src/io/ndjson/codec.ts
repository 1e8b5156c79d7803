/** The codec of NDJSON: one JSON object a line (https://jsonlines.org). Web standards only, no Node. */

import { typeName } from '../../core/checks.ts';
import { jsonErrorAt } from '../../core/json/error.ts';
import { makeExactWriter, putNumbers } from '../../core/json/exact.ts';
import { withTexts } from '../../core/json/number.ts';
import { scanJson } from '../../core/json/scan.ts';
import type { Issue } from '../../errors.ts';
import { type BoundInside, type Direction, openReady, spellsNumbers } from '../../policy/bound.ts';
import type { Batch, Codec } from '../batches.ts';
import {
  checkRecordOptions,
  DEFAULT_MAX_RECORD,
  makeRun,
  type RecordOptions,
  type Run,
  type SampleRecord,
} from '../records.ts';

/** Options of an NDJSON stream. */
export type NdjsonOptions = RecordOptions;

/** Checks the arguments of a public function and returns the function that starts its run. */
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
  const writeExact = makeExactWriter();
  const allExact = spellsNumbers(inside, direction);
  return {
    quoted: false,
    heading: null,
    // RFC 8259, section 8.1: a writer must not add a byte order mark.
    keepsMark: false,
    begin: () => inside.demand(direction),
    take(block, batch) {
      const { values, inexact, indices, lines } = readLines(batch, block.line);
      const out =
        values.length === 0 ? [] : inside.rows(direction, values, (i, issue) => batch.report(indices[i]!, issue));
      let text = '';
      for (let i = 0; i < out.length; i++) {
        const record = out[i];
        if (record === undefined || batch.faulty.has(indices[i]!)) continue;
        text += `${allExact || inexact.has(i) ? writeExact(record) : JSON.stringify(record)}\n`;
        if (onSample !== undefined) onSample(withTexts(values[i]) as SampleRecord, withTexts(record) as SampleRecord);
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
  /** Indexes of the values that hold a number as its text. */
  readonly inexact: Set<number>;
  /** Index in the batch of each value. A line that is not JSON has no value. */
  readonly indices: number[];
  /** Line of each record in the batch. */
  readonly lines: number[];
}

/** White space of JSON (RFC 8259, section 2). */
const BLANK = /^[\t\r ]*$/;

function readLines(batch: Batch, firstLine: number): Lines {
  const found: Lines = { values: [], inexact: new Set(), indices: [], lines: [] };
  const texts = batch.text.split('\n');
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    if (BLANK.test(text)) continue;
    const index = found.lines.length;
    found.lines.push(firstLine + i);
    const read = readRecord(text);
    if ('issue' in read) batch.report(index, read.issue);
    else {
      if (read.inexact) found.inexact.add(found.values.length);
      found.values.push(read.value);
      found.indices.push(index);
    }
  }
  return found;
}

/** Result of {@link readRecord}. */
export interface ReadRecord {
  readonly value: object;
  /** Whether the value holds a number as its text (`core/json/number.ts`), and must be written by `makeExactWriter`. */
  readonly inexact: boolean;
}

/** Reads one line. */
export function readRecord(text: string): ReadRecord | { readonly issue: Issue } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of `JSON.parse` quotes the input, so it is not used.
    return { issue: { code: 'invalid_json', message: 'the line is not valid JSON', column: jsonErrorAt(text) + 1 } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { issue: { code: 'not_an_object', message: `expected a JSON object, got ${typeName(value)}`, column: 1 } };
  }
  const found = scanJson(text, value);
  if (found === null) return { value, inexact: false };
  if (found !== 'inexact') return { issue: { column: 1, ...found } };
  putNumbers(text, value);
  return { value, inexact: true };
}
