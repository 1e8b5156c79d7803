/// <reference types="node" />
/**
 * Where the keys come from: `--keys FILE`, else the file that TREFOIL_KEYS_FILE names, else the JSON in TREFOIL_KEYS.
 * An argument never holds keys, because every user of a machine can list the arguments of its processes.
 */

import { stat } from 'node:fs/promises';
import type { Option } from 'commander';
import { NAME_PATTERN } from '../core/checks.ts';
import { TrefoilError } from '../errors.ts';
import { STDIN } from '../files/inputs/inputs.ts';
import { systemError } from '../files/system-error.ts';
import { type Keyset, keyset, type ParseOptions } from '../keys.ts';
import { UsageError } from './exit.ts';
import { checkFileName, fileOption } from './options.ts';
import { readAtMost } from './policy-file.ts';
import type { Voice } from './voice.ts';

/** Longest key file in bytes. Every keyset is much shorter; `keyset.parse` checks its own limits. */
const MAX_BYTES = 1_048_576;

/** A keyset and where it came from. */
export interface KeySource {
  readonly keyset: Keyset;
  /** Path of the key file; `null` if the keys came from TREFOIL_KEYS. */
  readonly file: string | null;
}

/** The option `--keys`, the same for every command. */
export function keysOption(): Option {
  return fileOption('--keys', 'key file (default: the path in TREFOIL_KEYS_FILE, or the JSON in TREFOIL_KEYS)');
}

/** Reads the keys. Returns `null` if neither the option nor the environment names any. */
export async function findKeys(option: string | undefined, voice: Voice): Promise<KeySource | null> {
  // An empty variable counts as unset, because scripts unset variables so.
  const file = option ?? (process.env.TREFOIL_KEYS_FILE || undefined);
  if (file !== undefined) {
    checkFileName('TREFOIL_KEYS_FILE', file);
    return { keyset: parse(await readKeyFile(file, voice), file), file };
  }
  const json = process.env.TREFOIL_KEYS || undefined;
  return json === undefined ? null : { keyset: parse(json, 'TREFOIL_KEYS'), file: null };
}

/**
 * Reads the keys.
 *
 * @throws UsageError if neither the option nor the environment names any.
 */
export async function needKeys(option: string | undefined, voice: Voice): Promise<KeySource> {
  const found = await findKeys(option, voice);
  if (found === null) {
    throw new UsageError(
      'the keys are missing',
      'use --keys FILE or set TREFOIL_KEYS_FILE; trefoil keys new --out FILE makes a key file',
    );
  }
  return found;
}

async function readKeyFile(path: string, voice: Voice): Promise<string> {
  try {
    const bytes = await readAtMost(path, MAX_BYTES);
    const { mode, isFile } = await modeOf(path);
    // Windows has no such bits, and nobody else reads a pipe.
    if (process.platform !== 'win32' && isFile && (mode & 0o077) !== 0) {
      voice.warning(`${path}: other users can read the key file; run chmod 600 on it`);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      throw new TrefoilError([{ code: 'invalid_keyset', message: 'the key file is not UTF-8', file: path }]);
    }
    throw systemError(error, 'the key file cannot be read', path);
  }
}

async function modeOf(path: string): Promise<{ mode: number; isFile: boolean }> {
  // Standard input has no permissions of its own.
  if (path === STDIN) return { mode: 0, isFile: false };
  const stats = await stat(path);
  return { mode: stats.mode, isFile: stats.isFile() };
}

/** Where this process runs, as TREFOIL_REGION says. There is no option for it, because options are copied from one place to another. */
function hereOptions(): ParseOptions {
  const region = process.env.TREFOIL_REGION || undefined;
  if (region === undefined) return {};
  if (!NAME_PATTERN.test(region)) throw new UsageError('TREFOIL_REGION expected the name of a region, such as eu');
  return { region };
}

/** Parses a keyset. Its errors name the source and never quote the content. */
function parse(json: string, file: string): Keyset {
  try {
    return keyset.parse(json, hereOptions());
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ ...issue, file })),
      error.total,
    );
  }
}
