/** The codec of NDJSON: one JSON object a line (https://jsonlines.org). Web standards only, no Node. */

import { typeName } from '../../core/checks.ts';
import { duplicateName } from '../../core/json/duplicate.ts';
import { jsonErrorAt } from '../../core/json/error.ts';
import { makeExactWriter, putNumbers } from '../../core/json/exact.ts';
import { withTexts } from '../../core/json/number.ts';
import { scanJson } from '../../core/json/scan.ts';
import type { Issue } from '../../errors.ts';
import { type BoundInside, type Direction, type Leaf, openBound, spellsNumbers } from '../../policy/bound.ts';
import { placeOfSteps } from '../../policy/file/path.ts';
import type { Batch, Codec } from '../batches.ts';
import { LINES } from '../frames.ts';
import {
  checkRecordOptions,
  DEFAULT_MAX_RECORD,
  type RecordOptions,
  type Run,
  type SampleRecord,
  startRun,
} from '../records.ts';

/** Options of an NDJSON stream. */
export type NdjsonOptions = RecordOptions;

/** Checks the arguments of a public function and returns the function that starts its run. */
export function prepareNdjson(
  direction: Direction,
  bound: unknown,
  options: NdjsonOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openBound(bound);
  const checked = checkRecordOptions(options);
  const { maxRecord = DEFAULT_MAX_RECORD } = checked;
  return {
    start: () =>
      startRun(inside, checked, maxRecord, (own, onSample) => makeNdjsonCodec(direction, own, maxRecord, onSample)),
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
    framing: LINES,
    heading: null,
    headless: null,
    // RFC 8259, section 8.1: a writer must not add a byte order mark.
    keepsMark: false,
    begin: () => inside.demand(direction),
    take(block, batch) {
      const { values, inexact, indices, lines } = readLines(batch, block.line, inside);
      if (block.line === 1 && lines.length === 1 && values.length === 1 && isDocument(values[0]!, inside)) {
        batch.report(0, { code: 'unnamed_field', message: LIST });
        return { rows: 1, text: '', lineOf: (index) => lines[index]! };
      }
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
    oversize: (head, line) => {
      const advice = line === 1 && beginsArray(head) ? `; ${ARRAY}` : '';
      const message = `the record is longer than ${maxRecord} bytes${advice}`;
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

function readLines(batch: Batch, firstLine: number, inside: BoundInside): Lines {
  const found: Lines = { values: [], inexact: new Set(), indices: [], lines: [] };
  const texts = batch.text.split('\n');
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    if (BLANK.test(text)) continue;
    const index = found.lines.length;
    found.lines.push(firstLine + i);
    const read = readRecord(text, inside);
    // Only the first line of the input can show that the input is something else.
    if ('issue' in read) {
      const isFirst = index === 0 && firstLine === 1;
      batch.report(index, isFirst ? asDocument(text, read.issue, texts.slice(i + 1)) : read.issue);
    } else {
      if (read.inexact) found.inexact.add(found.values.length);
      found.values.push(read.value);
      found.indices.push(index);
    }
  }
  return found;
}

/** Whether an input begins as one JSON array does. A decoder removes the byte order mark. */
export function beginsArray(head: Uint8Array): boolean {
  return /^[\t\r ]*\[/.test(new TextDecoder().decode(head));
}

/** The message about an input that is one JSON array. */
export const ARRAY: string =
  "the input is one JSON array, and not one object a line; make lines of it: jq -c '.[]' FILE";

const OBJECT = 'the input is JSON over several lines, and not one object a line; make lines of it: jq -c . FILE';

const CUT =
  'the line ends inside a JSON object; if the object continues on the next line, make one line of it: jq -c . FILE';

const LIST =
  'the input is one JSON document with a list inside, and not one object a line; make lines of the list, whose name ' +
  "takes the place of NAME: jq -c '.NAME[]' FILE";

/**
 * Whether the only record of an input is a document with the records in a list. It has no name of the policy, and
 * unknown names are errors, so the record could not be protected in any case.
 */
function isDocument(value: object, { leaves, unnamed }: BoundInside): boolean {
  if (unnamed !== 'error') return false;
  const hasList = Object.values(value).some((list) => Array.isArray(list) && list[0] && typeof list[0] === 'object');
  if (!hasList) return false;
  const known = new Set(leaves.map(({ path }) => /^(?:\\.|[^.[\\])*/.exec(path)![0].replace(/\\(.)/g, '$1')));
  return !Object.keys(value).some((name) => known.has(name));
}

/**
 * Returns the issue of the first line of an input, with another message if the line is the beginning of a JSON document
 * or all of it.
 *
 * @param rest the lines after it, as far as they were read; `null` if none was.
 */
export function asDocument(text: string, issue: Issue, rest: readonly string[] | null): Issue {
  const begin = text.trimStart();
  if (issue.code !== 'invalid_json' && issue.code !== 'not_an_object') return issue;
  if (begin.startsWith('[')) return { ...issue, message: ARRAY };
  // Nothing in the line is wrong but its end, so the object may continue on the next line.
  const isCut = begin.startsWith('{') && issue.column === text.length + 1;
  if (isCut && rest === null) return { ...issue, message: CUT };
  return isCut && rest!.some((line) => !BLANK.test(line)) ? { ...issue, message: OBJECT } : issue;
}

/** Result of {@link readRecord}. */
export interface ReadRecord {
  readonly value: object;
  /** Whether the value holds a number as its text (`core/json/number.ts`), and must be written by `makeExactWriter`. */
  readonly inexact: boolean;
}

/** Reads one line. The policy says which names an issue may show. */
export function readRecord(
  text: string,
  { leaves }: Pick<BoundInside, 'leaves'>,
): ReadRecord | { readonly issue: Issue } {
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
  if (found !== 'inexact') {
    return { issue: { column: 1, ...found, ...(found.code === 'duplicate_key' && duplicatePlace(text, leaves)) } };
  }
  putNumbers(text, value);
  return { value, inexact: true };
}

/** Where a record has a name twice: the column of the second, and the field, if the policy has a name for it. */
function duplicatePlace(text: string, leaves: readonly Leaf[]): Partial<Issue> {
  const found = duplicateName(text);
  if (found === null) return {};
  const column = found.at + 1;
  // If the policy does not have the name, the object that it is in has a place.
  for (let steps = found.place; steps.length > 0; steps = steps.slice(0, -1)) {
    const place = placeOfSteps(steps);
    if (!leaves.some(({ path }) => isAtOrIn(path, place.field))) continue;
    const message = steps === found.place ? 'the record has this key twice' : 'an object in it has the same key twice';
    return { column, message, ...place };
  }
  return { column };
}

/** Whether a path is that of a field, or of something in it. */
function isAtOrIn(path: string, field: string): boolean {
  return path.startsWith(field) && /^(\.|\[|$)/.test(path.slice(field.length));
}
