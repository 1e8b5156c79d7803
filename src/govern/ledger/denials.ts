/**
 * Requests that were refused: counted by code and warrant, and written together, so that refusals do not flood a log.
 */

import type { DenyEntry } from '../../log/entry/kinds.ts';

/** Denials that wait to be written. */
export interface Denials {
  /** @param warrant SHA-256 of the text of the warrant of the request; counted with it only if the log has it. */
  readonly count: (code: string, warrant?: string) => void;
  /** The entries for what was counted since the last call. */
  readonly taken: () => readonly DenyEntry[];
}

/** Makes empty denials. @param isKnown whether the log has a warrant: no text of a caller reaches the log. */
export function makeDenials(isKnown: (sha256: string) => boolean): Denials {
  const counts = new Map<string, DenyEntry>();
  return {
    count(code, warrant) {
      const known = warrant !== undefined && isKnown(warrant) ? { warrant } : {};
      const name = `${code} ${known.warrant ?? ''}`;
      counts.set(name, { kind: 'deny', code, count: (counts.get(name)?.count ?? 0) + 1, ...known });
    },
    taken() {
      const entries = [...counts.values()];
      counts.clear();
      return entries;
    },
  };
}
