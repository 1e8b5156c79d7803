/** Cosignatures with the time 0, which `cosigner` does not make and others may. */

import { ed25519Signer } from '../../src/kernel/curves/ed25519.ts';
import type { Signer } from '../../src/log.ts';
import { cosignedMessage, writeTimed } from '../../src/note/cosignature.ts';
import { verifierOfPrivateKey } from '../../src/note/signer.ts';

/** A signer of cosignatures that have the time 0, with a key that `newNoteKey` made. */
export function timelessCosigner(privateKey: string): Signer {
  const { name, keyHash, text } = verifierOfPrivateKey(privateKey);
  const typed = Buffer.from(privateKey.split('+').slice(4).join('+'), 'base64');
  const key = ed25519Signer(typed.subarray(1));
  const sign = (message: Uint8Array) => writeTimed(0, key.sign(cosignedMessage(0, new TextDecoder().decode(message))));
  return { name, keyHash, verifierKey: text, sign };
}
