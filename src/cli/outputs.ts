/// <reference types="node" />
/** The files that a run writes: the records, the rejects, the summary. None has its name before it is whole. */

import { resolve } from 'node:path';
import { type Issue, TrefoilError } from '../errors.ts';
import { type Output, openOutput } from '../files/file.ts';
import { refuseOwnInput, writeOut } from './stdout.ts';

/** What a run writes to. */
export interface Outputs {
  /** Writes bytes of records and waits until they are taken. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Notes a problem of a rejected row. */
  readonly reject: (issue: Issue) => void;
  /** Writes the noted problems. To be awaited now and then, so that they do not pile up. */
  readonly drain: () => Promise<void>;
  /** Gives the files their names. Rejects come first: an output that lacks rows never stands there without them. */
  readonly finish: (summary: string) => Promise<void>;
  readonly discard: () => Promise<void>;
}

/** Names of files, as the options say. */
export interface OutputNames {
  readonly out: string | undefined;
  readonly summary: string | undefined;
  readonly rejects: string | undefined;
  readonly force: boolean;
  /** Whether the records are revealed: then the file is for its owner alone. */
  readonly revealing: boolean;
  /** Files that no output may be. */
  readonly inputs: readonly string[];
}

/** Opens all files of a run, or none. Without `out`, records go to standard output. */
export async function openOutputs({ out, summary, rejects, force, revealing, inputs }: OutputNames): Promise<Outputs> {
  const open: Output[] = [];
  const names: string[] = [];
  const discard = async (): Promise<void> => {
    for (const file of open) await file.discard();
  };
  const openOne = async (name: string | undefined, mode?: number): Promise<Output | null> => {
    if (name === undefined) return null;
    if (names.includes(resolve(name))) {
      throw new TrefoilError([{ code: 'same_file', message: 'two outputs have the same name', file: name }]);
    }
    // Two names of one file, through a link, are found as an input under another name is.
    const file = await openOutput(name, {
      force,
      inputs: [...inputs, ...names],
      ...(mode === undefined ? {} : { mode }),
    });
    names.push(resolve(name));
    open.push(file);
    return file;
  };

  if (out === undefined) refuseOwnInput(inputs);
  try {
    const rejected = await openOne(rejects, 0o600);
    const records = await openOne(out, revealing ? 0o600 : undefined);
    const summed = await openOne(summary);
    let lines = '';
    const drain = async (): Promise<void> => {
      const text = lines;
      lines = '';
      if (text !== '') await rejected?.write(new TextEncoder().encode(text));
    };
    return {
      write: (chunk) => (records === null ? writeOut(chunk) : records.write(chunk)),
      reject: ({ row, line, field, code, message }) => {
        lines += `${JSON.stringify({ row, line, field, code, message })}\n`;
      },
      drain,
      async finish(text) {
        await drain();
        await rejected?.finish();
        await records?.finish();
        await summed?.write(new TextEncoder().encode(text));
        await summed?.finish();
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}
