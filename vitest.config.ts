import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`./src/${name}.ts`, import.meta.url));

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as { version: string };

export default defineConfig({
  define: { TREFOIL_VERSION: JSON.stringify(version) },
  resolve: {
    // Tests import the sources. Only test/runtime and test/cli use the built files and the packed tarball.
    alias: [
      { find: /^trefoil$/, replacement: source('index') },
      { find: /^trefoil\/([a-z0-9-]+)$/, replacement: fileURLToPath(new URL('./src/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/runtime/consumer/**'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    // By default, Vitest leaves one core free. That would be half of a machine with two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './test/reporter.ts'],
    typecheck: { enabled: true, include: ['test/types/**/*.test-d.ts'], tsconfig: './tsconfig.test.json' },
    coverage: { provider: 'v8', include: ['src/**'], exclude: ['src/cli/**'] },
  },
});
