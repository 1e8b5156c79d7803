import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { thirdPartyNotices } from './tsup.notices.ts';

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string };

// One entry a public subpath (see "exports" in package.json).
const entry = Object.fromEntries(
  [
    'index',
    'errors',
    'format',
    'prepare',
    'keys',
    'reveal',
    'policy',
    'csv',
    'ndjson',
    'tsv',
    'node',
    'duckdb',
    'vault',
    'vault-contract',
    'vault-sqlite',
    'vault-postgres',
    'ff1',
    'ff3',
    'ip',
  ].map((name) => [name, `src/${name}.ts`]),
);

const shared: Options = {
  target: 'es2022',
  platform: 'neutral',
  // Without splitting, CJS entries would each carry a copy of the shared code.
  splitting: true,
  clean: false,
  external: [/^node:/, 'commander', 'yaml', 'tinypool', 'tinyglobby', '@duckdb/node-api'],
  noExternal: ['valibot'],
  dts: { entry },
  define: { TREFOIL_VERSION: JSON.stringify(version) },
  esbuildPlugins: [thirdPartyNotices],
  silent: true,
};

export default defineConfig([
  { ...shared, entry: { ...entry, cli: 'src/cli/main.ts', worker: 'src/files/worker.ts' }, format: 'esm' },
  // The command line as one file, for machines that have Node and nothing else: the executors of Spark. Workers and
  // DuckDB are files of their own and stay behind.
  {
    ...shared,
    entry: { trefoil: 'src/cli/main.ts' },
    format: 'esm',
    platform: 'node',
    splitting: false,
    dts: false,
    external: ['@duckdb/node-api'],
    noExternal: [/^(?!node:|@duckdb\/)/],
    outExtension: () => ({ js: '.mjs' }),
    // What CommonJS packages inside ask for.
    banner: {
      js: "import { createRequire as trefoilRequire } from 'node:module';\nconst require = trefoilRequire(import.meta.url);",
    },
  },
  // noble v2 is ESM only: it is bundled here, or CommonJS users on older runners break.
  {
    ...shared,
    entry,
    format: 'cjs',
    noExternal: ['valibot', /^@noble\//],
    // A syntax error in CommonJS; `__filename` is there instead.
    define: { ...shared.define, 'import.meta.url': 'undefined' },
  },
]);
