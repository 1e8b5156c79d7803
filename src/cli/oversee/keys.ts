/// <reference types="node" />
/** Keys and policies of an overseer: files that name logs and witnesses, and the key of a witness. */

import { Option } from 'commander';
import { TrefoilError } from '../../errors.ts';
import { cosigner, type LogPolicy, parseLogPolicy, type Signer, type Verifier, verifierKey } from '../../log.ts';
import { readNoteKeyFile } from '../custody/note-key.ts';
import { UsageError } from '../exit.ts';
import { DASH } from '../outputs.ts';
import { readSmallFile } from '../policy-file.ts';
import type { Voice } from '../voice.ts';

/** Longest policy file in bytes. One with 32 logs, witnesses and groups has about 8,000. */
const MOST_POLICY_BYTES = 65_536;

/** An option that takes the verifier key of a log, which is public, and may be repeated. */
export function vkeysOption(flag: string, text: string): Option {
  return new Option(`${flag} <VKEY>`, text).argParser((value: string, previous: readonly string[] = []) => {
    if (value.startsWith('PRIVATE+KEY+')) {
      throw new UsageError(
        `${flag} expected a verifier key, got a private key`,
        'other users of this machine may have seen it; make a new one',
      );
    }
    if (algorithmOf(value, flag) !== 'ed25519') {
      throw new UsageError(
        `${flag} expected the key of a log, got one for cosignatures`,
        'that of a witness is in a policy, after the word witness',
      );
    }
    if (previous.includes(value)) throw new UsageError(`${flag} has the same key twice`, 'leave one of them out');
    return [...previous, value];
  });
}

function algorithmOf(key: string, flag: string): Verifier['algorithm'] {
  try {
    return verifierKey(key).algorithm;
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new UsageError(`${flag}: ${error.issues[0]!.message}`, 'it is one text, NAME+HASH+KEY; put it into quotes');
  }
}

/**
 * Reads a policy of logs and witnesses.
 *
 * @throws TrefoilError `log_policy_invalid` with the line; `io_failed`.
 */
export function readLogPolicy(path: string): Promise<LogPolicy> {
  return readSmallFile(path, MOST_POLICY_BYTES, 'the policy', 'log_policy_invalid', parseLogPolicy);
}

/**
 * Reads the private key of a witness.
 *
 * @throws TrefoilError `note_key_invalid`, `io_failed`.
 */
export async function readCosigner(path: string, voice: Voice): Promise<Signer> {
  const text = await readNoteKeyFile(path, voice);
  try {
    return cosigner(text);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    const file = path === DASH ? 'standard input' : path;
    throw new TrefoilError(error.issues.map((issue) => ({ ...issue, file })));
  }
}
