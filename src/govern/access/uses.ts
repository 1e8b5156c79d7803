/**
 * What keeps the uses of warrants: the charter in force, budgets, and the log. A place decides whether something is
 * within a warrant, and asks these whether it may be done now.
 */

import type { Outcome } from '../../keys/place.ts';
import type { Charter } from '../charter/charter.ts';
import type { VerifiedWarrant } from '../warrant/verify.ts';

/** A use that a desk asks for. */
export interface UseRequest {
  /** SHA-256 of the text of the warrant. */
  readonly warrant: string;
  /** How many values of each scope, at least one. */
  readonly scopes: Readonly<Record<string, number>>;
  /** The pseudonyms of the people, each once, at most 1,000. None for a warrant about whole tables. */
  readonly people: readonly string[];
  /** Whether a value of anybody else would be found out. If not, the people are the requester's word. */
  readonly bound: boolean;
  /** SHA-256 of the text that the desk has signed, 64 hexadecimal digits. */
  readonly request: string;
  /** What the entry commits to and does not show. */
  readonly details: object;
}

/** A use that is in the log. */
export interface NotedUse {
  readonly done: (outcome: Outcome) => Promise<void>;
}

/** What keeps uses. */
export interface Uses {
  /** The newest charter of the log. */
  readonly charter: () => Charter;
  /**
   * Writes a warrant, if the log does not have it.
   *
   * @throws TrefoilError `id_taken`, `charter_outdated`, `warrant_refused`, and the codes of the log.
   */
  readonly admit: (verified: VerifiedWarrant) => Promise<void>;
  /**
   * Decides a use in one step, writes it, and returns when it may begin: after the flush, and after the cosignatures if
   * the purpose says so.
   *
   * @throws TrefoilError `budget_spent`, `rate_spent`, `warrant_refused`, `warrant_expired`, `charter_outdated`,
   *   `clock_jumped`, `glass_spent`, `glass_unratified`, and the codes of the log and of witnesses.
   */
  readonly use: (request: UseRequest) => Promise<NotedUse>;
  /** Counts a request that was refused before it could be a use. */
  readonly deny: (code: string, warrant?: string) => void;
}
