/**
 * Files (`trefoil/node`): protects and reveals whole files, in flat memory, in one thread or several. An output exists
 * only if it is complete.
 */

import type { RevealAccess } from '../core/capability.ts';
import type { CanMove, CanProtect, CanReveal } from '../io/stream.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import { moveDirection } from '../policy/bound.ts';
import type { FileOptions, FileResult } from './plan.ts';
import { type Rejects, readRejects } from './rejects.ts';
import { runFile, runFiles } from './units.ts';

/**
 * Protects a file of records, or several files into one output. The output is written under a hidden name in the same
 * folder and renamed when it is complete. After an error or an abort it is removed, unless `resume` is set.
 *
 * `input` is a path, a pattern (`logs/*.csv.gz`), a list of them, or `-` for standard input. All files have the same
 * file format, which follows from the inputs' names (`.csv`, `.ndjson`, `.jsonl`) or from `format`. Files with the
 * extension `.gz` or `.zst` are decompressed and compressed. The option `encoding` says what the inputs are, if not
 * UTF-8 or UTF-16 with a byte order mark; the output is UTF-8. An input without records gives an output without
 * records, unless it is a table whose columns nobody has named: neither `header` nor another input. Several CSV files
 * must have the same header, which is written once. Records are at most 1 MiB unless `maxRecord` sets another limit.
 * If the output is a device or a pipe, it is written directly.
 *
 * With `workers` that many threads do the work; the output is the same. With `resume` the run keeps a manifest beside
 * the output (`<output>.resume.json`), and after an interruption the same call continues where the run stopped. With
 * `rejects` a record with an issue is sealed into that file and left out of the output (docs/spec/rejects-v1.md), and
 * `issues` of the result counts the reasons.
 *
 * @throws TypeError, RangeError for wrong arguments.
 * @throws TrefoilError as {@link protectCsv} and {@link protectNdjson} do; `output_exists` without `force`; `same_file`
 * if input and output are one file, even through links; `no_space`, `output_closed`, `io_failed`; `bad_compression`,
 * `header_mismatch`, `too_many_rejects`, `worker_failed`, `resume_refused`.
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
  input: string | readonly string[],
  output: string,
  bound: CanProtect,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFile('protect', input, output, bound, options);
}

/**
 * Reveals a file of protected records, or several files into one output. See {@link protectFile}.
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
  input: string | readonly string[],
  output: string,
  bound: CanReveal,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFile('reveal', input, output, bound, options);
}

/**
 * Protects files into a folder, each under its own name. The folder is created if it does not exist. The outputs get
 * their names when all of them are complete. Row and line of an issue are those in the file that the issue names.
 *
 * @throws as {@link protectFile} does; `same_file` if two inputs have the same name.
 *
 * @example
 * ```ts
 * import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { drop, keep, keyset, policy } from 'trefoil';
 * import { protectFiles } from 'trefoil/node';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * for (const day of ['mon', 'tue']) await writeFile(`${folder}/${day}.csv`, 'country,notes\nDE,called\n');
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu-enclave'));
 * await protectFiles([`${folder}/*.csv`], `${folder}/safe`, bound);
 * (await readdir(`${folder}/safe`)).sort(); // → ['mon.csv', 'tue.csv']
 * ```
 */
export function protectFiles(
  inputs: readonly string[],
  folder: string,
  bound: CanProtect,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFiles('protect', inputs, folder, bound, options);
}

/**
 * Reveals files of protected records into a folder. See {@link protectFiles}.
 *
 * @throws as {@link revealFile} does.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keyset, policy, seal } from 'trefoil';
 * import { protectFiles, revealFiles } from 'trefoil/node';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * await writeFile(`${folder}/people.csv`, 'name\nZoë Müller\n');
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 * await protectFiles([`${folder}/*.csv`], `${folder}/safe`, people.bind(keys));
 * await revealFiles([`${folder}/safe/*.csv`], `${folder}/back`, people.bind(keys, revealAccess));
 * await readFile(`${folder}/back/people.csv`, 'utf8'); // → 'name\nZoë Müller\n'
 * ```
 */
export function revealFiles(
  inputs: readonly string[],
  folder: string,
  bound: CanReveal,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFiles('reveal', inputs, folder, bound, options);
}

/**
 * Moves a file of protected records, or several files into one output, to another key: to the primary key of its
 * domain, or to the domain of a recipient. See {@link protectFile} for files and options, and `rekey` and `project` of
 * `trefoil/policy` for what is moved. With `rejects`, a record that cannot be moved is sealed into that file.
 *
 * @param moving what `rekey` or `project` returns.
 * @throws as {@link protectFile} does.
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { protectFile, rekeyFile } from 'trefoil/node';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * await writeFile(`${folder}/people.csv`, 'name\nAda\n');
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 * await protectFile(`${folder}/people.csv`, `${folder}/old.csv`, people.bind(both.domain('eu-enclave')));
 * await rekeyFile(`${folder}/old.csv`, `${folder}/new.csv`, rekey(people, { from: now, to: now }, revealAccess));
 * (await readFile(`${folder}/new.csv`, 'utf8')).includes(now.keyId); // → true
 * ```
 */
export function rekeyFile(
  input: string | readonly string[],
  output: string,
  moving: CanMove,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFile(moveDirection(moving), input, output, moving, options);
}

/**
 * Moves files of protected records into a folder, to another key. See {@link rekeyFile} and {@link protectFiles}.
 *
 * @throws as {@link rekeyFile} does.
 *
 * @example
 * ```ts
 * import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { keep, keyset, policy } from 'trefoil';
 * import { rekeyFiles } from 'trefoil/node';
 * import { rekey } from 'trefoil/policy';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * for (const day of ['mon', 'tue']) await writeFile(`${folder}/${day}.csv`, 'country\nDE\n');
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * await rekeyFiles([`${folder}/*.csv`], `${folder}/new`, rekey(policy({ country: keep }), { from: keys, to: keys }));
 * (await readdir(`${folder}/new`)).sort(); // → ['mon.csv', 'tue.csv']
 * ```
 */
export function rekeyFiles(
  inputs: readonly string[],
  folder: string,
  moving: CanMove,
  options: FileOptions = {},
): Promise<FileResult> {
  return runFiles(moveDirection(moving), inputs, folder, moving, options);
}

/**
 * Opens a file of rejects. It returns the records that a run with `rejects` left out, as they were in the input, with
 * the place and the issues of each, and how its input was written (`table`): a run may have inputs with different
 * columns. The records are personal data in clear.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws TrefoilError `reveal_access_required`, `wrong_domain`, `unknown_key`; `not_rejects` if the file is not a file
 * of rejects; `reveal_failed` if a record was changed or moved; `io_failed`. The last three also while records are
 * read.
 * @see docs/spec/rejects-v1.md
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { coarsen, keyset, policy } from 'trefoil';
 * import { openRejects, protectFile } from 'trefoil/node';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const folder = await mkdtemp(`${tmpdir()}/trefoil-`);
 * await writeFile(`${folder}/people.csv`, 'born\n1815-12-10\nlast spring\n');
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const bound = policy({ born: coarsen({ date: 'year' }) }).bind(keys);
 * await protectFile(`${folder}/people.csv`, `${folder}/safe.csv`, bound, { rejects: `${folder}/rejects.ndjson` });
 *
 * const { records } = await openRejects(`${folder}/rejects.ndjson`, keys, revealAccess);
 * for await (const { row, issues, record } of records) {
 *   [row, issues[0]?.code, record]; // → [2, 'not_a_date', 'last spring']
 * }
 * ```
 */
export function openRejects(path: string, keys: DomainKeys, access: RevealAccess): Promise<Rejects> {
  return readRejects(path, () => keys, access);
}
