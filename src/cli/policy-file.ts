/// <reference types="node" />
/** Reads policy files from the disk and reports all their problems at once. */

import { open } from 'node:fs/promises';
import type { Option } from 'commander';
import { type Issue, type IssueCode, TrefoilError } from '../errors.ts';
import { STDIN } from '../files/inputs/inputs.ts';
import { systemError } from '../files/system-error.ts';
import { acrossFiles } from '../policy/check.ts';
import { readPolicy } from '../policy/file/parse.ts';
import { type FilePolicy, parsePolicy } from '../policy.ts';
import { fileOption } from './options.ts';
import { type PolicyText, readPolicyText } from './policy-text.ts';

/** Longest policy file in bytes. */
export const MAX_POLICY_BYTES = 1_048_576;

/** The option `--policy` of the commands that take one policy. */
export function policyOption(): Option {
  return fileOption('--policy', 'policy file, YAML or JSON (required)');
}

/**
 * Reads a policy file. The problems in its text are part of the result.
 *
 * @throws TrefoilError if the file cannot be read, is too large or is not UTF-8.
 */
export async function readPolicyFile(path: string): Promise<PolicyText> {
  let bytes: Uint8Array;
  try {
    bytes = await readAtMost(path, MAX_POLICY_BYTES);
  } catch (error) {
    throw systemError(error, 'the policy file cannot be read', path);
  }
  if (bytes.length > MAX_POLICY_BYTES) {
    throw new TrefoilError([{ code: 'invalid_yaml', message: 'the policy file is larger than 1 MiB', file: path }]);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TrefoilError([{ code: 'invalid_yaml', message: 'the policy file is not UTF-8', file: path }]);
  }
  return readPolicyText(text, path);
}

/** All problems of a policy file, in its text, its form and its meaning, each with its place. */
export function problemsOf(read: PolicyText): readonly Issue[] {
  if (!read.whole) return read.issues;
  const taken = new Set(read.issues.map(({ line, column }) => `${line}:${column}`));
  // Not `check`, which takes a list for several policies: a file is one policy, whatever it contains.
  const meaning = readPolicy(read.value, read.locate)
    .issues // If the form is wrong at a place, the value there is not the one that the author wrote.
    .filter(({ line, column }) => !taken.has(`${line}:${column}`))
    .map((issue) => (issue.code === 'unknown_option' ? { ...issue, ...read.keyOf(issue) } : issue));
  return [...read.issues, ...meaning].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** Reads a policy file and makes the policy, or throws one error with all its problems. */
export async function loadPolicy(path: string): Promise<{ readonly policy: FilePolicy; readonly read: PolicyText }> {
  const read = await readPolicyFile(path);
  const problems = problemsOf(read);
  if (problems.length > 0) throw new TrefoilError(problems);
  return { policy: parsePolicy(read.value, read.locate), read };
}

/** Reads policy files that are used together, or throws one error with the problems of each or those between them. */
export async function loadPolicies(
  paths: readonly string[],
): Promise<readonly { readonly policy: FilePolicy; readonly read: PolicyText }[]> {
  const reads: PolicyText[] = [];
  for (const path of paths) reads.push(await readPolicyFile(path));
  const issues = reads.flatMap(problemsOf);
  if (issues.length > 0) throw new TrefoilError(issues);
  const loaded = reads.map((read) => ({ policy: parsePolicy(read.value, read.locate), read }));
  const between = acrossFiles(
    loaded.map(({ policy }, i) => ({ sheet: policy, i })),
    paths,
    reads.map(({ locate }) => locate),
  );
  if (between.length > 0) throw new TrefoilError(between);
  return loaded;
}

/**
 * Reads a small file of UTF-8 with `read`, whose errors then name the file.
 *
 * @param what the file in words, such as "the report".
 * @param code of the error for a file that is longer or not UTF-8.
 */
export async function readSmallFile<T>(
  path: string,
  limit: number,
  what: string,
  code: IssueCode,
  read: (text: string) => T,
): Promise<T> {
  const refuse = (message: string) => new TrefoilError([{ code, message, file: path }]);
  let bytes: Uint8Array;
  try {
    bytes = await readAtMost(path, limit);
  } catch (error) {
    throw systemError(error, `${what} cannot be read`, path);
  }
  if (bytes.length > limit) throw refuse(`${what} is longer than ${limit} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(`${what} is not UTF-8`);
  }
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ ...issue, file: path })),
      error.total,
    );
  }
}

/** The first `limit` bytes of a file, and one more if the file is longer. It may be a pipe, as in `--policy <(…)`. */
export async function readAtMost(path: string, limit: number): Promise<Uint8Array> {
  if (path === STDIN) return stdinAtMost(limit);
  const handle = await open(path, 'r');
  try {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= limit) {
      const part = Buffer.alloc(Math.min(65_536, limit + 1 - length));
      const { bytesRead } = await handle.read(part, 0, part.length, null);
      if (bytesRead === 0) break;
      parts.push(part.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(parts);
  } finally {
    await handle.close();
  }
}

/** The same for standard input, which may be a socket and then has no path. */
async function stdinAtMost(limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    parts.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length > limit) break;
  }
  return Buffer.concat(parts).subarray(0, limit + 1);
}
