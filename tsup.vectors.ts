/**
 * Writes the tables of the specifications as JSON, a file for each page of docs/spec, so that an implementation in
 * another language reads the test vectors without a parser for Markdown. The pages are the only source. The form of the
 * files is described in docs/spec/vectors.md.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const PAGES = 'docs/spec';
const VECTORS = 'dist/vectors';

/** A table of a page. */
export interface VectorTable {
  /** Heading of the section that the table is in. */
  readonly section: string;
  /**
   * The paragraphs between the heading or the previous table and this one: they name the inputs that all rows share.
   */
  readonly about: string;
  /** The paragraphs between this table and the end of its section, if it is the last one there. */
  readonly after: string;
  readonly columns: readonly string[];
  /** Each row, by the names of the columns. Every value is a text. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** The tables of a specification. */
export interface Vectors {
  readonly specification: string;
  readonly title: string;
  readonly tables: readonly VectorTable[];
}

/** The specifications: the pages whose name ends with a version, also in folders of docs/spec, by that name. */
export function specifications(folder: string = PAGES): ReadonlyMap<string, string> {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((path): [string, string][] => {
    const name = /(?:^|\/)([a-z]+(?:-[a-z]+)*-v\d+)\.md$/.exec(path.replaceAll('\\', '/'))?.[1];
    return name === undefined ? [] : [[name, `${folder}/${path}`]];
  });
  return new Map(pages.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads the tables of a page. */
export function vectorsOf(specification: string, page: string): Vectors {
  const tables: VectorTable[] = [];
  let title = '';
  let section = '';
  let about: string[] = [];
  const lines = page.split('\n');
  // The text after the last table of a section belongs to that table.
  const endSection = (): void => {
    const last = tables.at(-1);
    if (last?.section === section) tables[tables.length - 1] = { ...last, after: paragraphs(about) };
    about = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const heading = /^(#+) (.*)$/.exec(line);
    if (heading !== null) {
      endSection();
      section = plain(heading[2]!);
      if (heading[1] === '#') title = section;
    } else if (/^\|(?: ?:?-+:? ?\|)+$/.test(lines[i + 1] ?? '') && line.startsWith('|')) {
      const head = cellsOf(line);
      const rows: string[][] = [];
      for (i += 2; lines[i]?.startsWith('|'); i++) rows.push(cellsOf(lines[i]!));
      tables.push({ section, about: paragraphs(about), after: '', ...tableOf(head, rows) });
      about = [];
      i--;
    } else {
      about.push(line);
    }
  }
  endSection();
  return { specification, title, tables };
}

/** The cells of a line of a table. In a cell, a bar is written as `\|`. */
function cellsOf(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Parts of a text that are separated by commas outside code. */
function listOf(cell: string): string[] {
  return [...cell.matchAll(/(?:`[^`]*`|[^,`])+/g)].map(([part]) => part.trim());
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]) {
  // A column may hold several values: `scope, days` over `visit`, 180. Then each of them gets a column of its own.
  const columns: string[] = [];
  const readers: ((row: readonly string[]) => readonly string[])[] = [];
  for (const [at, name] of head.entries()) {
    const names = listOf(name);
    const isList = names.length > 1 && rows.every((row) => listOf(row[at]!).length === names.length);
    // The first table of small spaces has no names of columns.
    columns.push(...(isList ? names.map(plain) : [plain(name) || ['what', 'value'][at]!]));
    readers.push((row) => (isList ? listOf(row[at]!) : [row[at]!]));
  }
  if (new Set(columns).size !== columns.length) throw new Error(`two columns have one name: ${columns}`);
  const records = rows.map((row) => {
    if (row.length !== head.length) throw new Error(`a row has not as many cells as the head: ${row.join(' | ')}`);
    const values = readers.flatMap((read) => read(row)).map(textOfCell);
    return Object.fromEntries(columns.map((name, i) => [name, values[i]!]));
  });
  return { columns, rows: records };
}

/** The value of a cell: a literal of JavaScript is the text that it denotes, and everything else loses its markup. */
function textOfCell(cell: string): string {
  const literal = /^`` '(.*)' ``$/.exec(cell)?.[1];
  if (literal === undefined) return plain(cell);
  return literal.replace(/\\(?:u\{([0-9a-f]+)\}|u([0-9a-f]{4})|(.))/g, (_, point, unit, other) => {
    if (other === "'" || other === '\\') return other;
    if (other !== undefined) throw new Error(`unknown escape in ${cell}`);
    return String.fromCodePoint(Number.parseInt(point ?? unit, 16));
  });
}

/** A text without the marks of code, emphasis and links. Code keeps its characters. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(
      /`` ?(.+?) ?``|`([^`]*)`|\*(?=\S)([^*`]+)(?<=\S)\*/g,
      (_, long, code, emphasis) => long ?? code ?? emphasis,
    );
}

/** The paragraphs of lines, one line each. Blocks of code and lists are left out. */
function paragraphs(lines: readonly string[]): string {
  const text = lines.join('\n').replace(/^```[\s\S]*?^```$/gm, '');
  const kept = text.split(/\n{2,}/).filter((block) => block.trim() !== '' && !/^( {4}|[-*\d])/.test(block));
  return kept
    .map((block) =>
      block
        .trim()
        .replace(/\n/g, ' ')
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
    )
    .join('\n');
}

/** Writes the file of each specification. */
export function writeVectors(): void {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, path] of specifications()) {
    const vectors = vectorsOf(name, readFileSync(path, 'utf8'));
    writeFileSync(`${VECTORS}/${name}.json`, `${JSON.stringify(vectors, null, 2)}\n`);
  }
}
