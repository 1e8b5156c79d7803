/**
 * Counts the labelled tokens, sealed values and rejected records of a text by the keys that they show
 * (docs/spec/scan-v1.md). No key is needed, and the memory does not grow with the text.
 *
 * The values are in runs of letters, digits and underscores, in whatever text: the cells of a table, strings of JSON,
 * or sentences. So the text is not parsed. `scan-run.ts` reads a run.
 */

import { fail } from '../errors.ts';
import { CHECK_LENGTH } from '../wire/check-characters.ts';
import { ID_LENGTH, SHORTEST_BODY } from '../wire/labelled-token.ts';
import { LARGEST_BUCKET } from '../wire/sealed-texts.ts';
import { REJECTS_VERSION } from './rejects.ts';
import type { KeyCounts } from './scan-report.ts';
import { readRun } from './scan-run.ts';

/** What was found in a text. */
export interface Found {
  readonly bytes: number;
  /** By shown key id. */
  readonly keys: Readonly<Record<string, KeyCounts>>;
  /** Texts that have the form of a labelled token and wrong check characters. */
  readonly damaged: number;
}

/** Counts in one text. */
export interface Scan {
  /**
   * Takes the next bytes, which are UTF-8.
   *
   * @throws TrefoilError `not_utf8`, `nul_byte`, with the line.
   */
  readonly push: (chunk: Uint8Array) => void;
  /** @throws TrefoilError as `push` does. */
  readonly end: () => Found;
}

/** Fewest characters of a token: a label of one letter and its underscore, the key id, the body, the check. */
const SHORTEST = 2 + ID_LENGTH + SHORTEST_BODY + CHECK_LENGTH;

/** No run that is longer than this is a sealed value, whose header and synthetic IV are far below 64 bytes. */
const LONGEST: number = ID_LENGTH + Math.ceil(((LARGEST_BUCKET + 64) * 8) / 5);

/** Runs that are long enough for a token, with the backslash or percent sign before them. */
const RUNS = /* @__PURE__ */ new RegExp(`[\\\\%]?[A-Za-z0-9_]{${SHORTEST},}`, 'g');

/** The beginning of the first line of a file of rejects, and of its other lines. */
const REJECTS_HEAD = `{"trefoil":"${REJECTS_VERSION}"`;
const REJECT = /^\{"(?:file|input)":/;

/** Characters of the beginning of a line that are kept. The head of a file of rejects has its key id among them. */
const HEAD_LENGTH = 512;
const HEAD_KEY = /"keyId":"([0-9a-z]{5})"/;

/** How a line ends whose record was above the limit of its run, so that it was not sealed. */
const NOT_SEALED = '"sealed":null}';

/** A count under construction. */
interface Counts {
  readonly tokens: Record<string, number>;
  sealed: number;
  rejects: number;
  readonly first: number;
}

/** What is known of the text so far. */
interface State {
  readonly keys: Map<string, Counts>;
  damaged: number;
  /** Line of the first character that was not looked at. */
  line: number;
  /** A run at the end, which may continue. */
  rest: string;
  /** Whether the run at the end is too long to be anything, so that the rest of it is skipped. */
  skips: boolean;
  /** Beginning and end of the last line. */
  start: string;
  tail: string;
  /** Key id of the file of rejects that the line belongs to; `null` if it belongs to none. */
  rejects: string | null;
}

/** Starts to count. */
export function makeScan(): Scan {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const keys = new Map<string, Counts>();
  const state: State = { keys, damaged: 0, line: 1, rest: '', skips: false, start: '', tail: '', rejects: null };
  let bytes = 0;
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      const line = state.line + (chunk === undefined ? 0 : badLine(chunk));
      return fail('not_utf8', 'the input is not UTF-8; set its encoding with --encoding', { line });
    }
  };
  return {
    push(chunk) {
      bytes += chunk.length;
      take(state, decode(chunk), false);
    },
    end() {
      take(state, decode(), true);
      return { bytes, keys: Object.fromEntries(keys), damaged: state.damaged };
    },
  };
}

/** How many lines of a chunk are before the first that is not UTF-8. The chunk may begin inside a character. */
function badLine(chunk: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let from = chunk.findIndex((byte) => (byte & 0xc0) !== 0x80);
  for (let lines = 0; ; lines++) {
    const end = chunk.indexOf(LF, from);
    if (from > 3 && lines === 0) return 0;
    try {
      decoder.decode(chunk.subarray(from, end === -1 ? chunk.length : end));
    } catch {
      return lines;
    }
    if (end === -1) return lines;
    from = end + 1;
  }
}

const LF = 10;

/** Looks at more characters, and if they are the last ones, at the run that is still open. */
function take(state: State, more: string, isLast: boolean): void {
  const nul = more.indexOf('\0');
  if (nul !== -1) {
    const line = state.line + linesIn(more, nul);
    fail('nul_byte', 'the input has a NUL byte, so it is not text; if it is UTF-16, set --encoding', { line });
  }
  let text = state.rest + more;
  if (state.skips) {
    const end = endOfRun(text, 0);
    state.skips = end === text.length;
    text = text.slice(end);
  }
  const open = isLast ? text.length : startOfRun(text);
  if (text.length - open > LONGEST) state.skips = true;
  state.rest = state.skips ? '' : text.slice(open);
  // The lines are counted with a run that is skipped, which has no line end.
  const whole = state.skips ? text : text.slice(0, open);
  findRuns(state, whole);
  findRejects(state, whole);
  state.line += linesIn(whole, whole.length);
  if (isLast) endLine(state);
}

/** Counts the tokens and sealed values of runs. */
function findRuns(state: State, text: string): void {
  RUNS.lastIndex = 0;
  let at = 0;
  const count = (keyId: string, label: string | null) => {
    const counts = countsOf(state, keyId, text, at);
    if (label === null) counts.sealed++;
    else counts.tokens[label] = (counts.tokens[label] ?? 0) + 1;
  };
  for (let match = RUNS.exec(text); match !== null; match = RUNS.exec(text)) {
    const [run] = match;
    at = match.index;
    const mark = isMark(run.charCodeAt(0)) ? run.charAt(0) : '';
    const written = mark === '' ? run : run.slice(1);
    if (written.length > LONGEST) continue;
    if (readRun(written, mark, count)) state.damaged++;
  }
}

/** The counts of a key. The line is counted only if this is the first value of the key. */
function countsOf({ keys, line }: State, id: string, text: string, at: number): Counts {
  const known = keys.get(id);
  if (known !== undefined) return known;
  // A label may have any name, also that of a property that every object has.
  const tokens = Object.create(null) as Record<string, number>;
  const made: Counts = { tokens, sealed: 0, rejects: 0, first: line + linesIn(text, at) };
  keys.set(id, made);
  return made;
}

/** Counts the lines of a file of rejects. Most texts have no head of one, and their lines are not looked at. */
function findRejects(state: State, text: string): void {
  if (state.rejects === null && !(state.start + text).includes(REJECTS_HEAD)) {
    const last = text.lastIndexOf('\n');
    state.start = (last === -1 ? state.start + text : text.slice(last + 1)).slice(0, HEAD_LENGTH);
    return;
  }
  let line = state.line;
  for (let from = 0; ; ) {
    const end = text.indexOf('\n', from);
    const part = text.slice(from, end === -1 ? text.length : end);
    state.start = (state.start + part.slice(0, HEAD_LENGTH)).slice(0, HEAD_LENGTH);
    state.tail = (state.tail + part.slice(-NOT_SEALED.length)).slice(-NOT_SEALED.length);
    if (end === -1) return;
    endLine(state, line++);
    from = end + 1;
  }
}

/** Counts a line that has ended, if it is one of a file of rejects. */
function endLine(state: State, line = state.line): void {
  const { start, tail } = state;
  state.start = '';
  state.tail = '';
  if (start.startsWith(REJECTS_HEAD)) {
    state.rejects = HEAD_KEY.exec(start)?.[1] ?? null;
    return;
  }
  if (!REJECT.test(start)) state.rejects = null;
  if (state.rejects === null || tail === NOT_SEALED) return;
  const known = state.keys.get(state.rejects) ?? {
    tokens: Object.create(null) as Record<string, number>,
    sealed: 0,
    rejects: 0,
    first: line,
  };
  known.rejects++;
  state.keys.set(state.rejects, known);
}

/** Whether a character may begin an escape: a backslash or a percent sign. */
function isMark(code: number): boolean {
  return code === 92 || code === 37;
}

/** Whether a character is a letter or digit of ASCII, or an underscore. */
function isWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95;
}

/** Where the run at the end of a text begins, with the mark before it. */
function startOfRun(text: string): number {
  let at = text.length;
  while (at > 0 && isWord(text.charCodeAt(at - 1))) at--;
  return at > 0 && isMark(text.charCodeAt(at - 1)) ? at - 1 : at;
}

/** Where the run that a text begins with ends. */
function endOfRun(text: string, from: number): number {
  let at = from;
  while (at < text.length && isWord(text.charCodeAt(at))) at++;
  return at;
}

function linesIn(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
