/** The access that a warrant gives: a capability that carries the papers, hidden as keys are. */

import { papersOf, type WarrantAccess, warrantCapability } from '../../core/capability.ts';
import { badType, checkOptions, typeName } from '../../core/checks.ts';
import type { Signer } from '../../note/signer.ts';

/** What belongs to a warrant. */
export interface WarrantPapers {
  /** The file of the dossier, as text or bytes. */
  readonly dossier: string | Uint8Array;
  /** Signs each use: the key of the desk that the warrant names, as `noteSigner` of `trefoil/log` makes it. */
  readonly desk: Signer;
}

/** The papers as they were when the access was made. */
interface Papers extends WarrantPapers {
  readonly note: string | Uint8Array;
}

/**
 * Makes the access that a warrant gives. Pass it to `policy.open` in the place of `revealAccess`, with governed keys.
 * Nothing is verified here: that is done when the policy is opened, and once more with every batch.
 *
 * No property, `JSON.stringify` or `util.inspect` shows the papers. Anyone who holds the access can use the warrant.
 *
 * @param note the warrant with its signatures, as text or bytes.
 * @throws TypeError for papers of a wrong type.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner } from 'trefoil/log';
 * import { warrantAccess } from 'trefoil/govern';
 *
 * const desk = noteSigner(newNoteKey('desk.example').privateKey);
 * const access = warrantAccess('trefoil warrant v1\n…', { dossier: '{"trefoil":"dossier v1",…}', desk });
 * JSON.stringify(access); // → '{}'
 * ```
 */
export function warrantAccess(note: string | Uint8Array, papers: WarrantPapers): WarrantAccess {
  const { dossier, desk } = checkOptions<WarrantPapers>('papers', papers, ['dossier', 'desk']);
  const copies = { note: copyOf('note', note), dossier: copyOf('dossier', dossier), desk: checkSigner(desk) };
  return warrantCapability(() => copies);
}

/** The papers of an access. */
export function readPapers(access: WarrantAccess): Papers {
  const papers = papersOf(access) as Papers | undefined;
  return papers ?? badType('access', 'expected what warrantAccess of trefoil/govern returns');
}

/** A copy, because what is verified has to be what is used, whatever the caller does with its bytes meanwhile. */
function copyOf(argument: string, value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return value.slice();
  return badType(argument, `expected text or bytes, got ${typeName(value)}`);
}

function checkSigner(desk: unknown): Signer {
  const { name, verifierKey, sign } = Object(desk) as Partial<Signer>;
  if (typeof name !== 'string' || typeof verifierKey !== 'string' || typeof sign !== 'function') {
    badType('desk', `expected a signer, as noteSigner of trefoil/log makes it, got ${typeName(desk)}`);
  }
  return desk as Signer;
}
