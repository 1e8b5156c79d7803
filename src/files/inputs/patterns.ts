/// <reference types="node" />
/**
 * Patterns in the place of inputs. The package that reads them, tinyglobby, is loaded when the first pattern is met: a
 * bundle in one CommonJS file, as for a function in the cloud, cannot load it, and most such programs never need it.
 */

import { fail } from '../../errors.ts';

/** The characters one of which every pattern has. */
const OF_PATTERNS = /[*?[({!]/;

/**
 * Returns the files that a pattern (`*`, `?`, `**`, `{a,b}`, `[0-9]`) matches, sorted by code units, so that their
 * order does not depend on the file system. Returns `null` if the text is not a pattern.
 *
 * @throws TrefoilError `io_failed` if the text may be a pattern, and tinyglobby cannot be loaded.
 */
export async function matchPattern(text: string): Promise<readonly string[] | null> {
  if (!OF_PATTERNS.test(text)) return null;
  const { glob, isDynamicPattern } = await loadTinyglobby(text);
  return isDynamicPattern(text) ? (await glob(text, { dot: false, expandDirectories: false })).sort() : null;
}

async function loadTinyglobby(file: string): Promise<typeof import('tinyglobby')> {
  try {
    return await import('tinyglobby');
  } catch {
    return fail(
      'io_failed',
      'patterns need the package tinyglobby, which cannot be loaded here: list the files one by one, or, ' +
        'in a bundle, leave tinyglobby out of the bundle and install it beside it',
      { file },
    );
  }
}
