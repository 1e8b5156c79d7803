/// <reference types="node" />
/**
 * Names of temporary files and folders beside an output, and the removal of those that killed runs left behind.
 *
 * The name itself tells which process it belongs to: `.trefoil-HOST-BOOT-PID-START-RANDOM.tmp`. HOST is a digest of the
 * host name and the process namespace, BOOT a digest of Linux's boot identifier, START the time at which the process
 * began. A file is stale if it is of this host and its process has ended: the host was booted again, no process has the
 * number, or a later process has it. A file of another host is never removed.
 */

import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isOver, thisOwner } from './owner.ts';

/** The parts of a name. BOOT and START are `0` if the system does not tell them. */
const NAME = /^\.trefoil-([0-9a-f]{8})-([0-9a-f]{8}|0)-([0-9]{1,10})-([0-9]{1,20})-[0-9a-f]{32}\.tmp$/;

const swept = new Map<string, Promise<void>>();

/**
 * Returns a new name in a folder, for a file or folder of this process. The first call for a folder removes what killed
 * runs left there.
 */
export async function temporaryPath(folder: string): Promise<string> {
  const place = resolve(folder);
  if (!swept.has(place)) swept.set(place, removeStale(place));
  await swept.get(place);
  const { host, boot, pid, start } = await thisOwner();
  return join(folder, `.trefoil-${host}-${boot}-${pid}-${start}-${randomBytes(16).toString('hex')}.tmp`);
}

/** Removes files and folders of this user's ended runs. It never throws; what cannot be removed stays. */
export async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!(await isStale(name))) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => null);
    // In a folder that others can write to, a name proves nothing, so only files of this user are removed.
    if (stats === null || stats.uid !== process.getuid?.()) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isStale(name: string): Promise<boolean> {
  const [, host, boot, pid, start] = NAME.exec(name) ?? [];
  if (host === undefined) return false;
  return (await isOver({ host, boot: boot!, pid: Number(pid), start: start! })) === true;
}
