/**
 * Columns for keys that are in another process: they are sent as the rows of a table, with the part of the policy that
 * is about them. Values of one record share a row; those inside arrays have rows of their own.
 */

import { typeName } from '../../core/checks.ts';
import type { ReportIssue } from '../../core/issues.ts';
import { jsonNumberText } from '../../core/json/number.ts';
import type { Issue } from '../../errors.ts';
import type { FarAnswer, FarBatch } from '../../keys/place/place.ts';
import { type Rule, ruleOption, type Siblings } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { escapeName } from '../file/path.ts';

/** One column that is sent. */
export interface FarColumn {
  readonly leaf: Leaf;
  readonly column: readonly unknown[];
  /** The places of the values that are sent, ascending: no missing ones. */
  readonly rows: readonly number[];
  readonly siblings: Siblings;
  /** Shown id of the key of these values, if they do not show it. */
  readonly fromKey: string | null;
  /** The answers, at the same places. */
  readonly out: unknown[];
  readonly report: ReportIssue;
}

/** What is the same for all batches of a policy. */
export interface FarSetting extends Pick<FarBatch, 'missing' | 'keyCheck'> {
  readonly leaves: readonly Leaf[];
  /** Path of the field that says whose record it is; `null` if it is not sent. */
  readonly subject: string | null;
  readonly mostRows: number;
}

/** Why a value cannot be sent; `null` if it can. Every rule with a key refuses such a value, too. */
export function unsendable(value: unknown): Issue | null {
  const fits =
    ['string', 'boolean', 'bigint'].includes(typeof value) ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (value instanceof Date && !Number.isNaN(value.getTime())) ||
    jsonNumberText(value) !== null;
  if (fits) return null;
  return { code: 'wrong_type', message: `expected text, a number, a boolean or a date, got ${typeName(value)}` };
}

/** Rows that belong together: of the same records, with the same other fields. */
interface Block {
  readonly length: number;
  readonly columns: FarColumn[];
  /** The other fields that are sent with them, by path. */
  readonly read: Map<string, readonly unknown[]>;
  readonly isArray: boolean;
}

/** A row of a batch. */
interface Row {
  readonly block: Block;
  readonly at: number;
}

/**
 * Sends columns and puts the answers in their places.
 *
 * @returns how many values became missing because they were erased.
 */
export async function turnFar(
  columns: readonly FarColumn[],
  setting: FarSetting,
  send: (batch: FarBatch) => Promise<FarAnswer>,
): Promise<number> {
  let erased = 0;
  for (const [fromKey, group] of byKey(columns)) {
    const blocks = blocksOf(group, setting);
    const rows = blocks.flatMap((block) => rowsOf(block));
    for (let at = 0; at < rows.length; at += setting.mostRows) {
      const part = rows.slice(at, at + setting.mostRows);
      const answer = await send(batchOf(part, fromKey, setting));
      erased += answer.erased;
      takeAnswer(part, answer);
    }
  }
  return erased;
}

/** One batch has one named key. Columns that show their keys go with the first of them. */
function byKey(columns: readonly FarColumn[]): Map<string | null, readonly FarColumn[]> {
  const sent = columns.filter(({ rows }) => rows.length > 0);
  const [first = null] = sent.flatMap(({ fromKey }) => fromKey ?? []);
  const groups = new Map<string | null, FarColumn[]>();
  for (const column of sent) {
    const key = column.fromKey ?? first;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [column]);
    else group.push(column);
  }
  return groups;
}

function blocksOf(columns: readonly FarColumn[], { subject }: FarSetting): readonly Block[] {
  const blocks: Block[] = [];
  for (const column of columns) {
    const { leaf, siblings, column: values } = column;
    const paths = new Set([...(leaf.engine.needs ?? []), ...(subject === null ? [] : [subject])]);
    const read = new Map([...paths].map((path) => [path, siblings(path)]));
    const isArray = leaf.path.includes('[]');
    const fit = isArray ? undefined : blocks.find((block) => isSame(block, values.length, read));
    if (fit === undefined) blocks.push({ length: values.length, columns: [column], read, isArray });
    else {
      fit.columns.push(column);
      for (const [path, sibling] of read) fit.read.set(path, sibling);
    }
  }
  return blocks;
}

/** Whether a column is of the rows of a block: then the other fields that both are sent with are the same. */
function isSame(block: Block, length: number, read: ReadonlyMap<string, readonly unknown[]>): boolean {
  if (block.isArray || block.length !== length) return false;
  return [...read].every(([path, column]) => {
    const other = block.read.get(path);
    return other === undefined || (other.length === column.length && other.every((value, i) => value === column[i]));
  });
}

function rowsOf(block: Block): readonly Row[] {
  const places = new Set(block.columns.flatMap(({ rows }) => rows));
  return [...places].sort((a, b) => a - b).map((at) => ({ block, at }));
}

function batchOf(rows: readonly Row[], fromKey: string | null, setting: FarSetting): FarBatch {
  const { leaves, subject, missing, keyCheck } = setting;
  const fields: Record<string, object> = {};
  const columns: Record<string, unknown[]> = {};
  const put = (path: string, rule: object): unknown[] => {
    fields[escapeName(path)] = rule;
    columns[path] = new Array<unknown>(rows.length).fill(null);
    return columns[path];
  };
  const blocks = new Set(rows.map(({ block }) => block));
  for (const block of blocks) {
    for (const { leaf, column, rows: places } of block.columns) {
      const out = put(leaf.path, wireRule(leaf.rule));
      const sent = new Set(places);
      for (const [i, row] of rows.entries()) {
        if (row.block === block && sent.has(row.at)) out[i] = column[row.at];
      }
    }
  }
  for (const block of blocks) {
    for (const [path, column] of block.read) {
      const leaf = leaves.find((one) => one.path === path);
      const isOwn = [...blocks].some((other) => other.columns.some((one) => one.leaf.path === path));
      if (isOwn) continue;
      // Only whose record it is, is understood there. Other fields are read as they are.
      const rule = path === subject && leaf !== undefined ? wireRule(leaf.rule) : asItIs(leaf);
      const out = columns[path] ?? put(path, rule);
      for (const [i, row] of rows.entries()) {
        if (row.block === block) out[i] = unsendable(column[row.at]) === null ? column[row.at] : null;
      }
    }
  }
  const isSent = subject !== null && Object.hasOwn(columns, subject);
  return { fields, columns, subject: isSent ? escapeName(subject) : null, missing, keyCheck, fromKey };
}

function asItIs(leaf: Leaf | undefined): object {
  const missing = leaf === undefined ? undefined : ruleOption(leaf.rule, 'missing');
  return { rule: 'keep', ...(missing !== undefined && { missing }) };
}

/** A rule as plain data, in which paths of other fields are names of columns. */
function wireRule(rule: Rule): object {
  const data = JSON.parse(JSON.stringify(rule)) as Record<string, unknown>;
  for (const option of ['subject', 'per']) {
    if (data[option] !== undefined) data[option] = escaped(data[option]);
  }
  return data;
}

function escaped(paths: unknown): unknown {
  if (typeof paths === 'string') return escapeName(paths);
  if (Array.isArray(paths)) return paths.map(escaped);
  return Object.fromEntries(Object.entries(paths as object).map(([name, path]) => [name, escaped(path)]));
}

function takeAnswer(rows: readonly Row[], { columns, issues }: FarAnswer): void {
  const blocks = new Set(rows.map(({ block }) => block));
  for (const block of blocks) {
    for (const { leaf, rows: places, out } of block.columns) {
      const sent = new Set(places);
      const made = columns[leaf.path];
      for (const [i, { block: own, at }] of rows.entries()) {
        if (own === block && sent.has(at)) out[at] = made?.[i];
      }
    }
  }
  for (const { row, issue } of issues) {
    const found = rows[row];
    if (found === undefined) continue;
    const { field, ...rest } = issue;
    const { columns: own } = found.block;
    // An issue of a field that was sent beside them belongs to the record, and so to any of its values.
    const column =
      own.find(({ leaf }) => escapeName(leaf.path) === field) ?? own.find(({ rows: sent }) => sent.includes(found.at));
    column?.report(found.at, rest);
  }
}
