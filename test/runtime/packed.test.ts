/**
 * The package as users get it: packed, installed from the tarball into a project of its own, and used as an ES module,
 * as CommonJS, both in one process, under Jest, by the TypeScript compiler and by a bundler. It needs `dist`, which
 * `npm test` builds first.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { type Consumer, installPacked, manifest, modules, root, run } from './install.ts';

let made: Consumer;
let folder = '';
let consumer = '';
let installed = '';
let packed: readonly string[] = [];

/** Runs a script of a development dependency with this Node. */
const tool = (script: string, ...args: string[]) =>
  run(process.execPath, [join(root, 'node_modules', script), ...args], consumer);

beforeAll(async () => {
  made = await installPacked();
  ({ folder, consumer, installed, packed } = made);
});

afterAll(() => made.remove());

describe('one process', () => {
  test('imports and requires every subpath, and each build accepts the objects of the other', async () => {
    const { code, output } = await run(process.execPath, ['both.mjs'], consumer);
    expect(output.trim().split('\n')).toEqual([
      'every subpath exports the same names',
      'the two builds are two: nothing below holds by identity',
      'within a build, one export at two subpaths is one',
      'an error of one is an instance of the other',
      'a capability of one is accepted by the other',
      'keys of one are bound by the rules of the other',
      'keys of notes of one sign and open the notes of the other',
      'formats and prepare steps of one make rules of the other',
      'rules of one make a policy of the other, which the other explains',
      'ciphers of one read what the other wrote',
      'a bound policy of one goes through the streams of the other',
      'both write the same',
    ]);
    expect(code).toBe(0);
  });

  test('every subpath of the manifest is among them', () => {
    const script = readFileSync(join(root, 'test/runtime/consumer/both.mjs'), 'utf8');
    for (const name of modules) expect(script).toContain(`'${name.replace(/^trefoil\/?/, '')}'`);
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
  // The types that each part needs, and no more. The types of streams are in the DOM library and in @types/node.
  const needs = {
    'the core, with ECMAScript alone': { file: 'core', lib: ['es2022'], types: [] },
    'streams, with the DOM library': { file: 'streams', lib: ['es2022', 'dom'], types: [] },
    'streams, with @types/node': { file: 'streams', lib: ['es2022'], types: ['node'] },
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

  test('import only each other', () => {
    const declarations = packed.filter((path) => /\.d\.c?ts$/.test(path));
    expect(declarations.length).toBeGreaterThan(10);
    for (const path of declarations) {
      // Examples in comments have imports, too, but their lines begin with an asterisk.
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
  // The esbuild that tsup uses.
  const { build } = createRequire(createRequire(import.meta.url).resolve('tsup'))(
    'esbuild',
  ) as typeof import('esbuild');

  /** The distinct matches of a pattern. A message with a whole bundle would not be readable. */
  const found = (text: string, pattern: RegExp) => [...new Set(text.match(pattern))];

  /** Bundles a module and returns its text and its size in bytes after minification. */
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

  test('takes only the used parts of the package: keep alone has no cipher and no table', async () => {
    const { text, bytes } = await bundle("import { keep } from 'trefoil';\nconsole.log(keep);");
    console.log(`bundle: keep alone ${bytes} bytes`);
    expect(found(text, /aes|ff1|sha-?256|hkdf|hmac|siv\b|unassigned_code_points|0x[0-9a-f]{8}/gi)).toEqual([]);
    // 8,310 bytes. 1,000 of them are lists of missing texts and roles, which every rule has; 600 read columns of UTF-8,
    // 500 are the error codes of notes and logs, 480 those of lineages, custody and shares, and 280 those of vaults and
    // their stores.
    expect(bytes).toBeLessThan(8_450);
  });

  test('takes nothing for an import that is not used', async () => {
    for (const name of modules) {
      if (/node|duckdb/.test(name)) continue;
      const { bytes } = await bundle(`import '${name}';`);
      expect(bytes, name).toBe(0);
    }
  });

  test('takes @noble/curves for trefoil/log, trefoil/govern and trefoil/gateway alone', async () => {
    for (const name of modules) {
      if (/node|duckdb/.test(name)) continue;
      const { text } = await bundle(`import * as all from '${name}';\nconsole.log(Object.keys(all).length);`);
      expect(text.includes('node_modules/@noble/curves/'), name).toBe(/log|govern|gateway/.test(name));
    }
  });

  /**
   * How a bundle uses Node. The only use that is allowed is for the AES instructions of node:crypto: a call of a
   * function that the runtime may not have, and no import. (The text "path" is also a field of a keyset, and a module
   * of that name could come in by an import or a require alone.)
   */
  function nodeIn(text: string): string[] {
    const rest = text.replace(/\bprocess\d*\?\.getBuiltinModule\?\.\("node:crypto"\)/, '');
    return [
      ...found(rest, /["'](node:[a-z/]+|fs|crypto|buffer|stream|util)["']/g),
      ...found(rest, /\brequire\(|\bprocess\.|\bBuffer\.|^import\b|\bimport\(|getBuiltinModule/gm),
    ];
  }

  /** Runs a bundle with the globals of a web page or of Node, and returns its output. */
  function runBundle(text: string, node: boolean): unknown[] {
    const shown: unknown[] = [];
    const page = Object.create(globalThis, {
      process: { value: undefined },
      Buffer: { value: undefined },
      crypto: { value: globalThis.crypto },
    }) as object;
    const names = ['globalThis', 'process', 'Buffer', 'require', 'console'];
    const values = node ? [globalThis, process, Buffer] : [page, undefined, undefined];
    new Function(...names, text)(...values, undefined, { log: (...all: unknown[]) => void shown.push(...all) });
    return shown;
  }

  const KEYSET = keysetJson(testRoot('packed'));

  // An example for each part, with the most bytes after minification and the measured number.
  test.each([
    {
      part: 'token, fpe, seal and policy',
      // 228,200 bytes. There were 220,600 before policies waited for the uses of warrants of governed keys (waiting/
      // and place/, 5,000) and named a subject, and 210,836 before the key of a field that does not show it was found
      // in its record (4,400), before bodies of tokens were written in pairs of characters (700) and labels were
      // compared across scopes (600), and before notes and logs had error codes (560); 172,455 before keysets had
      // lineages, branches and regions (13,000 of keys/), before tokens were permuted, renewed and moved (13,000, and
      // 3,000 that write and read bodies), before periods (2,000) and before FF1 ran over bits on words (2,600). 430
      // tell public test keys from others. There were 163,100 before contexts and a part in clear (5,300) and scalars
      // of JSON under a seal (2,200); 156,994 before missing texts and readings (3,500) and paths that reach into cells
      // (2,500); 150,277 before numbers of JSON kept their text (900) and fields of one scope were compared in
      // everything on which a join depends (1,900), and 144,695 before policies could be opened with stores. 17,000 are
      // columns of sealed values and our own AES-SIV, 15,000 the 64 rounds of SHA-256, which are written out, 14,000
      // FF1 for whole columns, 9,000 BLAKE3 (6,000 of them noble's, for long messages), 8,000 AES, 7,000 the
      // permutations of small spaces, and 4,000 tables of other formats, which a bundler cannot prove to be unused.
      most: 229_500,
      code: `
        import { fpe, keyset, policy, seal, token } from 'trefoil';
        import { card } from 'trefoil/format';
        const keys = keyset.parse(KEYSET).domain('eu');
        const sheet = policy({
          id: token({ scope: 'a' }),
          name: seal({ scope: 'b' }),
          pan: fpe({ scope: 'c', format: card({ clear: { first: 6 } }) }),
          few: fpe({ scope: 'd', format: card({ clear: { first: 6, last: 4 }, length: 16 }) }),
        });
        const row = { id: 7, name: 'Ada', pan: '4111111111111111', few: '4111111111111111' };
        console.log(JSON.stringify(sheet.bind(keys).protectMany(Array.from({ length: 50 }, () => row))));`,
    },
    {
      part: 'trefoil/ff1',
      most: 32_000, // 30,425, of which 2,600 are the rounds of FF1 over bits in words
      code: `
        import { alphabet, ff1, ff1Text } from 'trefoil/ff1';
        const hex = alphabet('0123456789abcdef');
        const column = Array.from({ length: 100 }, (_, i) => String(i).padStart(16, '0'));
        console.log(hex.format(ff1(new Uint8Array(32), 16).encrypt(hex.parse('cafe0123'), new Uint8Array(8))));
        console.log(ff1Text(new Uint8Array(16), '0123456789').encryptMany(column).join());`,
    },
    {
      part: 'ff1 alone',
      most: 28_000, // 26,461, of which 2,600 are the same rounds
      code: `
        import { ff1 } from 'trefoil/ff1';
        const column = Array.from({ length: 100 }, (_, i) => [1, 2, 3, 4, 5, 6, i]);
        console.log(ff1(new Uint8Array(16), 100).encryptMany(column).join());`,
    },
    {
      part: 'trefoil/ff3',
      most: 24_700, // 24,316, of which 500 are the error codes of notes and logs
      code: `
        import { ff3, ff3Text } from 'trefoil/ff3';
        const column = Array.from({ length: 100 }, (_, i) => String(i).padStart(10, '0'));
        console.log(ff3Text(new Uint8Array(16), '0123456789').decryptMany(column, new Uint8Array(7)).join());
        console.log(ff3(new Uint8Array(16), 10).decrypt([1, 2, 3, 4, 5, 6], new Uint8Array(8)).join());`,
    },
    {
      part: 'trefoil/ip',
      most: 33_000, // 30,301
      code: `
        import { cryptoPan, ipcryptDeterministic, ipcryptNd, ipcryptNdx, ipcryptPfx } from 'trefoil/ip';
        const key = Uint8Array.from({ length: 32 }, (_, i) => i);
        const column = Array.from({ length: 100 }, (_, i) => '192.0.2.' + i).concat('2001:db8::1');
        for (const cipher of [cryptoPan(key), ipcryptPfx(key), ipcryptDeterministic(key.slice(0, 16))]) {
          console.log(cipher.encryptMany(column).join());
        }
        console.log(ipcryptNd(key.slice(0, 16)).encrypt('192.0.2.1', new Uint8Array(8)));
        console.log(ipcryptNdx(key).encrypt('192.0.2.1', new Uint8Array(16)));`,
    },
    {
      part: 'notes of trefoil/log',
      // 58,196 bytes: 24,000 of the curve and 12,000 of hashes, all noble's, for runtimes without node:crypto.
      most: 60_000,
      code: `
        import { cosigner, noteSigner, openNote, signNote, verifierKey } from 'trefoil/log';
        const log = 'PRIVATE+KEY+anna.dpo.example+ecee6d64+AUzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7';
        const vkey = verifierKey('anna.dpo.example+ecee6d64+AT1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM');
        const signer = noteSigner(log);
        const line = (text) => Array.from(signer.sign(new TextEncoder().encode(text))).join();
        console.log(signer.verifierKey === vkey.text, line('text\\n'), typeof cosigner, typeof signNote);
        const note = 'This is an example message.\\n\\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON' +
          'ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\\n';
        const example = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
        console.log(openNote(note, [example]).text);`,
    },
    {
      part: 'one format',
      most: 14_500, // 13,188, of which 4,000 are tables of other formats, as above
      code: `
        import { digits } from 'trefoil/format';
        console.log(digits({ length: 9 }).test('012345678'), digits({ length: 9 }).size);`,
    },
    {
      part: 'trefoil/format',
      most: 110_000, // 109,263
      code: `
        import * as formats from 'trefoil/format';
        console.log(formats.iban().test('NO9386011117947'), Object.keys(formats).length);`,
    },
  ])('gives the same output for $part with and without Node', async ({ part, code, most }) => {
    const { text, bytes } = await bundle(`const KEYSET = ${JSON.stringify(KEYSET)};${code}`);
    console.log(`bundle: ${part} ${bytes} bytes`);
    expect(nodeIn(text)).toEqual([]);
    const shown = runBundle(text, false);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).toEqual(runBundle(text, true));
    expect(bytes).toBeLessThan(most);
  });
});

describe('the tarball', () => {
  test('has the files that it needs and no others', () => {
    const allowed =
      /^(dist\/[^/]+\.(js|cjs|d\.ts|d\.cts)|dist\/(trefoil\.mjs|NOTICES\.txt|sbom\.cdx\.json|vectors\/[a-z-]+-v\d\.json)|docs\/(spec|spec\/[a-z]+|guide|guide\/[a-z]+)\/[^/]+\.md|docs\/[a-z-]+\.md|LICENSE|README\.md|package\.json)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
    for (const path of [
      'LICENSE',
      'dist/NOTICES.txt',
      'README.md',
      'docs/security.md',
      'docs/changelog.md',
      'docs/spec/token-v1.md',
      'dist/vectors/token-v1.json',
      'dist/sbom.cdx.json',
      'dist/cli.js',
    ]) {
      expect(packed).toContain(path);
    }
  });

  test('has no file of an older build: every file is imported by an export or by the command', () => {
    const text = (path: string) => readFileSync(join(installed, path), 'utf8');
    const start = packed.filter((path) => text('package.json').includes(`"./${path}"`));
    const reached = new Set(start);
    for (const path of reached) {
      if (!/^dist\/.*\.(js|cjs|mjs|ts|cts)$/.test(path)) continue;
      for (const [, name] of text(path).matchAll(/["']\.\/([\w.-]+)["']/g)) {
        // Declarations import modules by their names at run time.
        const file = `dist/${name}`;
        reached.add(/\.d\.c?ts$/.test(path) ? file.replace(/\.(c?)js$/, '.d.$1ts') : file);
      }
    }
    const built = packed.filter((path) => path.startsWith('dist/') && !/^dist\/(NOTICES\.txt|vectors\/.*)$/.test(path));
    expect(built.filter((path) => !reached.has(path))).toEqual([]);
  });

  // The bundler writes the path of every module before its code, so the content is known without the build.
  const packagesIn = (text: string) => {
    const paths = text.matchAll(/^ *\/\/ node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//gm);
    return [...new Set([...paths].map(([, name]) => name!))].sort();
  };

  test('ships the licence, word for word, of every package that is inside its files', () => {
    const text = (path: string) => readFileSync(join(installed, path), 'utf8');
    const notices = text('dist/NOTICES.txt');
    const parts = notices.split(`${'-'.repeat(80)}\n`).slice(1);
    const found = parts.flatMap((part) => {
      const [, name, where] = /^(\S+) \S+ \([\w.-]+\)\nIn: (.*)\n/.exec(part) ?? [];
      return name === undefined ? [] : [{ name, where: where!.split(', '), part }];
    });
    const kinds = { 'dist/*.js': /\.js$/, 'dist/*.cjs': /\.cjs$/, 'dist/trefoil.mjs': /trefoil\.mjs$/ };
    for (const [kind, pattern] of Object.entries(kinds)) {
      const files = packed.filter((path) => path.startsWith('dist/') && pattern.test(path));
      const inside = [...new Set(files.flatMap((path) => packagesIn(text(path))))].sort();
      expect(inside.length, kind).toBeGreaterThan(0);
      expect(
        found.filter(({ where }) => where.includes(kind)).map(({ name }) => name),
        kind,
      ).toEqual(inside);
    }
    for (const { name, part } of found) {
      const folder = join(root, 'node_modules', name);
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))!;
      const licence = readFileSync(join(folder, file), 'utf8').trim();
      expect(part).toContain(licence);
      if (packagesIn(text('dist/trefoil.mjs')).includes(name)) expect(text('dist/trefoil.mjs')).toContain(licence);
    }
    // Two special cases: a second copyright holder, and a licence that is not MIT.
    expect(notices).toContain('Copyright (c) 2016 Thomas Pornin');
    expect(notices).toMatch(/^yaml \S+ \(ISC\)$/m);
    expect(notices).toContain('Unicode Character Database 15.1.0 (Unicode-3.0)');
    expect(text('dist/trefoil.mjs')).toContain('UNICODE LICENSE V3');
  });

  test('has no path or name of the machine that built it', async () => {
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

  test('installs its dependencies and nothing else', () => {
    const names = readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(names.sort()).toEqual([
      '@noble',
      'commander',
      'fdir',
      'picomatch',
      'tinyglobby',
      'tinypool',
      'trefoil',
      'yaml',
    ]);
  });

  test('accepts its optional peer dependencies as the guides install them', async () => {
    const peers = join(folder, 'peers');
    mkdirSync(peers);
    writeFileSync(join(peers, 'package.json'), '{ "name": "peers", "private": true }\n');
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    // npm checks the ranges of peers when it plans the installation; the files themselves are not needed.
    const install = [
      'install',
      '--package-lock-only',
      '--prefer-offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ];
    const names = Object.keys(manifest.peerDependencies);
    expect(names).toContain('@duckdb/node-api');
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<
      string,
      { readonly version: string } | undefined
    >;
    const pinned = names.map((name) => `${name}@${lock[`node_modules/${name}`]?.version ?? '12'}`);
    const { code, output } = await run('npm', [...install, '--strict-peer-deps', `../${tarball}`, ...pinned], peers);
    expect(output).not.toMatch(/ERESOLVE|peer/i);
    expect(code, output).toBe(0);
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
