/** The package `age-encryption`, which only those runs load whose key file is sealed. */

import type { AgeModule } from '../../custody.ts';
import { fail } from '../../errors.ts';

/** Loads the package. @throws TrefoilError `io_failed` if it is not installed. */
export async function loadAge(): Promise<AgeModule> {
  const name = 'age-encryption';
  try {
    return (await import(name)) as AgeModule;
  } catch {
    return fail('io_failed', 'a sealed key file needs the package age-encryption: npm install age-encryption');
  }
}
