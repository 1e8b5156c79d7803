/** The version of this package, put in by the build (tsup.config.ts, vitest.config.ts) from package.json. */

declare const TREFOIL_VERSION: string;

export const packageVersion: string = TREFOIL_VERSION;
