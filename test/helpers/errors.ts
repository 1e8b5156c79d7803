/** Errors as values, so that a test can compare their code, their message and their issues. */
import { TrefoilError } from '../../src/errors.ts';

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** The `TrefoilError` that a function throws, or an error of another class. It fails if there is none. */
export function thrown(run: () => unknown): TrefoilError;
export function thrown<E extends Error>(run: () => unknown, expected: ErrorClass<E>): E;
export function thrown(run: () => unknown, expected: ErrorClass<Error> = TrefoilError): Error {
  try {
    run();
  } catch (error) {
    return checked(error, expected);
  }
  throw new Error('expected an error, but the function returned');
}

/** The code of the `TrefoilError` that a function throws. */
export function codeOf(run: () => unknown): string {
  return thrown(run).code;
}

/** The `TrefoilError` that a promise is rejected with, or an error of another class. It fails if there is none. */
export async function rejection(work: PromiseLike<unknown>): Promise<TrefoilError>;
export async function rejection<E extends Error>(work: PromiseLike<unknown>, expected: ErrorClass<E>): Promise<E>;
export async function rejection(
  work: PromiseLike<unknown>,
  expected: ErrorClass<Error> = TrefoilError,
): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return checked(error, expected);
  }
  throw new Error('expected an error, but the promise was fulfilled');
}

/** The error, if it is of the expected class. An unexpected one is thrown again, with its own stack. */
function checked(error: unknown, expected: ErrorClass<Error>): Error {
  if (error instanceof expected) return error;
  throw error;
}
