/// <reference types="node" />
/**
 * Names of files and folders that a run makes for itself beside an output, and the removal of those that a run before
 * left behind because it was killed.
 *
 * A name tells which process it belongs to, so nothing has to be written, locked or kept up to date for that:
 * `.trefoil-HOST-BOOT-PID-START-RANDOM.tmp`. HOST is a digest of the name of the host and its process namespace, BOOT one
 * of Linux's identity of the boot, START the time at which the process began. It is stale if the host is this one and the
 * boot is over, or no process has that number, or another process has it by now. What cannot be judged stays.
 */

import { createHash, randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

/** Parts of a name. `0` where the system does not tell. */
const NAME = /^\.trefoil-([0-9a-f]{8})-([0-9a-f]{8}|0)-([0-9]{1,10})-([0-9]{1,20})-[0-9a-f]{32}\.tmp$/;

/** What tells a process from all others. */
interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

let self: Promise<Owner> | null = null;
const swept = new Map<string, Promise<void>>();

/**
 * A new name in a folder, for a file or a folder of this process. The first one in each folder removes what killed runs
 * left there.
 */
export async function temporaryPath(folder: string): Promise<string> {
  const place = resolve(folder);
  if (!swept.has(place)) swept.set(place, removeStale(place));
  await swept.get(place);
  self ??= ownerOfSelf();
  const { host, boot, pid, start } = await self;
  return join(folder, `.trefoil-${host}-${boot}-${pid}-${start}-${randomBytes(16).toString('hex')}.tmp`);
}

/** Removes files and folders of runs of this user that are over. It never throws: what resists stays. */
export async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!(await isStale(name))) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => null);
    // In a folder that others may write to, a name proves nothing: only what is ours is removed.
    if (stats === null || stats.uid !== process.getuid?.()) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isStale(name: string): Promise<boolean> {
  const [, host, boot, pid, start] = NAME.exec(name) ?? [];
  if (host === undefined) return false;
  self ??= ownerOfSelf();
  const us = await self;
  if (host !== us.host) return false;
  if (boot !== us.boot) return true;
  if (!isAlive(Number(pid))) return true;
  return start !== '0' && start !== (await startOf(pid!));
}

async function ownerOfSelf(): Promise<Owner> {
  const space = await readlink('/proc/self/ns/pid').catch(() => '');
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return {
    host: digest(`${hostname()}\0${space}`),
    boot: boot === '' ? '0' : digest(boot),
    pid: process.pid,
    start: await startOf('self'),
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** When a process began, in ticks since the boot: field 22 of `/proc/PID/stat`. The name before it may have spaces. */
async function startOf(pid: string): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 1).split(' ')[20] ?? '0';
}

/** Whether there is a process with a number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is one, too.
    return (error as { readonly code?: unknown }).code === 'EPERM';
  }
}
