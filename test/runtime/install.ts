/** The packed tarball, installed into a folder of its own. It needs `dist`, which `npm test` builds first. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The folder of the project. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** The project's manifest. */
export const manifest: {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The specifiers of all modules of the package: `trefoil`, `trefoil/errors` and so on. The other exports are files. */
export const modules: readonly string[] = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target !== 'string')
  .map(([subpath]) => subpath.replace('.', manifest.name));

/** The end of a process. */
export interface Run {
  readonly code: number;
  readonly output: string;
}

/** Runs a command. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, maxBuffer: 1 << 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** A project that has the package as its only dependency. */
export interface Consumer {
  /** The folder with the tarball, and the project in it. */
  readonly folder: string;
  readonly consumer: string;
  /** The installed package. */
  readonly installed: string;
  /** Paths of the packed files. */
  readonly packed: readonly string[];
  readonly remove: () => void;
}

/** Packs the package and installs the tarball. */
export async function installPacked(): Promise<Consumer> {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-packed-'));
  const consumer = join(folder, 'consumer');
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', pack, { cwd: root });
  const [made] = JSON.parse(stdout) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  const packed = made!.files.map(({ path }) => path);
  if (!packed.includes('dist/index.js'))
    throw new Error('the folder dist does not exist: npm test builds it, as does npm run build');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }\n');
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await run('npm', ['install', ...flags, join(folder, made!.filename)], consumer);
  if (code !== 0) throw new Error(`the tarball cannot be installed:\n${output}`);
  cpSync(join(root, 'test/runtime/consumer'), consumer, { recursive: true });
  const installed = join(consumer, 'node_modules/trefoil');
  return { folder, consumer, installed, packed, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
