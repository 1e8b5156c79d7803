/**
 * Reads the text of a policy file: YAML 1.2 in the core schema, or JSON, which is YAML as well. One reader for both
 * gives every problem its line and column.
 *
 * People who read a policy must be sure of what it says. So the reader refuses everything that makes a YAML file mean
 * something else than it seems to: anchors, aliases, merge keys, tags, directives, duplicate keys, a second document,
 * and numbers that would be rounded. The parser's own messages quote the file, so ours replace them.
 *
 * - A problem in the *text*, such as a missing bracket, ends the reading, because nothing after it can be trusted.
 * - A problem in the *form*, such as an anchor or a duplicate key, leaves a value. The schema then checks that value,
 *   and the problems of both are reported together.
 */

import {
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Issue } from '../errors.ts';

/** Deepest nesting of a policy. Fields are paths and not nested, so a real policy has five levels. */
const MAX_DEPTH = 50;

/** A path into the value: names of members and indices of elements. */
export type Path = readonly (string | number)[];

/** A place in the policy file. Lines and columns are counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly file: string;
}

/** A policy file as it was read. */
export interface PolicyText {
  readonly value: unknown;
  /** The problems in text and form, in the order of the file. */
  readonly issues: readonly Issue[];
  /** Whether the whole text was read, so that `value` can be checked for more problems. */
  readonly whole: boolean;
  /** The place of a value. If there is no such value, the place of the map that should contain it. */
  readonly locate: (path: Path) => Place;
  /** The place of a member's name, from the place of its value. */
  readonly keyOf: (place: { readonly line?: number; readonly column?: number }) => Place | undefined;
}

/** Where a value and its members are in the text. */
interface Spot {
  /** Offset of the value. */
  readonly at: number;
  /** Offset of the name, if the value is a member of a map. */
  readonly key: number | null;
  readonly members: Map<string | number, Spot>;
}

/** Our message for each error of the parser. */
const MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  BAD_DIRECTIVE: 'directives are not allowed; remove the line that begins with %',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; write the backslash twice, or use single quotes',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a value cannot begin with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a second key cannot begin here; quote a value that holds a colon',
  BLOCK_IN_FLOW: 'inside brackets, items are separated by commas and not by indentation',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'something is missing here: a colon, a comma, a bracket or a quotation mark',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line, followed by a colon',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  UNEXPECTED_TOKEN: 'this is not allowed here; quote it, or check the brackets and the indentation before it',
};

/** Tokens that are refused everywhere, by type. */
const REFUSED: Readonly<Record<string, string>> = {
  anchor: 'anchors are not allowed; write the value out',
  alias: 'aliases are not allowed; write the value out',
  tag: 'tags are not allowed; quote a value that begins with an exclamation mark',
  directive: 'directives are not allowed; remove the line that begins with %',
};

/** What is known of a text while it is read. */
interface Reading {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
  /** The problems so far, each with its offset in the text. */
  readonly found: { readonly at: number; readonly message: string }[];
  /** Offset of the key of a value, by the line and column of the value. */
  readonly keys: Map<string, number>;
  /** Whether no part of the text was left out because it is nested too deeply. */
  whole: boolean;
}

/** Reads the text of a policy file. `file` is its name in the places of problems; nothing is read from the disk. */
export function readPolicyText(text: string, file: string): PolicyText {
  const reading: Reading = { file, text, lines: new LineCounter(), found: [], keys: new Map(), whole: true };
  const contents = hasControl(reading) ? null : contentsOf(reading);
  if (contents === null) return resultOf(reading, undefined, { at: 0, key: null, members: new Map() }, false);
  const [value, spot] = convert(reading, contents, 0, null, 0);
  return resultOf(reading, value, spot, reading.whole);
}

function placeIn({ lines, file }: Reading, at: number): Place {
  const { line, col } = lines.linePos(at);
  return { line: Math.max(line, 1), column: Math.max(col, 1), file };
}

function resultOf(reading: Reading, value: unknown, spot: Spot, whole: boolean): PolicyText {
  return {
    value,
    whole,
    issues: reading.found
      .sort((a, b) => a.at - b.at)
      .map(({ at, message }): Issue => ({ code: 'invalid_yaml', message, ...placeIn(reading, at) })),
    locate(path) {
      let deepest = spot;
      for (const step of path) {
        const next = deepest.members.get(step);
        if (next === undefined) break;
        deepest = next;
      }
      return placeIn(reading, deepest.at);
    },
    keyOf({ line, column }) {
      const at = reading.keys.get(`${line}:${column}`);
      return at === undefined ? undefined : placeIn(reading, at);
    },
  };
}

/** Whether the text has a control character, which is noted as a problem. Then it is not parsed. */
function hasControl({ text, lines, found }: Reading): boolean {
  const control = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/);
  if (control < 0) return false;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  lines.lineStarts.unshift(0);
  found.push({ at: control, message: 'the file contains a control character, so it is not text' });
  return true;
}

/** The contents of the only document, or `null` if there is a problem that ends the reading. */
function contentsOf(reading: Reading): ParsedNode | null {
  const { text, lines, found } = reading;
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  for (const token of tokensOf(tokens)) {
    const message = REFUSED[token.type];
    if (message !== undefined) found.push({ at: token.offset, message });
  }
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    // Duplicate keys are found below: the parser's search takes half a minute for a file of one megabyte.
    uniqueKeys: false,
  });
  const documents = [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
  const second = documents[1];
  if (second !== undefined) {
    found.push({ at: second.range[0], message: 'a policy file has one document; remove everything from this line on' });
  }
  const errors = documents[0]!.errors.filter((error) => !(error.code === 'BAD_ALIAS' && found.length > 0));
  if (errors.length > 0) {
    noteErrors(reading, errors);
    return null;
  }
  const contents = documents[0]!.contents as ParsedNode | null;
  if (contents === null || (isScalar(contents) && contents.source === '')) {
    found.push({ at: 0, message: 'the file is empty; a policy needs trefoil, domain and fields' });
    return null;
  }
  return contents;
}

/** Notes the first error of each line, because one mistake makes the parser report more errors after it. */
function noteErrors(reading: Reading, errors: readonly YAMLError[]): void {
  const { text, found } = reading;
  const seen = new Set(found.map(({ at }) => placeIn(reading, at).line));
  for (const error of [...errors].sort((a, b) => a.pos[0] - b.pos[0])) {
    const at = Math.min(error.pos[0], text.length);
    if (seen.has(placeIn(reading, at).line)) continue;
    seen.add(placeIn(reading, at).line);
    found.push({ at, message: MESSAGES[error.code] ?? 'this is not YAML 1.2' });
    if (error.code === 'RESOURCE_EXHAUSTION') break;
  }
}

/** A node as a JavaScript value, with the place of each of its parts. `fallback` is the offset of an empty node. */
function convert(
  reading: Reading,
  node: ParsedNode | null,
  fallback: number,
  key: number | null,
  depth: number,
): [unknown, Spot] {
  const spot: Spot = { at: node === null ? fallback : node.range[0], key, members: new Map() };
  if (key !== null) {
    const { line, column } = placeIn(reading, spot.at);
    reading.keys.set(`${line}:${column}`, key);
  }
  if (depth > MAX_DEPTH) {
    if (reading.whole) reading.found.push({ at: spot.at, message: 'the file is nested too deeply' });
    reading.whole = false;
    return [null, spot];
  }
  if (isMap(node)) return [convertMap(reading, node as YAMLMap.Parsed, spot, depth), spot];
  if (isSeq(node)) {
    const value = node.items.map((item, index) => {
      const [element, inner] = convert(reading, item as ParsedNode | null, spot.at, null, depth + 1);
      spot.members.set(index, inner);
      return element;
    });
    return [value, spot];
  }
  if (!isScalar(node)) return [null, spot];
  if (typeof node.value === 'string') checkText(reading, node.value, spot.at);
  if (typeof node.value === 'number') checkNumber(reading, node.value, node.source ?? '', spot.at);
  return [node.value, spot];
}

function convertMap(reading: Reading, node: YAMLMap.Parsed, spot: Spot, depth: number): Record<string, unknown> {
  const { found } = reading;
  const value: Record<string, unknown> = {};
  for (const pair of node.items) {
    const name = pair.key as ParsedNode | null;
    const at = name === null ? spot.at : name.range[0];
    if (!isScalar(name) || typeof name.value !== 'string') {
      found.push({ at, message: 'a key must be text; quote it' });
      continue;
    }
    if (name.value === '<<' && name.type === 'PLAIN') {
      found.push({ at, message: 'merge keys are not allowed; write the members out' });
      continue;
    }
    checkText(reading, name.value, at);
    if (spot.members.has(name.value)) {
      found.push({ at, message: 'the key is a duplicate; remove one of the two' });
      continue;
    }
    const [member, inner] = convert(reading, pair.value as ParsedNode | null, name.range[1], at, depth + 1);
    // Not by assignment, so that a member named __proto__ is a member like any other.
    Object.defineProperty(value, name.value, { value: member, enumerable: true, writable: true, configurable: true });
    spot.members.set(name.value, inner);
  }
  return value;
}

function checkText({ found }: Reading, value: string, at: number): void {
  if (!value.isWellFormed()) found.push({ at, message: 'an escape stands for half of a surrogate pair' });
}

function checkNumber({ found }: Reading, value: number, source: string, at: number): void {
  if (!Number.isFinite(value)) found.push({ at, message: 'expected a finite number; quote it if it is text' });
  else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    found.push({ at, message: 'the number is beyond 2^53 and would be rounded; quote it' });
  } else if (/^[-+]?0[0-9]/.test(source)) {
    found.push({ at, message: 'the number would lose its leading zero; quote it if it is text' });
  }
}

/** All tokens of a parsed text, at any depth. It does not recurse, because the file decides how deep they are. */
function* tokensOf(roots: readonly object[]): Generator<{ readonly type: string; readonly offset: number }> {
  const stack: unknown[] = [...roots];
  while (stack.length > 0) {
    const node = stack.pop();
    if (typeof node !== 'object' || node === null) continue;
    if ('type' in node && 'offset' in node) yield node as { type: string; offset: number };
    for (const part of Object.values(node)) if (typeof part === 'object') stack.push(part);
  }
}
