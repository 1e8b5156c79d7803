/// <reference types="node" />
/**
 * Where the keys come from: `--keys FILE`, else the file that TREFOIL_KEYS_FILE names, else the JSON in TREFOIL_KEYS.
 * Never the value of an argument: every user of a machine can list the arguments of its processes.
 */

import { stat } from 'node:fs/promises';
import type { Option } from 'commander';
import { TrefoilError } from '../errors.ts';
import { STDIN } from '../files/inputs/inputs.ts';
import { systemError } from '../files/system-error.ts';
import { type Keyset, keyset } from '../keys.ts';
import { UsageError } from './exit.ts';
import { checkFileName, fileOption } from './options.ts';
import { readAtMost } from './policy-file.ts';
import type { Voice } from './voice.ts';

/** More than any keyset holds; `keyset.parse` has the real limit. */
const MAX_BYTES = 1_048_576;

/** A keyset and where it came from. */
export interface KeySource {
  readonly keyset: Keyset;
  /** Path of the key file, if it is a file. */
  readonly file: string | null;
}

/** The option `--keys`, the same for every command. */
export function keysOption(): Option {
  return fileOption('--keys', 'key file; else TREFOIL_KEYS_FILE (a path) or TREFOIL_KEYS (the JSON)');
}

/** Reads the keys, or gives `null` when nothing names any. */
export async function findKeys(option: string | undefined, voice: Voice): Promise<KeySource | null> {
  // An empty variable is an unset one: that is how scripts unset them.
  const file = option ?? (process.env.TREFOIL_KEYS_FILE || undefined);
  if (file !== undefined) {
    checkFileName('TREFOIL_KEYS_FILE', file);
    return { keyset: parse(await readKeyFile(file, voice), file), file };
  }
  const json = process.env.TREFOIL_KEYS || undefined;
  return json === undefined ? null : { keyset: parse(json, 'TREFOIL_KEYS'), file: null };
}

/** Reads the keys, which must be there. */
export async function needKeys(option: string | undefined, voice: Voice): Promise<KeySource> {
  const found = await findKeys(option, voice);
  if (found === null) {
    throw new UsageError(
      'no keys are given',
      'say --keys FILE, or set TREFOIL_KEYS_FILE; make a key file with trefoil keys new --out FILE',
    );
  }
  return found;
}

async function readKeyFile(path: string, voice: Voice): Promise<string> {
  try {
    const bytes = await readAtMost(path, MAX_BYTES);
    const { mode, isFile } = await modeOf(path);
    // Windows has no such bits, and a pipe has no readers but us.
    if (process.platform !== 'win32' && isFile && (mode & 0o077) !== 0) {
      voice.warning(`${path}: others can read the key file; say chmod 600 to it`);
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
  // What is piped has no permissions of its own.
  if (path === STDIN) return { mode: 0, isFile: false };
  const stats = await stat(path);
  return { mode: stats.mode, isFile: stats.isFile() };
}

/** Parses a keyset; its errors say where it came from, never what is in it. */
function parse(json: string, file: string): Keyset {
  try {
    return keyset.parse(json);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ ...issue, file })),
      error.total,
    );
  }
}
