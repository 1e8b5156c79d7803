/**
 * The package as users get it: packed, installed from the tarball into a project of its own, and used as an ES module,
 * as CommonJS, both in one process, under Jest, by the TypeScript compiler and by a bundler. It needs `dist`, which
 * `npm test` builds first.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const fixtures = join(root, 'test/runtime/consumer');
const folder = mkdtempSync(join(tmpdir(), 'trefoil-packed-'));
const consumer = join(folder, 'consumer');
const installed = join(consumer, 'node_modules/trefoil');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
};

interface Run {
  readonly code: number;
  readonly output: string;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, maxBuffer: 1 << 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** Runs a script of a development dependency with this Node. */
const tool = (script: string, ...args: string[]) =>
  run(process.execPath, [join(root, 'node_modules', script), ...args], consumer);

/** Paths of the packed files. */
let packed: readonly string[] = [];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    {
      cwd: root,
    },
  );
  const [made] = JSON.parse(stdout) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  packed = made!.files.map(({ path }) => path);
  if (!packed.includes('dist/index.js'))
    throw new Error('there is no dist; npm test builds it, npm run build does too');

  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }\n');
  const install = [
    'install',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    join(folder, made!.filename),
  ];
  const { code, output } = await run('npm', install, consumer);
  if (code !== 0) throw new Error(`the tarball does not install:\n${output}`);
  cpSync(fixtures, consumer, { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('one process', () => {
  test('imports and requires every subpath, and each build takes what the other makes', async () => {
    const { code, output } = await run(process.execPath, ['both.mjs'], consumer);
    expect(output.trim().split('\n')).toEqual([
      'every subpath exports the same names',
      'the two builds are two: nothing below holds by identity',
      'within a build, one export at two subpaths is one',
      'an error of one is an instance of the other',
      'a capability of one is accepted by the other',
      'keys of one are bound by the rules of the other',
      'formats and prepare steps of one make rules of the other',
      'rules of one make a policy of the other, which the other explains',
      'ciphers of one read what the other wrote',
      'a bound policy of one goes through the streams of the other',
      'both write the same',
    ]);
    expect(code).toBe(0);
  });

  test('every subpath of the manifest is among them', () => {
    const script = readFileSync(join(fixtures, 'both.mjs'), 'utf8');
    for (const subpath of Object.keys(manifest.exports)) {
      if (subpath !== './package.json') expect(script).toContain(`'${subpath.replace(/^\.\/?/, '')}'`);
    }
  });
});

test('a CommonJS project under Jest passes', async () => {
  writeFileSync(
    join(consumer, 'jest.config.json'),
    JSON.stringify({ rootDir: consumer, testEnvironment: 'node', transform: {}, testMatch: ['**/commonjs.test.js'] }),
  );
  const { code, output } = await tool('jest/bin/jest.js', '--config', 'jest.config.json', '--watchman=false', '--ci');
  expect(output).toMatch(/Tests: +4 passed, 4 total/);
  expect(code).toBe(0);
});

describe('the declarations', () => {
  const strict = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    target: 'es2022',
  };
  const resolutions = {
    'an ES module': { extension: 'mts', module: 'nodenext', moduleResolution: 'nodenext' },
    CommonJS: { extension: 'cts', module: 'nodenext', moduleResolution: 'nodenext' },
    'a bundler': { extension: 'ts', module: 'esnext', moduleResolution: 'bundler' },
  };
  // What each half needs and no less: streams are typed by the DOM library or by @types/node.
  const needs = {
    'the core, of ECMAScript alone': { file: 'core', lib: ['es2022'], types: [] },
    'streams, of the DOM library': { file: 'streams', lib: ['es2022', 'dom'], types: [] },
    'streams, of @types/node': { file: 'streams', lib: ['es2022'], types: ['node'] },
  };

  for (const [title, { extension, module, moduleResolution }] of Object.entries(resolutions)) {
    for (const [need, { file, lib, types }] of Object.entries(needs)) {
      test(`satisfy ${title}: ${need}`, async () => {
        const name = `${file}-${extension}-${types.join()}${lib.length}`;
        const at = join(consumer, 'types', `${file}.${extension}`);
        if (!existsSync(at)) cpSync(join(consumer, 'types', `${file}.ts`), at);
        const typeRoots = [join(root, 'node_modules/@types')];
        const compilerOptions = { ...strict, module, moduleResolution, lib, types, typeRoots };
        writeFileSync(join(consumer, `${name}.json`), JSON.stringify({ compilerOptions, files: [at] }));
        const { code, output } = await tool('typescript/bin/tsc', '-p', `${name}.json`);
        expect(output).toBe('');
        expect(code).toBe(0);
      });
    }
  }

  test('import nothing but each other', () => {
    const declarations = packed.filter((path) => /\.d\.c?ts$/.test(path));
    expect(declarations.length).toBeGreaterThan(10);
    for (const path of declarations) {
      // Examples in comments import too, but no line of a comment begins so.
      const text = readFileSync(join(installed, path), 'utf8');
      const imports = [...text.matchAll(/^(?:import|export)\b.*\bfrom ['"](.*)['"];$/gm)].map(([, name]) => name!);
      expect(
        imports.filter((name) => !name.startsWith('./')),
        path,
      ).toEqual([]);
      expect(text, path).not.toContain('valibot');
    }
  });
});

describe('a bundler', () => {
  // The esbuild that tsup builds with.
  const { build } = createRequire(createRequire(import.meta.url).resolve('tsup'))(
    'esbuild',
  ) as typeof import('esbuild');

  /** What a pattern finds, each once: a whole bundle in a message helps nobody. */
  const found = (text: string, pattern: RegExp) => [...new Set(text.match(pattern))];

  /** Bundles a module and gives its text and the size in bytes when it is minified. */
  async function bundle(code: string): Promise<{ text: string; bytes: number }> {
    const bundled = async (minify: boolean) => {
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir: consumer, loader: 'js' },
        bundle: true,
        write: false,
        minify,
        format: 'esm',
        platform: 'browser',
        target: 'es2022',
        legalComments: 'none',
        logLevel: 'silent',
      });
      return outputFiles[0]!;
    };
    const [plain, small] = await Promise.all([bundled(false), bundled(true)]);
    return { text: plain.text, bytes: small.contents.length };
  }

  test('takes of the package what is used: keep alone has no cipher and no table', async () => {
    const { text, bytes } = await bundle("import { keep } from 'trefoil';\nconsole.log(keep);");
    console.log(`bundle: keep alone ${bytes} bytes`);
    expect(found(text, /aes|ff1|sha-?256|hkdf|hmac|siv\b|unassigned_code_points|0x[0-9a-f]{8}/gi)).toEqual([]);
    expect(bytes).toBeLessThan(6_000);
  });

  test('takes nothing for an import that is not used', async () => {
    for (const subpath of Object.keys(manifest.exports)) {
      if (/package\.json|csv|ndjson|node/.test(subpath)) continue;
      const { bytes } = await bundle(`import '${subpath.replace('.', manifest.name)}';`);
      expect(bytes, subpath).toBe(0);
    }
  });

  test('needs no Node for the three leaves under a policy', async () => {
    const names = 'token, keyset, seal, fpe, policy';
    const { text, bytes } = await bundle(
      `import { ${names} } from 'trefoil';\nimport { card } from 'trefoil/format';\nconsole.log(${names}, card);`,
    );
    console.log(`bundle: the three leaves and policy ${bytes} bytes`);
    expect(found(text, /["'](node:[a-z/]+|fs|crypto|buffer|stream|util|path)["']/g)).toEqual([]);
    expect(found(text, /\brequire\(|\bprocess\.|\bBuffer\./g)).toEqual([]);
    expect(bytes).toBeLessThan(80_000);
  });

  // What a page takes that wants one thing of the package, in bytes after minification.
  test.each([
    ["import { ff1 } from 'trefoil/ff1';\nconsole.log(ff1);", 1],
    ["import { ff1, ff1Text, alphabet } from 'trefoil/ff1';\nconsole.log(ff1, ff1Text, alphabet);", 1],
    ["import { ff3, ff3Text } from 'trefoil/ff3';\nconsole.log(ff3, ff3Text);", 1],
    [
      "import { cryptoPan, ipcryptPfx, ipcryptNdx } from 'trefoil/ip';\nconsole.log(cryptoPan, ipcryptPfx, ipcryptNdx);",
      1,
    ],
    ["import { digits } from 'trefoil/format';\nconsole.log(digits);", 1],
    ["import * as formats from 'trefoil/format';\nconsole.log(formats);", 1],
  ])('needs no Node for a cipher or a format alone: %s', async (code, most) => {
    const { text, bytes } = await bundle(code);
    console.log(`bundle: ${code.split('\n')[0]} ${bytes} bytes`);
    expect(found(text, /["'](node:[a-z/]+|fs|crypto|buffer|stream|util|path)["']/g)).toEqual([]);
    expect(found(text, /\brequire\(|\bprocess\.|\bBuffer\./g)).toEqual([]);
    expect(bytes).toBeLessThan(most);
  });
});

describe('the tarball', () => {
  test('has what it is made of and no more', () => {
    const allowed =
      /^(dist\/[^/]+\.(js|cjs|d\.ts|d\.cts)|docs\/(spec|guide)\/[^/]+\.md|docs\/(security|third-party)\.md|LICENSE|README\.md|package\.json)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
    for (const path of ['LICENSE', 'README.md', 'docs/security.md', 'docs/spec/token-v1.md', 'dist/cli.js']) {
      expect(packed).toContain(path);
    }
  });

  test('has no file of an older build: each is reached from an export or the command', () => {
    const text = (path: string) => readFileSync(join(installed, path), 'utf8');
    const start = packed.filter((path) => text('package.json').includes(`"./${path}"`));
    const reached = new Set(start);
    for (const path of reached) {
      if (!path.startsWith('dist/')) continue;
      for (const [, name] of text(path).matchAll(/["']\.\/([\w.-]+)["']/g)) {
        // Declarations name modules by the name that they have when the program runs.
        const file = `dist/${name}`;
        reached.add(/\.d\.c?ts$/.test(path) ? file.replace(/\.(c?)js$/, '.d.$1ts') : file);
      }
    }
    expect(packed.filter((path) => path.startsWith('dist/') && !reached.has(path))).toEqual([]);
  });

  test('says nothing about the machine that made it', async () => {
    const { output: registry } = await run('npm', ['config', 'get', 'registry'], folder);
    const host = /https?:\/\/([^/\s]+)/.exec(registry)?.[1] ?? 'registry.npmjs.org';
    const told = [root, folder, `${homedir()}/`, host, 'registry.npmjs.org', 'sourceMappingURL', '/node_modules/.'];
    for (const path of packed) {
      const text = readFileSync(join(installed, path), 'utf8');
      expect(
        told.filter((piece) => piece.length > 1 && text.includes(piece)),
        path,
      ).toEqual([]);
    }
  });

  test('installs what the manifest says and no more', () => {
    const names = readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(names.sort()).toEqual(['@noble', 'commander', 'csv-parse', 'csv-stringify', 'trefoil', 'yaml']);
  });

  test('has a command that runs', async () => {
    const { code, output } = await run(process.execPath, [join(installed, 'dist/cli.js'), '--version'], consumer);
    expect(code).toBe(0);
    expect(output).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(existsSync(join(consumer, 'node_modules/.bin/trefoil'))).toBe(true);
  });
});

test('the lock file records no download addresses', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  expect(lock).not.toMatch(/"resolved":\s*"https?:/);
});
