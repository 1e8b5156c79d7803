/// <reference types="node" />
/** Asking the witnesses of a log, for the commands that verify one. */

import { askByHttp } from '../../log/verify/witnesses.ts';
import type { AskWitness } from '../../log.ts';

/** Time limit for each witness, in milliseconds. */
const TIMEOUT = 30_000;

/**
 * Asks each witness by HTTP, and once, so that all verifications of one run compare the log with the same answers.
 *
 * @param reasons is filled with why a witness did not answer, by its name.
 */
export function askWith(reasons: Map<string, string>, signal: AbortSignal): AskWitness {
  const ask = askByHttp(undefined, TIMEOUT);
  return askOnce(async (witness, origin) => {
    signal.throwIfAborted();
    try {
      const note = await ask(witness, origin);
      if (note === null) reasons.set(witness.name, 'it has no checkpoint of this log, or serves none');
      return note;
    } catch (error) {
      reasons.set(
        witness.name,
        witness.url === null
          ? 'the policy has no address of it'
          : 'it cannot be reached, does not answer in time, or answers with an error',
      );
      throw error;
    }
  });
}

function askOnce(ask: AskWitness): AskWitness {
  const answers = new Map<string, ReturnType<AskWitness>>();
  return (witness, origin) => {
    const answer = answers.get(witness.name) ?? ask(witness, origin);
    answers.set(witness.name, answer);
    return answer;
  };
}
