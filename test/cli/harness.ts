/**
 * Runs the command line as a real process: `dist/cli.js`, which `npm test` builds first, in a directory of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export const CLI: string = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

if (!existsSync(CLI)) throw new Error('dist/cli.js is missing: run npm run build:js first');

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A working directory with helpers. */
export interface Place {
  readonly dir: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => string;
  readonly read: (name: string) => string;
  readonly files: () => string[];
  /** Runs trefoil. */
  readonly run: (args: readonly string[], input?: string | Uint8Array, env?: Record<string, string>) => Promise<Ended>;
  /** Runs a line of bash in which `$T` is trefoil. */
  readonly bash: (line: string) => Promise<Ended>;
  /** Starts trefoil with an open standard input. */
  readonly start: (args: readonly string[]) => { child: ChildProcess; ended: Promise<Ended> };
  readonly remove: () => void;
}

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: tmpdir(), LANG: 'C.UTF-8', ...more };
}

function collect(child: ChildProcess): Promise<Ended> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') });
    });
  });
}

export function makePlace(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'trefoil-cli-'));
  const path = (name: string): string => join(dir, name);
  const start: Place['start'] = (args) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: dir, env: environment() });
    // A killed process no longer reads its standard input, and that is not an error of the test.
    child.stdin.on('error', () => {});
    return { child, ended: collect(child) };
  };
  return {
    dir,
    path,
    write(name, content) {
      writeFileSync(path(name), content, { mode: 0o600 });
      return path(name);
    },
    read: (name) => readFileSync(path(name), 'utf8'),
    files: () => readdirSync(dir).sort(),
    run(args, input = '', env = {}) {
      const child = spawn(process.execPath, [CLI, ...args], { cwd: dir, env: environment(env) });
      // The process may end before it has read everything. That is not an error of the test.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      return collect(child);
    },
    bash(line) {
      const T = `"${process.execPath}" "${CLI}"`;
      return collect(spawn('bash', ['-c', line.replaceAll('$T', T)], { cwd: dir, env: environment() }));
    },
    start,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export const POLICY = `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: seal, scope: person.name }
  plate: { rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }
  born: { rule: coarsen, date: year }
  city: keep
  notes: drop
`;

export const CSV = `id,name,plate,born,city,notes
10017,Zoë Müller,KA12345,1984-03-12,Freiburg,"likes ""tea"""
10018,Ada Lovelace,AL18151,1815-12-10,London,
10019,山田太郎,YT00001,1990-01-01,京都,x
`;

/** Parts of the records of {@link CSV}, which no message may contain. */
export const VALUES = ['10017', 'Zoë', 'Müller', 'KA12345', '1984', 'Freiburg', 'likes', 'Lovelace', '山田', '京都'];

/** Checks the form of every line on standard error, and that none contains a value or a stack. */
export function expectVoice({ err }: Ended, values: readonly string[] = VALUES): void {
  for (const line of err.split('\n')) {
    if (line !== '') expect(line).toMatch(/^(trefoil: | {2})/);
    expect(line, 'no full stop').not.toMatch(/[^.]\.$/);
  }
  for (const value of values) expect(err).not.toContain(value);
  expect(err).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)$/m);
}

/** The values of an output with one JSON value per line. */
export function json(out: string) {
  const lines = out.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** The cells of a plain CSV, without its header. */
export function cellsOf(text: string): string[][] {
  const lines = text.trimEnd().split('\n').slice(1);
  return lines.map((line) => line.split(','));
}
