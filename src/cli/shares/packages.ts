/** The packages `age-encryption` and `shamir-secret-sharing`, which only the commands for shares load. */

import type { AgePackage, ShamirPackage } from '../../custody.ts';
import { fail } from '../../errors.ts';

/** Loads the two packages. @throws TrefoilError `io_failed` if one of them is not installed. */
export async function loadPackages(): Promise<{ readonly age: AgePackage; readonly shamir: ShamirPackage }> {
  const age = (await load('age-encryption')) as AgePackage;
  return { age, shamir: (await load('shamir-secret-sharing')) as ShamirPackage };
}

async function load(name: string): Promise<unknown> {
  try {
    // A name that a bundler cannot follow, so that the command line as one file does not contain the packages.
    return await import(name);
  } catch {
    return fail('io_failed', `shares of an identity need the package ${name}: npm install ${name}`);
  }
}
