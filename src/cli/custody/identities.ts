/// <reference types="node" />
/** What opens a sealed key file: the arguments of `--identity`, and TREFOIL_IDENTITY_FILE. */

import type { KeyWrapper } from '../../custody.ts';
import { TrefoilError } from '../../errors.ts';
import { STDIN } from '../../files/inputs/inputs.ts';
import { UsageError } from '../exit.ts';
import { type Context, checkFileName } from '../options.ts';
import type { Voice } from '../voice.ts';
import { regionOfProcess } from './region.ts';
import { readSecretFile } from './secret-file.ts';
import { isWrapper, type NamedWrapper, namedWrapper } from './wrappers.ts';

/** Longest file of identities or recipients, in bytes. A post-quantum recipient has about 2,000. */
const MAX_BYTES = 65_536;

const FROM_ENVIRONMENT = 'TREFOIL_IDENTITY_FILE';

/** Identities of age, and key wrappers. */
export interface Identities {
  readonly identities: readonly string[];
  readonly wrappers: readonly KeyWrapper[];
  /** The name of the keyset, which wrappers need. */
  readonly name: string | undefined;
  /** The region that this process declares. */
  readonly region: string | undefined;
}

/** Reads the identities that the options name, or else the environment. */
export async function readIdentities(options: readonly string[] | undefined, context: Context): Promise<Identities> {
  const fromEnvironment = process.env[FROM_ENVIRONMENT] || undefined;
  const [flag, named] =
    options === undefined
      ? [FROM_ENVIRONMENT, fromEnvironment === undefined ? [] : [checkFileName(FROM_ENVIRONMENT, fromEnvironment)]]
      : ['--identity', options];
  const identities: string[] = [];
  const wrappers: NamedWrapper[] = [];
  for (const one of named) {
    if (isWrapper(one)) wrappers.push(await namedWrapper(flag, one));
    else identities.push(...(await linesOf(one, 'the identity file', isIdentity, context.voice)));
  }
  return { identities, ...withName(flag, wrappers) };
}

/** The wrappers and the one name that all of them have. @throws UsageError if they differ. */
export function withName(flag: string, named: readonly NamedWrapper[]): Omit<Identities, 'identities'> {
  const [name, ...others] = new Set(named.map((one) => one.name));
  if (others.length > 0) throw new UsageError(`${flag} has key wrappers with different names of the keyset`);
  const wrappers = named.map(({ wrapper }) => wrapper);
  if (new Set(wrappers.map(({ uri }) => uri)).size < wrappers.length) {
    throw new UsageError(`${flag} has the same key wrapper twice`);
  }
  return { wrappers, name, region: regionOfProcess() };
}

/** Whether a line is an identity of age. A plugin's identity needs a program that is not run here. */
const isIdentity = (line: string): boolean => /^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{20,}$/.test(line);

/**
 * Reads the lines of a file of age, without comments. Each must have the right form; none is ever quoted.
 *
 * @param voice warns if other users can read the file; `null` if it is public, as recipients are.
 */
export async function linesOf(
  path: string,
  what: string,
  isRight: (line: string) => boolean,
  voice: Voice | null,
): Promise<readonly string[]> {
  if (path === STDIN) throw new UsageError(`${what} cannot be standard input`);
  const text = await readSecretFile(path, what, MAX_BYTES, voice);
  const found: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    if (!isRight(content)) {
      const message = `${what} has a line that is not one of age; a sealed identity has to be opened first`;
      throw new TrefoilError([{ code: 'key_refused', message, file: path, line: index + 1 }]);
    }
    found.push(content);
  }
  if (found.length === 0) {
    throw new TrefoilError([{ code: 'key_refused', message: `${what} is empty`, file: path }]);
  }
  return found;
}
