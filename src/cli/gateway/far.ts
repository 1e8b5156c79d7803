/// <reference types="node" />
/** Runs with `--gateway`: a policy whose keys are behind a gateway. Only these runs load what signs and verifies. */

import { readFile } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import { guard } from '../../files/system-error.ts';
import { gatewayKeys, requestSigner } from '../../gateway.ts';
import { warrantAccess } from '../../govern.ts';
import { noteSigner } from '../../log.ts';
import { type Direction, openBound } from '../../policy/bound.ts';
import type { FilePolicy } from '../../policy.ts';
import type { PolicyWithKeys } from '../bind.ts';
import { readNoteKeyFile } from '../custody/note-key.ts';
import type { Context } from '../options.ts';
import type { RunOptions } from '../run/options.ts';
import { dossierBeside, openCharterFile, readDossier, readNote } from '../warrants/files.ts';
import { gatewayFetch } from './fetch.ts';
import type { FarOptions } from './place.ts';

/** Opens the policy with the keys behind a gateway. */
export async function bindFar(
  policy: FilePolicy,
  direction: Direction,
  options: RunOptions,
  { voice }: Context,
): Promise<PolicyWithKeys> {
  const { gateway, warrant, holder, charter: charterFile, charterSha256, from } = options;
  if (policy.keyCheck === undefined) {
    fail(
      'key_check_required',
      'with a gateway, the policy must pin the keys: set keyCheck, as trefoil keys inspect prints it',
    );
  }
  const charter = await openCharterFile(charterFile!, charterSha256, voice);
  if (charter.answers === null) fail('charter_invalid', 'the charter has no line "answers"', { file: charterFile! });
  const privateKey = await readNoteKeyFile(holder!, voice);
  const { url, socket } = gateway!;
  const keys = await gatewayKeys(url, {
    domain: policy.domain!,
    keyCheck: policy.keyCheck,
    answers: charter.answers.text,
    signer: requestSigner(privateKey),
    fetch: gatewayFetch({ socket, tls: await tlsOf(options) }),
  });
  const otherFiles = [holder!, charterFile!];
  if (direction !== 'reveal') {
    const bound = await policy.open(keys, {});
    openBound(bound).demand('protect');
    return { bound, keys, keyFiles: [], otherFiles };
  }
  const note = await readNote(warrant!);
  const dossierFile = dossierBeside(warrant!);
  const dossier = await readDossier(dossierFile);
  const access = warrantAccess(note, { dossier, desk: noteSigner(privateKey) });
  const bound = await policy.open(keys, {}, access, from === undefined ? {} : { fromKey: from });
  return { bound, keys, keyFiles: [], otherFiles: [...otherFiles, warrant!, dossierFile] };
}

async function tlsOf({ tlsCert, tlsKey, tlsCa }: FarOptions) {
  const read = (path: string): Promise<Buffer> => guard(path, readFile(path), 'cannot be read');
  return {
    ...(tlsCert !== undefined && { cert: await read(tlsCert), key: await read(tlsKey!) }),
    ...(tlsCa !== undefined && { ca: await read(tlsCa) }),
  };
}
