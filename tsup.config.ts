import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { thirdPartyNotices } from './tsup.notices.ts';
import { writeVectors } from './tsup.vectors.ts';

const { version, exports } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string;
  exports: Readonly<Record<string, unknown>>;
};

// One entry for each public subpath. An export that is a text is a file as it is, and no module is built for it.
const entry = Object.fromEntries(
  Object.entries(exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([subpath]) => (subpath === '.' ? 'index' : subpath.slice(2)))
    .map((name) => [name, `src/${name}.ts`]),
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
  {
    ...shared,
    entry: { ...entry, cli: 'src/cli/main.ts', worker: 'src/files/worker.ts' },
    format: 'esm',
    onSuccess: async () => writeVectors(),
  },
  // The command line as one file, for machines that have only Node, such as the executors of Spark. It does not include
  // workers and DuckDB, which need files of their own.
  {
    ...shared,
    entry: { trefoil: 'src/cli/main.ts' },
    format: 'esm',
    platform: 'node',
    splitting: false,
    dts: false,
    // Tinypool starts threads from files beside its own. Where the package is, it is found there.
    external: ['@duckdb/node-api', 'tinypool'],
    noExternal: [/^(?!node:|@duckdb\/|tinypool$)/],
    outExtension: () => ({ js: '.mjs' }),
    // Bundled CommonJS packages call `require`, which an ES module does not have.
    banner: {
      js: "import { createRequire as trefoilRequire } from 'node:module';\nconst require = trefoilRequire(import.meta.url);",
    },
  },
  // noble v2 has only ES modules. It is bundled here, because older runners cannot `require` them.
  {
    ...shared,
    entry,
    format: 'cjs',
    noExternal: ['valibot', /^@noble\//],
    // `import.meta` is a syntax error in CommonJS, where the code uses `__filename`.
    define: { ...shared.define, 'import.meta.url': 'undefined' },
  },
]);
