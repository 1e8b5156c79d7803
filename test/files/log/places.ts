/** Folders of logs for tests, which are removed afterwards. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Log, newNoteKey, noteSigner, type OpenLogOptions, openLog } from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** The key of all logs of the tests. */
export const KEY = newNoteKey('log.example/2027', { random: (length) => new Uint8Array(length).fill(3) });
export const signer = noteSigner(KEY.privateKey);

/** A new place: the log is in `log`, its head in `head`. */
export function place(): string {
  made.push(mkdtempSync(join(tmpdir(), 'trefoil-log-')));
  return made.at(-1)!;
}

/** A copy of a whole place, or of one of its parts. */
export function copy(from: string, ...parts: readonly string[]): string {
  const to = place();
  for (const part of parts) cpSync(join(from, part), join(to, part), { recursive: true });
  return to;
}

export const store = (at: string) => logFolder(join(at, 'log'), { head: join(at, 'head'), sync: false });

/** Opens a log of bytes. */
export function open(at: string, options: Partial<OpenLogOptions> = {}): Promise<Log> {
  return openLog(store(at), { signer, entries: 'bytes', ...options });
}

export const text = (entry: string): Uint8Array => new TextEncoder().encode(entry);

/** Appends entries with the numbers from `from` to before `to`. */
export async function fill(log: Log, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => log.append(text(`entry ${from + i}`))));
}

/** A closed log with so many entries. */
export async function filled(size: number): Promise<string> {
  const at = place();
  const log = await open(at, { create: true });
  await fill(log, 0, size);
  await log.close();
  return at;
}
