/**
 * The line contract (docs/guide/files/line-contract.md): one line in, one line out, in the same order. Every complete
 * line is answered before more bytes are read. No Node.
 *
 * Unlike in the record streams, a line is always one record, whatever is wrong with it, so a caller who counts lines
 * never loses count.
 */

import { concat } from '../core/bytes.ts';
import { makeExactWriter } from '../core/json/exact.ts';
import { fail, type Issue, MAX_ISSUES } from '../errors.ts';
import { type AsyncRun, type BoundInside, type Direction, spellsNumbers } from '../policy/bound.ts';
import { columnNames } from './columns.ts';
import { checkTabular, mapHeader } from './header.ts';
import { ARRAY, asDocument, beginsArray, type ReadRecord, readRecord } from './ndjson/codec.ts';
import { turnTable } from './table.ts';
import { readCells, type TsvCell, writeCells } from './tsv/cells.ts';

/** Options of {@link makeApply}. */
export interface ApplyOptions {
  readonly direction: Direction;
  /** File format of the lines. */
  readonly fileFormat: 'ndjson' | 'tsv';
  /** Names of the columns of TSV, in order; `null` for the fields of the policy. */
  readonly columns: readonly string[] | null;
  /** Whether a line with an issue is answered by an error line and the run continues. If not, it ends the run. */
  readonly errorsInline: boolean;
  /** Longest line in bytes, without its end. */
  readonly maxRecord: number;
}

/** Answers to some lines. */
export interface Answers {
  /** One line for each line that was answered. */
  readonly text: string;
  /** The issues of the line after the last one that was answered, if they end the run. */
  readonly failure: readonly Issue[] | null;
}

/** The work on lines. `push` takes bytes and answers the complete lines. */
export interface Apply {
  readonly push: (chunk: Uint8Array) => Answers;
  /** Answers a last line that has no line end. */
  readonly end: () => Answers;
}

/** {@link Apply} for a policy that waits. A call must be answered before the next one. */
export interface AsyncApply {
  readonly push: (chunk: Uint8Array) => Promise<Answers>;
  readonly end: () => Promise<Answers>;
}

/** The value of a line, or its issue. */
type Read<T> = { readonly value: T } | { readonly issue: Issue };

/** How lines of one file format are read, turned and written. `turn` returns `undefined` for a record with an issue. */
interface Turner<T, R> {
  /** `isFirst` says whether the line is the first of the input, which can show that the input is something else. */
  readonly read: (line: string, isFirst: boolean) => Read<T>;
  readonly turn: (values: readonly T[], report: (index: number, issue: Issue) => void) => (R | undefined)[];
  readonly write: (turned: R, read: T) => string;
}

/**
 * Makes the work on lines.
 *
 * @throws TrefoilError if the policy, the keys or the columns do not allow the run, before a line is read.
 */
export function makeApply(inside: BoundInside, options: ApplyOptions): Apply {
  const { direction, fileFormat, errorsInline, maxRecord } = options;
  inside.demand(direction);
  const answer =
    fileFormat === 'ndjson'
      ? answerer(ndjsonTurner(inside, direction), errorsInline)
      : answerer(tsvTurner(inside, direction, options.columns), errorsInline);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  // Only as many bytes count as are known of the line however it was cut into chunks.
  const advice = (head: Uint8Array): string =>
    fileFormat === 'ndjson' && beginsArray(head.subarray(0, maxRecord)) ? `; ${ARRAY}` : '';
  const applying: Applying = { answer, decoder, maxRecord, advice, lines: 0, held: [], heldBytes: 0, lost: '' };
  return { push: (chunk) => applyChunk(applying, chunk), end: () => applyEnd(applying) };
}

/**
 * Makes the work on lines for a policy that waits: the lines of a chunk go through their rules twice, and in between
 * the store is asked, or the use is noted.
 *
 * @throws as {@link makeApply} does.
 */
export function makeAsyncApply({ collect, answer, settle }: AsyncRun, options: ApplyOptions): AsyncApply {
  const [first, second] = [makeApply(collect, options), makeApply(answer, options)];
  return {
    async push(chunk) {
      // Both passes find the same lines, and stop at the same line if one of them cannot be read.
      first.push(chunk);
      await settle();
      return second.push(chunk);
    },
    async end() {
      first.end();
      await settle();
      return second.end();
    },
  };
}

/** State of the work on lines. */
interface Applying {
  readonly answer: (lines: readonly (string | Issue)[], before: number) => Answers;
  readonly decoder: TextDecoder;
  readonly maxRecord: number;
  /** What to say about a first line above the limit that begins with these bytes, besides that it is too long. */
  readonly advice: (head: Uint8Array) => string;
  /** Lines that were answered. */
  lines: number;
  /** Bytes of a line whose end has not been read yet; `null` while the rest of a line above the limit is skipped. */
  held: Uint8Array[] | null;
  heldBytes: number;
  /** The advice about the line whose rest is skipped. */
  lost: string;
}

function applyChunk(applying: Applying, chunk: Uint8Array): Answers {
  const last = chunk.lastIndexOf(LF);
  if (last === -1) {
    hold(applying, chunk);
    return NOTHING;
  }
  const answers: Answers[] = [];
  let from = 0;
  if (applying.held === null) {
    from = chunk.indexOf(LF) + 1;
    applying.held = [];
    answers.push(applying.answer([tooLong(applying.maxRecord, applying.lost)], applying.lines));
    applying.lines++;
  }
  if (last >= from) {
    const whole = joined([...applying.held, chunk.subarray(from, last)]);
    applying.held = [];
    if (answers[0]?.failure == null) answers.push(answerLines(applying, whole));
  }
  applying.heldBytes = 0;
  hold(applying, chunk.subarray(last + 1));
  return {
    text: answers.map(({ text }) => text).join(''),
    failure: answers.find((a) => a.failure)?.failure ?? null,
  };
}

function applyEnd(applying: Applying): Answers {
  const { held, heldBytes, answer, maxRecord, lines, lost } = applying;
  if (held === null) return answer([tooLong(maxRecord, lost)], lines);
  return heldBytes === 0 ? NOTHING : answerLines(applying, joined(held));
}

/** Answers complete lines. `bytes` does not have the last line end. */
function answerLines(applying: Applying, bytes: Uint8Array): Answers {
  const advice = applying.lines === 0 ? applying.advice : NO_ADVICE;
  const read = linesOf(bytes, applying.decoder, applying.maxRecord, advice);
  const answers = applying.answer(read, applying.lines);
  applying.lines += read.length;
  return answers;
}

/** Keeps bytes of a line whose end has not been read yet. */
function hold(applying: Applying, bytes: Uint8Array): void {
  if (applying.held === null || bytes.length === 0) return;
  applying.heldBytes += bytes.length;
  if (applying.heldBytes > applying.maxRecord) {
    applying.lost = applying.lines === 0 ? applying.advice(joined([...applying.held, bytes])) : '';
    applying.held = null;
  }
  // A copy, because the source may use the chunk's memory again.
  else applying.held.push(new Uint8Array(bytes));
}

const LF = 10;
const NOTHING: Answers = { text: '', failure: null };

const NO_ADVICE = (): string => '';

function tooLong(maxRecord: number, advice: string): Issue {
  const message = `the line is longer than ${maxRecord} bytes${advice}`;
  return { code: 'record_too_large', message, maximum: maxRecord };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = parts.filter((part) => part.length > 0);
  return all.length === 1 ? all[0]! : concat(all);
}

/** Decodes lines: all of them at once, or one by one if a byte is wrong, so that it spoils only its own line. */
function linesOf(
  bytes: Uint8Array,
  decoder: TextDecoder,
  maxRecord: number,
  advice: Applying['advice'],
): (string | Issue)[] {
  try {
    const lines = decoder.decode(bytes).split('\n');
    if (bytes.length <= maxRecord) return lines;
  } catch {
    // The loop below finds the line.
  }
  const lines: (string | Issue)[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(LF, from);
    const line = bytes.subarray(from, end === -1 ? bytes.length : end);
    lines.push(readLine(line, decoder, maxRecord, from === 0 ? advice : NO_ADVICE));
    if (end === -1) return lines;
    from = end + 1;
  }
}

function readLine(
  bytes: Uint8Array,
  decoder: TextDecoder,
  maxRecord: number,
  advice: Applying['advice'],
): string | Issue {
  if (bytes.length > maxRecord) return tooLong(maxRecord, advice(bytes));
  try {
    return decoder.decode(bytes);
  } catch {
    return { code: 'not_utf8', message: 'a byte that is not UTF-8' };
  }
}

/** Makes the function that answers lines. It is called with the number of lines before them. */
function answerer<T, R>(
  { read, turn, write }: Turner<T, R>,
  errorsInline: boolean,
): (lines: readonly (string | Issue)[], before: number) => Answers {
  return (lines, before) => {
    const faults = new Map<number, Issue[]>();
    const values: T[] = [];
    const places: number[] = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const found = typeof line === 'string' ? read(line, before + i === 0) : { issue: line };
      if ('issue' in found) {
        faults.set(i, [found.issue]);
        // The lines after it will not be answered.
        if (!errorsInline) break;
      } else {
        values.push(found.value);
        places.push(i);
      }
    }
    const turned = turn(values, (index, issue) => {
      const place = places[index]!;
      const issues = faults.get(place);
      if (issues === undefined) faults.set(place, [issue]);
      else issues.push(issue);
    });

    let text = '';
    let next = 0;
    for (let i = 0; i < lines.length; i++) {
      const issues = faults.get(i);
      if (places[next] === i) {
        const at = next++;
        if (issues === undefined) {
          // Appending to one text is faster: joining a list of lines takes a third more time (measured).
          text += `${write(turned[at]!, values[at]!)}\n`;
          continue;
        }
      }
      const line = before + i + 1;
      if (!errorsInline) return { text, failure: issues!.map((issue) => ({ ...issue, line })) };
      text += `${JSON.stringify({ trefoil: 'error', line, issues: issues!.slice(0, MAX_ISSUES) })}\n`;
    }
    return { text, failure: null };
  };
}

function ndjsonTurner(inside: BoundInside, direction: Direction): Turner<ReadRecord, object> {
  const writeExact = makeExactWriter();
  const allExact = spellsNumbers(inside, direction);
  return {
    // A blank line is a line, too; it is answered with an issue, because it has no record.
    read(line, isFirst) {
      const read = readRecord(line, inside);
      if (!('issue' in read)) return { value: read };
      // The line is answered before the next one is read, and the answer does not depend on what the chunk has of it.
      return isFirst ? { issue: asDocument(line, read.issue, null) } : read;
    },
    turn(read, report) {
      const values = read.map(({ value }) => value);
      return inside.rows(direction, values, report);
    },
    write: (turned, { inexact }) => (allExact || inexact ? writeExact(turned) : JSON.stringify(turned)),
  };
}

function tsvTurner(
  inside: BoundInside,
  direction: Direction,
  ownNames: readonly string[] | null,
): Turner<TsvCell[], TsvCell[]> {
  checkTabular(inside);
  const names = ownNames ?? columnNames(inside, direction);
  const { columns, positions } = mapHeader(names, inside, direction, true);
  if (columns.length === 0) fail('not_tabular', 'the policy leaves no column, and a line of TSV has at least one');
  return {
    read(line) {
      const cells = readCells(line);
      if (!Array.isArray(cells)) return { issue: cells };
      if (cells.length === names.length) return { value: cells };
      const message = `expected ${names.length} cells, got ${cells.length}`;
      return { issue: { code: 'ragged_row', message, column: 1, expected: names.length, actual: cells.length } };
    },
    turn(rows, report) {
      const cells = { rows: rows.length, column: (from: number) => rows.map((row) => row[from]!) };
      const out = turnTable(cells, columns, positions, direction, inside, report);
      return rows.map((_, i) => out.map((column) => column[i] ?? null));
    },
    write: writeCells,
  };
}
