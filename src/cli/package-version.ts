/// <reference types="node" />
/** The version of this package, as it stands in package.json. */

import { readFileSync } from 'node:fs';

/** Read and not compiled in, so that there is one place to change. The bundle lies in `dist/`, the source deeper. */
export function packageVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'trefoil' && found.version !== undefined) return found.version;
    } catch {
      // Not here.
    }
  }
  return 'unknown';
}
