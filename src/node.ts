/**
 * Files (`trefoil/node`): from one file to another, in flat memory, with an output that is whole or not there.
 */

import { type FileOptions, type FileResult, runFile } from './files/run.ts';
import type { CanProtect, CanReveal } from './io/stream.ts';

export type { CsvOptions } from './io/csv.ts';
export type { FileFormat, FileOptions, FileResult } from './files/run.ts';
export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanProtect, CanReveal } from './io/stream.ts';

/**
 * Protects a file of records. The output is written under a hidden name beside its own and renamed when it is whole;
 * after an error or an abort nothing of it is left.
 *
 * `input` is a path, or `-` for standard input. Both files have one format, which the input's name tells (`.csv`,
 * `.ndjson`, `.jsonl`) or `format`. Records are at most 1 MiB unless `maxRecord` says otherwise. A device or a pipe as
 * output is written directly.
 *
 * @throws TypeError, RangeError for wrong arguments.
 * @throws TrefoilError what {@link protectCsv} and {@link protectNdjson} throw; `output_exists` without `force`,
 * `same_file` if input and output are one file, also behind links; `no_space`, `output_closed`, `io_failed`.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { drop, keep, keyset, policy } from 'trefoil';
 * import { protectFile } from 'trefoil/node';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * await writeFile(`${folder}/people.csv`, 'country,notes\nDE,called\n');
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu-enclave'));
 * const { rowsIn } = await protectFile(`${folder}/people.csv`, `${folder}/people.safe.csv`, bound);
 * rowsIn; // → 1
 * await readFile(`${folder}/people.safe.csv`, 'utf8'); // → 'country\nDE\n'
 * ```
 */
export function protectFile(
  input: string,
  output: string,
  bound: CanProtect,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFile('protect', input, output, bound, options);
}

/**
 * Turns a file of protected records back. See {@link protectFile}.
 *
 * @throws as {@link protectFile} does, and `reveal_access_required`, `key_check_required` and other codes of keys
 * before anything is read.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keyset, policy, seal } from 'trefoil';
 * import { protectFile, revealFile } from 'trefoil/node';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * await writeFile(`${folder}/people.jsonl`, '{"name":"Zoë Müller"}\n');
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 * await protectFile(`${folder}/people.jsonl`, `${folder}/safe.jsonl`, people.bind(keys));
 * await revealFile(`${folder}/safe.jsonl`, `${folder}/back.jsonl`, people.bind(keys, revealAccess));
 * await readFile(`${folder}/back.jsonl`, 'utf8'); // → '{"name":"Zoë Müller"}\n'
 * ```
 */
export function revealFile(
  input: string,
  output: string,
  bound: CanReveal,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFile('reveal', input, output, bound, options);
}
