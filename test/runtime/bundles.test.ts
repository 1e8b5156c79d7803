/**
 * The package in one file with a program, as tools for functions in the cloud make it, and the types of the package for
 * compilers that do not read `exports`.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consumer, installPacked, manifest, modules, root, run } from './install.ts';

// The esbuild that tsup uses.
const { build } = createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild') as typeof import('esbuild');

let made: Consumer;
let consumer = '';
beforeAll(async () => {
  made = await installPacked();
  consumer = made.consumer;
});
afterAll(() => made.remove());

const PROGRAM = `
  import { keep, keyset, policy, token } from 'trefoil';
  import { protectFile } from 'trefoil/node';
  export async function handler(input, output, options) {
    const bound = policy({ id: token({ scope: 'p' }), x: keep }).bind(keyset.generate().domain('eu'));
    try {
      const { rowsOut } = await protectFile(input, output, bound, { force: true, ...options });
      return { rowsOut };
    } catch ({ name, code, message }) {
      return { name, code, message };
    }
  }`;

describe.each(['cjs', 'esm'] as const)('a program in one file, format %s', (format) => {
  const extension = format === 'cjs' ? 'cjs' : 'mjs';

  async function bundle(name: string, contents: string, external: readonly string[] = []): Promise<string> {
    const outfile = join(consumer, `${name}.${extension}`);
    const stdin = { contents, resolveDir: consumer, loader: 'js' } as const;
    const { errors } = await build({
      stdin,
      outfile,
      format,
      bundle: true,
      platform: 'node',
      external: [...external, '@duckdb/node-api'],
      logLevel: 'silent',
    });
    expect(errors).toEqual([]);
    return outfile;
  }

  /** Calls the program in a process of its own. */
  async function call(file: string, ...args: readonly unknown[]): Promise<unknown> {
    const code = `import(${JSON.stringify(file)}).then(async (all) => {
      const handler = all.handler ?? all.default.handler;
      console.log(JSON.stringify(await handler(...${JSON.stringify(args)})));
    })`;
    const { output, code: exit } = await run(process.execPath, ['-e', code], consumer);
    expect(exit, output).toBe(0);
    return JSON.parse(output);
  }

  beforeAll(() => {
    writeFileSync(join(consumer, 'in.csv'), 'id,x\n1,2\n');
    writeFileSync(join(consumer, 'in [1].csv'), 'id,x\n1,2\n3,4\n');
    writeFileSync(join(consumer, 'in.ndjson'), '{"id":1,"x":2}\n{"id":3,"x":4}\n{"id":5,"x":6}\n');
  });

  test('protects files', async () => {
    const file = await bundle('program', PROGRAM);
    expect(await call(file, 'in.csv', 'safe.csv')).toEqual({ rowsOut: 1 });
    expect(readFileSync(join(consumer, 'safe.csv'), 'utf8')).toMatch(/^id,x\n[0-9a-z]{35},2\n$/);
    expect(await call(file, 'in [1].csv', 'safe.csv')).toEqual({ rowsOut: 2 });
    expect(await call(file, 'in.ndjson', 'safe.ndjson')).toEqual({ rowsOut: 3 });
    expect(await call(file, ['in.csv', 'in [1].csv'], 'safe.csv.gz')).toEqual({ rowsOut: 3 });
  });

  test('says what workers need', async () => {
    const failed = await call(join(consumer, `program.${extension}`), 'in.csv', 'none.csv', { workers: 2 });
    expect(failed).toEqual({
      name: 'TrefoilError',
      code: 'worker_failed',
      message:
        'workers need a file of the installed package, which a bundle does not have; ' +
        'run without workers, or leave trefoil out of the bundle and install it beside it',
    });
    expect(existsSync(join(consumer, 'none.csv'))).toBe(false);
  });

  test('reads patterns, or says what they need', async () => {
    const inside = await call(join(consumer, `program.${extension}`), '*.csv', 'none.csv');
    if (format === 'esm') expect(inside).toHaveProperty('rowsOut');
    else
      expect(inside).toMatchObject({
        code: 'io_failed',
        message: expect.stringMatching(/^\*\.csv: patterns need the/),
      });
    const beside = await bundle('beside', PROGRAM, ['tinyglobby']);
    expect(await call(beside, 'in*.csv', 'all.csv')).toEqual({ rowsOut: 3 });
  });

  test('loads with every module of the package in it', async () => {
    const imports = modules.map((name, i) => `import * as m${i} from '${name}';`).join('\n');
    const counts = modules.map((_, i) => `Object.keys(m${i}).length`).join();
    const file = await bundle('all', `${imports}\nexport const handler = async () => [${counts}];`);
    const found = (await call(file)) as readonly number[];
    expect(found).toHaveLength(modules.length);
    for (const [i, count] of found.entries()) expect(count, modules[i]!).toBeGreaterThan(0);
  });
});

describe('without a package that npm installs', () => {
  /** Runs a part of the program while a package is hidden. */
  async function without(name: string, work: () => Promise<void>): Promise<void> {
    const folder = join(consumer, 'node_modules', name);
    renameSync(folder, `${folder}.hidden`);
    try {
      await work();
    } finally {
      renameSync(`${folder}.hidden`, folder);
    }
  }
  const call = (...args: readonly unknown[]) => {
    const code = `${PROGRAM}\nconsole.log(JSON.stringify(await handler(...${JSON.stringify(args)})));`;
    writeFileSync(join(consumer, 'plain.mjs'), code);
    return run(process.execPath, ['plain.mjs'], consumer);
  };
  const command = (...args: readonly string[]) =>
    run(process.execPath, [join(made.installed, 'dist/cli.js'), ...args], consumer);

  beforeAll(() => writeFileSync(join(consumer, 'one.csv'), 'id,x\n1,2\n'));

  test('tinyglobby: files are read, and patterns say what they need', async () => {
    await without('tinyglobby', async () => {
      expect((await call('one.csv', 'safe.csv')).output).toBe('{"rowsOut":1}\n');
      const failed = JSON.parse((await call('one*.csv', 'none.csv')).output);
      expect(failed).toMatchObject({ code: 'io_failed', message: expect.stringContaining('the package tinyglobby') });
    });
    expect((await call('one*.csv', 'safe.csv')).output).toBe('{"rowsOut":1}\n');
  });

  test('tinypool: files are read, and workers say what they need', async () => {
    await without('tinypool', async () => {
      expect((await call('one.csv', 'safe.csv')).output).toBe('{"rowsOut":1}\n');
      const failed = JSON.parse((await call('one.csv', 'none.csv', { workers: 2 })).output);
      expect(failed).toMatchObject({ code: 'worker_failed', message: expect.stringContaining('npm install tinypool') });
    });
    expect((await call('one.csv', 'safe.csv', { workers: 2 })).output).toBe('{"rowsOut":1}\n');
  });

  test('yaml: a program works, and a command says what it needs', async () => {
    await without('yaml', async () => {
      expect((await call('one.csv', 'safe.csv')).output).toBe('{"rowsOut":1}\n');
      expect(await command('check', '--policy', 'none.yaml')).toEqual({
        code: 5,
        output: 'trefoil: error: the package yaml, which trefoil needs, is not installed; run npm install\n',
      });
    });
  });
});

test('loading a module loads no package but noble', () => {
  const imports = new Map<string, string[]>();
  const visit = (file: string): readonly string[] => {
    if (imports.has(file)) return [];
    imports.set(file, []);
    const text = readFileSync(join(made.installed, 'dist', file), 'utf8');
    const names = /\.cjs$/.test(file)
      ? [...text.matchAll(/(?:^|[ =;])require\(["']([^"']+)["']\)/gm)]
      : [...text.matchAll(/^(?:import|export)\b[^;]*?["']([^"'\n]+)["'];$/gm)];
    return names.flatMap(([, name]) => (name!.startsWith('./') ? visit(name!.slice(2)) : [name!]));
  };
  const files = modules.flatMap((name) => {
    const base = name === manifest.name ? 'index' : name.slice(manifest.name.length + 1);
    return [`${base}.js`, `${base}.cjs`];
  });
  const found = new Set(files.flatMap(visit));
  expect(imports.size).toBeGreaterThan(files.length);
  expect([...found].filter((name) => !/^(@noble\/.*|(node:)?[a-z]+(\/promises)?)$/.test(name))).toEqual([]);
  const packages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  expect(packages.filter((name) => found.has(name))).toEqual([]);
});

describe('a compiler that does not read exports', () => {
  const compile = (name: string, text: string) => {
    writeFileSync(join(consumer, name), text);
    const flags = [
      '--module',
      'commonjs',
      '--moduleResolution',
      'node10',
      '--target',
      'es2022',
      '--strict',
      '--noEmit',
    ];
    const more = ['--esModuleInterop', '--resolveJsonModule', '--lib', 'es2022,dom'];
    const script = join(root, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [script, ...flags, ...more, name], consumer);
  };

  test('finds the types of every module', async () => {
    const imports = modules.map((name, i) => `import * as m${i} from '${name}';`);
    // The type of a module that is not found is any, which has a member of every name.
    const checks = modules.map((_, i) => `const n${i}: 'no such name' extends keyof typeof m${i} ? 1 : 2 = 2;`);
    const { code, output } = await compile('all.ts', `${[...imports, ...checks].join('\n')}\n`);
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  test('finds the vectors', async () => {
    const text = "import vectors from 'trefoil/vectors/token-v1.json';\nconst name: string = vectors.specification;\n";
    expect(await compile('vectors.ts', text)).toEqual({ code: 0, output: '' });
  });

  test('takes the parts of the package for parts of one', async () => {
    const text = readFileSync(join(root, 'test/runtime/consumer/types/core.ts'), 'utf8');
    expect(await compile('core.ts', text)).toEqual({ code: 0, output: '' });
  });

  test('finds nothing that is not public', async () => {
    const { output } = await compile('private.ts', "import * as all from 'trefoil/worker';\nall;\n");
    expect(output).toContain("Cannot find module 'trefoil/worker'");
  });
});
