/** What a refused request is answered with: a status, a code, and words without anything of the request. */

import { isArgumentError } from '../../core/checks.ts';
import { type IssueCode, kindOf, TrefoilError } from '../../errors.ts';

/** A refusal with a status of its own. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: IssueCode,
    message: string,
  ) {
    super(message);
  }
}

/** A refusal as it is answered. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const STATUS: Readonly<Partial<Record<IssueCode, number>>> = {
  request_invalid: 400,
  request_unsigned: 401,
  request_expired: 401,
  request_replayed: 409,
  id_taken: 409,
  charter_outdated: 409,
  rate_spent: 429,
  glass_spent: 429,
  budget_spent: 429,
  clock_jumped: 503,
  witness_missing: 503,
};

/** Finds out what an error is answered with. Errors of the library's own, and of the system, say nothing. */
export function refusedBy(error: unknown): Refused {
  if (error instanceof Refusal) return { status: error.status, code: error.code, message: error.message };
  if (isArgumentError(error)) {
    return { status: 400, code: 'request_invalid', message: 'something in the request does not fit' };
  }
  if (!(error instanceof TrefoilError)) return { status: 500, code: 'internal', message: 'the gateway has a fault' };
  const { code } = error;
  const kind = kindOf(code);
  const status = STATUS[code];
  if (kind === 'refused') return { status: status ?? 403, code, message: error.issues[0]!.message };
  if (kind === 'io') {
    return { status: status ?? 503, code, message: 'the gateway cannot work now; its operator can see why' };
  }
  // Errors of policies and data name fields and options, which are of the request.
  return { status: status ?? 400, code, message: 'the policy or the values of the request are not accepted' };
}
