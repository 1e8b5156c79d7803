/** The version of this package, which the build inserts from package.json (tsup.config.ts, vitest.config.ts). */

declare const TREFOIL_VERSION: string;

export const packageVersion: string = TREFOIL_VERSION;
