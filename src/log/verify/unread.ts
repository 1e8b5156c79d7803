/**
 * What cannot be read of a log. A source that fails, such as a server with an error, says nothing about the log. But
 * what the log has signed may have proven something before, and that must not be lost with it.
 */

import { type Issue, TrefoilError } from '../../errors.ts';
import { Fault } from './finding.ts';

/** Ends a part of the verification with what the source has thrown. */
export class Unread extends Error {
  override readonly cause: unknown;

  constructor(cause: unknown) {
    super('a file of the log could not be read');
    this.cause = cause;
  }

  /** Why, as an issue. What is thrown by a source of somebody else is not repeated: it may quote anything. */
  issue(): Issue {
    const { cause } = this;
    if (cause instanceof TrefoilError) return cause.issues[0]!;
    return { code: 'log_unavailable', message: 'reading the log was ended by an error of its source' };
  }
}

/** The result of some work, the finding that ended it, or what could not be read. */
export async function attempted<T>(work: Promise<T>): Promise<T | Fault | Unread> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Fault || error instanceof Unread) return error;
    throw error;
  }
}
