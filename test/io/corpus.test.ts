/**
 * A corpus of damaged files: each is either processed exactly as a second parser reads it (csv-parse for CSV, a literal
 * RFC 8259 reader for JSON), or refused with line and column. Which of the two is right is known for each. 2,000 files
 * here, 100,000 with TREFOIL_LONG=1.
 */
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { protectCsv } from '../../src/csv.ts';
import { TrefoilError } from '../../src/errors.ts';
import { keep, keyset, optional, policy, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { Digits, readJson } from '../reference/json.ts';
import { random } from '../reference/random.ts';

const FILES = process.env.TREFOIL_LONG === '1' ? 50_000 : 1000;

const keys = keyset.generate().domain('corpus');
const tokens = token({ scope: 'id' }).bind(keys);
const table = policy({ id: token({ scope: 'id' }), a: keep, b: keep }).bind(keys);
const records = policy({ id: token({ scope: 'id' }), a: optional(keep), b: optional(keep) }).bind(keys);

type Dice = ReturnType<typeof random>;
const pick = <T>(dice: Dice, from: readonly T[]): T => from[dice.below(from.length)]!;

const PIECES = [
  '',
  'x',
  '7',
  'Ελένη',
  '😀',
  ' ',
  "'",
  '=1+1',
  '\t',
  '"',
  '""',
  '\n',
  '\r\n',
  '\r',
  ',',
  ';',
  '\u0000',
  '\\',
  'é',
];

const cell = (dice: Dice): string => {
  let text = '';
  for (let i = dice.below(4); i > 0; i--) text += pick(dice, PIECES.slice(0, dice.below(20) === 0 ? 19 : 9));
  return text;
};
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Mostly CSV. */
function csvFile(dice: Dice): string {
  const newline = pick(dice, ['\n', '\n', '\r\n', '\r']);
  const lines = [dice.below(30) === 0 ? 'id,a' : 'id,a,b'];
  for (let i = dice.below(6); i > 0; i--) {
    const width = dice.below(25) === 0 ? dice.below(5) : 3;
    const cells = Array.from({ length: width }, () => {
      const text = cell(dice);
      return /["\r\n,]/.test(text)
        ? dice.below(12) === 0
          ? text
          : quoted(text)
        : dice.below(5) === 0
          ? quoted(text)
          : text;
    });
    lines.push(cells.join(','));
  }
  const ends = lines.map(() => (dice.below(20) === 0 ? pick(dice, ['\n', '\r\n', '\r', '\n\n']) : newline));
  if (dice.below(3) === 0) ends[ends.length - 1] = '';
  return lines.map((line, i) => line + ends[i]).join('');
}

/** Mostly NDJSON. */
function ndjsonFile(dice: Dice): string {
  const sound = (): string =>
    pick(dice, [
      () => JSON.stringify(cell(dice).replaceAll('\u0000', '')),
      () =>
        pick(dice, [
          'null',
          'true',
          '1.5',
          '-0.25e3',
          '9007199254740991',
          '9007199254740993',
          '1E400',
          '-0',
          '12.50',
          '"\\ud83d\\ude00"',
          '"\\u00e9"',
        ]),
      () => String(dice.below(1000) - 500),
    ])();
  const doubtful = (): string =>
    pick(dice, [
      () => pick(dice, ['01', '.5', '-', '+1', 'NaN', '[]', '{}', '[1]', "'x'"]),
      () => `"\\u${dice.below(65_536).toString(16).padStart(4, '0')}"`,
      () => pick(dice, ['"\\q"', '"\t"', '"\\ud83d"', '', '"']),
    ])();
  const value = (): string => (dice.below(25) === 0 ? doubtful() : sound());
  const rare = <T>(often: readonly T[], seldom: readonly T[]): T => pick(dice, dice.below(40) === 0 ? seldom : often);
  let text = '';
  for (let i = dice.below(6); i > 0; i--) {
    const members = [`"id":${JSON.stringify(`n${dice.below(99)}`)}`];
    if (dice.below(2) === 0) members.push(`"a":${value()}`);
    if (dice.below(2) === 0) members.push(`${rare(['"b"'], ['"a"', '"c"', '"id"', '"\u0061"', 'b'])}:${value()}`);
    let line = `{${members.join(rare([',', ', ', ' ,\t'], [',,', ';']))}}`;
    if (dice.below(40) === 0)
      line = pick(dice, [
        '',
        '   ',
        '[]',
        '3',
        `${'[1,'.repeat(150)}`,
        `{"id":"1","a":${'['.repeat(120)}${']'.repeat(120)}}`,
      ]);
    text += line + pick(dice, ['\n', '\n', '\n', '\r\n', '\n\n']);
  }
  return dice.below(3) === 0 ? text.replace(/\r?\n$/, '') : text;
}

/** Ways to damage a file. */
function damage(text: string, dice: Dice): Uint8Array {
  const bytes = Buffer.from(text);
  switch (dice.below(14)) {
    case 0:
      return bytes.subarray(0, dice.below(bytes.length + 1));
    case 1:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 2:
      return Buffer.from(`\ufeff${text}`, 'utf16le');
    case 3:
      return Buffer.from(text, 'latin1');
    case 4: {
      const at = dice.below(bytes.length + 1);
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([pick(dice, [0, 0x80, 0xc3, 0xff, 0x22, 0x0a, 0x0d, 0x2c])]),
        bytes.subarray(at),
      ]);
    }
    default:
      return bytes;
  }
}

/** The text of a file, or `null` if its bytes are not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\u0000') ? null : text;
  } catch {
    return null;
  }
}

const readCsv = (text: string): string[][] =>
  parse(text, { record_delimiter: ['\r\n', '\n', '\r'], relax_column_count: true });

/** The expected records, or `null` if the file must be refused. */
function judgeCsv(bytes: Uint8Array): unknown[] | null {
  const text = textOf(bytes);
  if (text === null || text === '') return null;
  let rows: string[][];
  try {
    rows = readCsv(text);
  } catch {
    return null;
  }
  const [header = [], ...rest] = rows;
  if (header.join() !== 'id,a,b' || rest.some((row) => row.length !== 3)) return null;
  return [header, ...rest.map(([id, a, b]) => [tokens.protect(id!), a, b])];
}

function judgeNdjson(bytes: Uint8Array): unknown[] | null {
  const text = textOf(bytes);
  if (text === null) return null;
  const due: unknown[] = [];
  for (const line of text.split('\n')) {
    if (/^[\t\r ]*$/.test(line)) continue;
    const read = readJson(line);
    if (read === null || read.duplicate || read.depth > 100) return null;
    const record = read.value as Record<string, unknown>;
    if (typeof record !== 'object' || record === null || Array.isArray(record) || record instanceof Digits) return null;
    if (Object.keys(record).some((name) => !['id', 'a', 'b'].includes(name)) || typeof record.id !== 'string')
      return null;
    // `keep` takes the values that fit into a cell, and text without half of a surrogate pair.
    for (const kept of [record.a, record.b]) {
      if (typeof kept === 'object' && kept !== null && !(kept instanceof Digits)) return null;
      if (typeof kept === 'string' && !kept.isWellFormed()) return null;
    }
    due.push({ ...record, id: tokens.protect(record.id) });
  }
  return due;
}

async function run(stream: AsyncIterable<Uint8Array>): Promise<string | TrefoilError> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of stream) parts.push(part);
  } catch (error) {
    if (error instanceof TrefoilError) return error;
    throw error;
  }
  return Buffer.concat(parts).toString();
}

function* cut(bytes: Uint8Array, dice: Dice): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + dice.below(40);
    yield bytes.subarray(at, next);
    at = next;
  }
}

const KINDS = [
  {
    name: 'CSV',
    make: csvFile,
    judge: judgeCsv,
    protect: (source: Iterable<Uint8Array>, batchSize: number) => protectCsv(source, table, { batchSize }),
    read: (text: string): unknown[] => readCsv(text.replace(/^\ufeff/, '')),
  },
  {
    name: 'NDJSON',
    make: ndjsonFile,
    judge: judgeNdjson,
    protect: (source: Iterable<Uint8Array>, batchSize: number) => protectNdjson(source, records, { batchSize }),
    read: (text: string): unknown[] =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => readJson(line)!.value),
  },
];

test.each(KINDS)(
  '$name: processed exactly or refused with line and column',
  async ({ name, make, judge, protect, read }) => {
    const counts = { processed: 0, refused: 0 };
    for (let i = 0; i < FILES; i++) {
      const dice = random(`corpus ${name} ${i}`);
      const bytes = damage(make(dice), dice);
      const found = await run(protect(cut(bytes, dice), 1 + dice.below(5)));
      const due = judge(bytes);
      const shown = `file ${i}: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`;
      if (due === null) {
        counts.refused++;
        if (typeof found === 'string') throw new Error(`${shown} was processed as ${JSON.stringify(found)}`);
        for (const issue of found.issues) {
          const placed = issue.line !== undefined && (issue.column !== undefined || issue.field !== undefined);
          if (!placed) throw new Error(`${shown}: ${issue.code} has no place`);
        }
      } else {
        counts.processed++;
        if (typeof found !== 'string') throw new Error(`${shown} was refused: ${found.message}`);
        const got = JSON.stringify(read(found));
        if (got !== JSON.stringify(due)) throw new Error(`${shown}: ${got} is not ${JSON.stringify(due)}`);
      }
    }
    // Many files must be processed and many refused, or the corpus tests nothing.
    expect(counts.processed).toBeGreaterThan(FILES / 4);
    expect(counts.refused).toBeGreaterThan(FILES / 10);
  },
  600_000,
);
