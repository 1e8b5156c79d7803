/**
 * The line contract (docs/guide/line-contract.md): one line in, one line out, in the same order, and an answer to every
 * whole line before the next bytes are asked for. No Node.
 *
 * It differs from the record streams in what a line is: always one record, whatever is wrong with it, so that a caller
 * who counts lines never loses count.
 */

import { makeExactWriter } from '../core/json/exact.ts';
import { fail, type Issue, MAX_ISSUES } from '../errors.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { checkTabular, fieldPositions, mapHeader } from './header.ts';
import { type ReadRecord, readRecord } from './ndjson/codec.ts';
import { turnTable } from './table.ts';
import { readCells, type TsvCell, writeCells } from './tsv/cells.ts';

/** How lines are read and answered. */
export interface ApplyOptions {
  readonly direction: Direction;
  readonly format: 'ndjson' | 'tsv';
  /** Names of the columns of TSV, in order; the fields of the policy by default. */
  readonly columns: readonly string[] | null;
  /** A poisoned line is answered by an error line, and the run goes on. */
  readonly errorsInline: boolean;
  /** Bytes of a line without its end. */
  readonly maxRecord: number;
}

/** Answers to some lines. */
export interface Answers {
  /** A line for each line that was answered. */
  readonly text: string;
  /** What ends the run: the issues of the line behind the last that was answered. */
  readonly failure: readonly Issue[] | null;
}

/** Takes bytes and answers the lines that are whole. */
export interface Apply {
  readonly push: (chunk: Uint8Array) => Answers;
  /** Answers a last line without an end. */
  readonly end: () => Answers;
}

/** What is read of a line, or what is wrong with it. */
type Read<T> = { readonly value: T } | { readonly issue: Issue };

/** Turns lines that could be read; `undefined` in the place of one with an issue. */
interface Turner<T, R> {
  readonly read: (line: string) => Read<T>;
  readonly turn: (values: readonly T[], report: (index: number, issue: Issue) => void) => (R | undefined)[];
  readonly write: (turned: R, read: T) => string;
}

/**
 * Makes the work on lines.
 *
 * @throws TrefoilError what policy, keys and columns refuse, before a line is read.
 */
export function makeApply(inside: BoundInside, options: ApplyOptions): Apply {
  const { direction, format, errorsInline, maxRecord } = options;
  inside.demand(direction);
  const answer =
    format === 'ndjson'
      ? answerer(ndjsonTurner(inside, direction), errorsInline)
      : answerer(tsvTurner(inside, direction, options.columns), errorsInline);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let lines = 0;
  // Bytes of a line whose end has not come; `null` while the rest of one above the limit is passed over.
  let held: Uint8Array[] | null = [];
  let heldBytes = 0;

  function readLine(bytes: Uint8Array): string | Issue {
    if (bytes.length > maxRecord) return tooLong(maxRecord);
    try {
      return decoder.decode(bytes);
    } catch {
      return { code: 'not_utf8', message: 'a byte that is not UTF-8' };
    }
  }

  /** Whole lines, without the last line end. */
  function take(bytes: Uint8Array): Answers {
    const read = linesOf(bytes, readLine, decoder, maxRecord);
    const found = answer(read, lines);
    lines += read.length;
    return found;
  }

  return {
    push(chunk) {
      const last = chunk.lastIndexOf(LF);
      if (last === -1) {
        hold(chunk);
        return NOTHING;
      }
      const answers: Answers[] = [];
      let from = 0;
      if (held === null) {
        from = chunk.indexOf(LF) + 1;
        held = [];
        answers.push(answer([tooLong(maxRecord)], lines));
        lines++;
      }
      if (last >= from) {
        const whole = joined([...held, chunk.subarray(from, last)]);
        held = [];
        heldBytes = 0;
        if (answers[0]?.failure == null) answers.push(take(whole));
      }
      heldBytes = 0;
      hold(chunk.subarray(last + 1));
      return {
        text: answers.map(({ text }) => text).join(''),
        failure: answers.find((a) => a.failure)?.failure ?? null,
      };
    },
    end() {
      if (held === null) return answer([tooLong(maxRecord)], lines);
      return heldBytes === 0 ? NOTHING : take(joined(held));
    },
  };

  function hold(bytes: Uint8Array): void {
    if (held === null || bytes.length === 0) return;
    heldBytes += bytes.length;
    if (heldBytes > maxRecord) held = null;
    // A copy: the source may use the chunk's memory again.
    else held.push(new Uint8Array(bytes));
  }
}

const LF = 10;
const NOTHING: Answers = { text: '', failure: null };

function tooLong(maxRecord: number): Issue {
  return { code: 'record_too_large', message: `the line is longer than ${maxRecord} bytes`, maximum: maxRecord };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = parts.filter((part) => part.length > 0);
  if (all.length === 1) return all[0]!;
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Lines as text. All at once where all is well; else each by itself, so that one bad byte poisons one line. */
function linesOf(
  bytes: Uint8Array,
  readLine: (bytes: Uint8Array) => string | Issue,
  decoder: TextDecoder,
  maxRecord: number,
): (string | Issue)[] {
  try {
    const lines = decoder.decode(bytes).split('\n');
    if (bytes.length <= maxRecord) return lines;
  } catch {
    // Said line by line below.
  }
  const lines: (string | Issue)[] = [];
  for (let from = 0; ; ) {
    const end = bytes.indexOf(LF, from);
    lines.push(readLine(bytes.subarray(from, end === -1 ? bytes.length : end)));
    if (end === -1) return lines;
    from = end + 1;
  }
}

/** Answers lines; `before` is how many were there before. */
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
      const found = typeof line === 'string' ? read(line) : { issue: line };
      if ('issue' in found) {
        faults.set(i, [found.issue]);
        // Nothing behind it will be answered.
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
          // One text that grows: a list of lines to be joined takes a third more (measured).
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
  return {
    // A blank line is one as well, and has no record to answer with.
    read(line) {
      const read = readRecord(line);
      return 'issue' in read ? read : { value: read };
    },
    turn(read, report) {
      const values = read.map(({ value }) => value);
      return inside.rows(direction, values, report);
    },
    write: (turned, { inexact }) => (inexact ? writeExact(turned) : JSON.stringify(turned)),
  };
}

function tsvTurner(
  inside: BoundInside,
  direction: Direction,
  given: readonly string[] | null,
): Turner<TsvCell[], TsvCell[]> {
  checkTabular(inside);
  const names = given ?? fieldNames(inside, direction);
  const columns = mapHeader(names, inside, direction);
  if (columns.length === 0) fail('not_tabular', 'the policy leaves no column, and a line of TSV has at least one');
  const positions = fieldPositions(names, inside);
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

function fieldNames({ leaves }: BoundInside, direction: Direction): readonly string[] {
  return leaves.filter(({ engine }) => direction === 'protect' || !engine.removes).map(({ header }) => header!);
}
