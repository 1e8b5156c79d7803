/**
 * Which charter is the newest (docs/spec/govern/charter-v1.md, "Succession"): the first is known by its digest, and
 * each version is signed by keepers of the one before, and by its own. So nobody who has lost the trust of one version
 * can write the next.
 */

import { checkOptions } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { PartyKey } from '../officers/party-key.ts';
import { signaturesOf } from '../officers/signatures.ts';
import type { Charter } from './charter.ts';
import { areMet } from './demands.ts';
import { checkIsCharter, invalid, parseCharter } from './parse.ts';
import { lineOf } from './spots.ts';

/** Options of {@link openCharter}: exactly one of the two. */
export interface OpenCharterOptions {
  /** SHA-256 of the text of the charter: 64 hexadecimal digits, as `Charter.sha256` has them. */
  readonly sha256?: string;
  /** The version before, which was opened itself. */
  readonly previous?: Charter;
}

/**
 * Opens a charter: reads it, and verifies that it is the one that is pinned, or that it follows the version before.
 *
 * Its signatures must satisfy its own line `change`, counted over its own keepers. With `previous`, they must also
 * satisfy the line `change` of that version, counted over its keepers with the keys that they have in it. A signature
 * by a known key that does not verify refuses the whole note, even if the others suffice.
 *
 * @param note the note: the text, an empty line, and the signatures; at most 32,768 bytes.
 * @param options what it is opened by: `sha256` or `previous`.
 * @throws TrefoilError `charter_invalid` with the line; `charter_outdated` if a version is missing between the two, or
 *   if the charter is not newer; `charter_unsigned` if keepers are missing; `signature_invalid`,
 *   `ssh_signature_invalid` and `note_invalid`.
 * @throws TypeError, RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { openCharter, parseCharter } from 'trefoil/govern';
 * import { newNoteKey, noteSigner, signNote } from 'trefoil/log';
 *
 * const eva = newNoteKey('eva.example');
 * const text =
 *   'trefoil charter v1\nversion 1\ndomain eu-enclave\n' +
 *   `log ${newNoteKey('log.example').verifierKey}\nquorum none\n` +
 *   `officer eva keeper note ${eva.verifierKey}\nchange 1:keeper\n`;
 * const note = await signNote(text, [noteSigner(eva.privateKey)]);
 * const { sha256 } = parseCharter(text); // pinned in the configuration
 * openCharter(note, { sha256 }).version; // → 1
 * ```
 */
export function openCharter(note: string | Uint8Array, options: OpenCharterOptions): Charter {
  const { sha256, previous } = checkedOptions(options);
  const charter = parseCharter(note);
  if (sha256 !== null && charter.sha256 !== sha256) {
    invalid('the charter is not the one that is pinned: its text has another SHA-256');
  }
  if (previous !== null) checkFollows(charter, previous);
  if (charter.text.length === note.length) fail('charter_unsigned', 'the charter has no signatures');
  if (previous !== null) {
    const missing = missingKeepers(note, previous);
    if (missing > 0) unsigned(missing, previous, 'the version before');
  }
  const missing = missingKeepers(note, charter);
  if (missing > 0) unsigned(missing, charter, 'this version');
  return charter;
}

function checkedOptions(options: OpenCharterOptions): {
  readonly sha256: string | null;
  readonly previous: Charter | null;
} {
  const { sha256, previous } = checkOptions<OpenCharterOptions>('options', options, ['sha256', 'previous']);
  if ((sha256 === undefined) === (previous === undefined)) {
    throw new TypeError('"options" expected sha256 or previous, and not both');
  }
  if (previous !== undefined) return { sha256: null, previous: checkIsCharter('previous', previous) };
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new RangeError('"sha256" expected 64 hexadecimal digits in lower case');
  }
  return { sha256, previous: null };
}

/**
 * Checks that a charter is the next version of another one. Signatures are not looked at.
 *
 * @throws TrefoilError `charter_outdated`, `charter_invalid`.
 */
export function checkFollows(charter: Charter, previous: Charter): void {
  if (charter.domain !== previous.domain)
    invalid('the domain is not that of the version before', lineOf(charter, 'domain') ?? undefined);
  if (charter.version <= previous.version) {
    fail('charter_outdated', 'the charter is not newer than the version that is known', {
      line: 2,
      expected: previous.version + 1,
      actual: charter.version,
    });
  }
  if (charter.version > previous.version + 1) {
    fail('charter_outdated', 'versions between the known one and this charter are missing; open each of them in turn', {
      line: 2,
      expected: previous.version + 1,
      actual: charter.version,
    });
  }
  if (charter.previous !== previous.sha256) {
    invalid(
      'the charter follows another text than the version that is known',
      lineOf(charter, 'previous') ?? undefined,
    );
  }
}

/** The keepers of a charter and their keys. */
export function keepersOf({ officers }: Charter): ReadonlyMap<string, readonly PartyKey[]> {
  const keepers = [...officers.values()].filter(({ roles }) => roles.includes('keeper'));
  return new Map(keepers.map(({ handle, keys }) => [handle, keys]));
}

/**
 * The keepers of a charter who have signed a note, in the order of that charter.
 *
 * @throws TrefoilError `signature_invalid`, `ssh_signature_invalid`, `note_invalid`. Every officer of the charter is
 *   known, so the broken signature of one who is no keeper refuses the note as well.
 */
export function signersOf(note: string | Uint8Array, charter: Charter): readonly string[] {
  const { officers } = charter;
  const parties = new Map([...officers].map(([handle, { keys }]) => [handle, keys]));
  const { by } = signaturesOf(note, parties, 'charter@trefoil');
  return [...keepersOf(charter).keys()].filter((handle) => by.has(handle));
}

/** How many keepers have to sign yet. */
export function missingKeepers(note: string | Uint8Array, charter: Charter): number {
  const signers = signersOf(note, charter).map((handle) => charter.officers.get(handle)!);
  return areMet(charter.change, signers) ? 0 : charter.change[0]!.count - signers.length;
}

function unsigned(missing: number, { change, version }: Charter, which: string): never {
  const needed = change[0]!.count;
  return fail(
    'charter_unsigned',
    `keepers of ${which} have to sign, and too few have: ${missing} more of version ${version}`,
    {
      expected: needed,
      actual: needed - missing,
    },
  );
}
