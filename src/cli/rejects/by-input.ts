/// <reference types="node" />
/**
 * Where opened records are written: all to one output, if their inputs have one header line, or those of each input to
 * a file of its own. A record is never written under the header line of another input.
 */

import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fail } from '../../errors.ts';
import { compressionOfName } from '../../files/inputs/compression.ts';
import { type Output, openOutput } from '../../files/outputs/output-file.ts';
import type { Reject, RejectsTable } from '../../files/rejects.ts';
import { systemError } from '../../files/system-error.ts';
import { headerOf, isSameTable } from './tables.ts';

/** Writes opened records. */
export interface RejectsWriter {
  readonly write: (reject: Reject) => Promise<void>;
  /** Completes all files and gives them their names. */
  readonly finish: () => Promise<void>;
  /** Removes all files. It never throws. */
  readonly discard: () => Promise<void>;
  /** What was written, with the files that have the records: names without a folder, none for a single output. */
  readonly tables: () => readonly WrittenTable[];
}

/** A table of which records were written. */
export interface WrittenTable {
  readonly table: RejectsTable;
  readonly file: string | null;
}

/**
 * Writes all records to one output, under the header line of their input.
 *
 * @throws TrefoilError `header_mismatch`, `delimiter_mismatch`, from `write`, for a record of an input that has other
 * columns or another delimiter than the first record.
 */
export async function intoOneOutput(output: Output, first: RejectsTable): Promise<RejectsWriter> {
  const encoder = new TextEncoder();
  let current: RejectsTable | null = null;
  const begin = (table: RejectsTable): Promise<void> => {
    current = table;
    return output.write(encoder.encode(headerOf(table)));
  };
  return {
    async write({ table, record, file }) {
      if (current === null) await begin(table);
      else if (current !== table && !isSameTable(current, table)) refuseOther(current, table, file);
      if (record !== null) await output.write(encoder.encode(record + table.newline));
    },
    async finish() {
      // Without records the output has the header line of the first input.
      if (current === null) await begin(first);
      await output.finish();
    },
    discard: () => output.discard(),
    tables: () => [{ table: current ?? first, file: null }],
  };
}

function refuseOther(first: RejectsTable, other: RejectsTable, file: string | undefined): never {
  const isDelimiter = first.delimiter !== other.delimiter;
  const what = isDelimiter ? 'another delimiter' : 'other columns, or another order of columns,';
  return fail(
    isDelimiter ? 'delimiter_mismatch' : 'header_mismatch',
    `the input of this rejected record has ${what} than that of the first; with --out-dir DIR the records of each ` +
      'input get a file of their own',
    file === undefined ? {} : { file },
  );
}

/**
 * Writes the records of each input to a file in a folder, under the name of the input without that of a compression.
 * The folder is created if it does not exist. Only the owner can read the files.
 *
 * @param others files that must not be replaced.
 * @throws TrefoilError `same_file` if two inputs have the same name; `not_rejects` if the file of rejects does not name
 * the input, or not one after the other; and all that writing a file throws.
 */
export async function intoFolderByInput(
  folder: string,
  force: boolean,
  others: readonly string[],
): Promise<RejectsWriter> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw systemError(error, 'cannot be made', folder);
  }
  const encoder = new TextEncoder();
  const files = new Map<string, Written>();
  let current: Written | null = null;

  async function fileOf({ file, input, table }: Reject): Promise<Written> {
    if (current?.input === input) return current;
    await current?.output.close();
    const name = nameOf(file);
    const before = files.get(name);
    if (before !== undefined) refuseTwice(name, before.input === input);
    // The input itself may be in the folder, and `force` must not replace it.
    const output = await openOutput(join(folder, name), { force, inputs: [...others, file!], mode: 0o600 });
    current = { input, table, output };
    files.set(name, current);
    await output.write(encoder.encode(headerOf(table)));
    return current;
  }

  return {
    async write(reject) {
      const { output } = await fileOf(reject);
      if (reject.record !== null) await output.write(encoder.encode(reject.record + reject.table.newline));
    },
    async finish() {
      for (const { output } of files.values()) await output.finish();
    },
    async discard() {
      for (const { output } of files.values()) await output.discard();
    },
    tables: () => [...files].map(([file, { table }]) => ({ table, file })),
  };
}

/** The file of an input. */
interface Written {
  readonly input: number;
  readonly table: RejectsTable;
  readonly output: Output;
}

/** The name of the file for an input. The name of the input is not sealed, so it may be anything. */
function nameOf(file: string | undefined): string {
  if (file === undefined) {
    return fail('not_rejects', 'the run had one input, whose name is not in the file of rejects; use --out FILE');
  }
  const name = basename(compressionOfName(file).bare);
  if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
    return fail('not_rejects', 'the name of an input in the file of rejects is not the name of a file');
  }
  return name;
}

function refuseTwice(name: string, isSameInput: boolean): never {
  if (isSameInput) {
    return fail('not_rejects', 'the records of the inputs are not in the order of the run; use the file as it was');
  }
  const message =
    'two inputs would get this name in the folder; write their records with --json, which names the input';
  return fail('same_file', message, { file: name });
}
