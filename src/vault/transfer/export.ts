/**
 * An export: the rows of a store as they are in it, under the same two layers, so that the lines protect as much as the
 * store does. Others may work meanwhile.
 */

import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { mapKey } from '../map-key.ts';
import type { Found, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row, Table } from '../stores/store.ts';
import { readSubjectRows } from '../subjects.ts';
import { groupOf, makeComparison } from '../upkeep/comparison.ts';
import type { BrokenRow } from '../upkeep/stores.ts';
import { rowsOf } from '../upkeep/walk.ts';
import { EXPORT, type Head, type MacOf, startParts, writeHead, writeRow } from './lines.ts';
import { isKey } from './merge.ts';

/** What an export is told. */
export interface ExportOptions {
  /**
   * Called with each row that does not verify, and is not exported therefore. Without it such a row is the error
   * `row_broken`.
   */
  readonly onBroken?: ((row: BrokenRow) => void) | undefined;
}

/** Bytes of the longest body in the table `subject`, that of a key. */
const LONGEST = 127;

/**
 * The lines of an export. What refers to another row comes behind it, so that an import that died has no value whose token
 * does not reveal, and none whose subject would be made a second time. The key of a subject is in one part with the row that
 * leads to it, so that an import can write both at once.
 *
 * @throws TrefoilError `row_broken`; `store_busy` when the keys of the store are changed meanwhile.
 */
export async function* exportStore(
  session: Session,
  { onBroken }: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  await session.refresh();
  const view = session.view();
  const { meta } = view;
  const macOf: MacOf = (id) => session.outer(id).mac;
  const { domain, store, outer, inner, subjects: key } = meta;
  const at = new Date().toISOString();
  const head: Head = { domain, store, outer, inner, subjects: key, export: randomBytes(EXPORT), at };
  const parts = startParts(head, macOf);
  const [links, subjects] = [makeComparison(), makeComparison()];

  /** The line of a row, and that of the part which it ends. */
  function* lines(table: Table, row: Row): Generator<string, void, undefined> {
    parts.add(table, row);
    yield writeRow(table, row);
    if (parts.isFull()) yield parts.write(false);
  }

  const broken = async (table: Table, row: Row) => {
    // Under keys that have come since it is none of ours to judge.
    if (await view.isOlder()) busy();
    const place = { table, index: writeHex(row.index), why: 'does not verify' } as const;
    if (onBroken === undefined) {
      fail('row_broken', `a row of the table ${table} does not verify; see trefoil vault verify, or take onBroken`);
    }
    onBroken(place);
  };

  /** Rows of subjects, and then the keys that they lead to, all in one part. */
  async function* group(leads: readonly Found[]): AsyncGenerator<string, void, undefined> {
    if (leads.length === 0) return;
    const rows = [...leads.map(({ row }) => row), ...(await keysOf(view, leads))];
    if (!parts.fits(rows.length, rows.length * LONGEST)) yield parts.write(false);
    for (const row of rows) yield* lines('subject', row);
  }

  /** The rows of `subject` for which something holds. Live keys come with the rows that lead to them alone. */
  async function* subjectLines(
    isWanted: (found: Found) => boolean,
    isBroken?: typeof broken,
  ): AsyncGenerator<string, void, undefined> {
    let leads = new Map<string, Found>();
    const fits = (more: number) => parts.fits(2 * leads.size + more, (2 * leads.size + more) * LONGEST);
    for await (const found of rowsOf(session, view, 'subject', isBroken)) {
      const { row, content } = found;
      if (isKey('subject', content) || !isWanted(found)) continue;
      const isLead = content.state === 'live';
      if (!fits(isLead ? 2 : 1)) {
        yield* group([...leads.values()]);
        leads = new Map();
      }
      if (isLead) leads.set(mapKey(content.rest), found);
      else yield* lines('subject', row);
    }
    yield* group([...leads.values()]);
  }

  yield writeHead(head, macOf);
  const note = ({ content }: Found) => {
    subjects.one(content.link);
    return true;
  };
  yield* subjectLines(note, broken);
  for (const table of ['token', 'value'] as const) {
    for await (const { row, content } of rowsOf(session, view, table, broken)) {
      if (content.state === 'live') links[table === 'value' ? 'one' : 'other'](content.link);
      yield* lines(table, row);
    }
  }
  // Values that came since the tokens were read have a token that is not in the export yet. Rows may be in it twice, so whole
  // groups of them are no harm.
  const late = links.odd();
  for await (const { row, content } of late.size === 0 ? [] : rowsOf(session, view, 'token')) {
    if (content.state === 'live' && late.has(groupOf(content.link))) yield* lines('token', row);
  }
  // A mapping is written after the rows of its subject, and a grave in one change with what it buries. So whatever the tokens
  // and values above need is in the table before this second look begins, which misses none of it; and rows that come after
  // the look has begun belong to mappings that came after the tokens and values were read, of which the export has nothing.
  for await (const { content } of rowsOf(session, view, 'subject')) {
    if (!isKey('subject', content)) subjects.other(content.link);
  }
  const more = subjects.odd();
  if (more.size > 0) yield* subjectLines(({ content }) => more.has(groupOf(content.link)));
  if (await view.isOlder()) busy();
  yield parts.write(true);
}

/** The keys that rows of subjects lead to, in the order of their indexes: it does not show which is whose. */
async function keysOf(view: View, leads: readonly Found[]): Promise<Row[]> {
  const inners = view.subjects.keyIndexesOf(leads.map(({ content }) => content.rest));
  const { found } = await readSubjectRows(view, inners);
  // A key is written before the row that leads to it: one that is not found is being moved to the first outer key.
  const again = found.includes(null) ? await readSubjectRows(view, inners) : { found };
  const rows = again.found.flatMap((one) => (one === null ? [] : [one.row]));
  return rows.sort((a, b) => (mapKey(a.index) < mapKey(b.index) ? -1 : 1));
}

function busy(): never {
  fail('store_busy', 'the keys of the vault were changed while it was exported; begin again');
}
