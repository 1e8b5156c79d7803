/// <reference types="node" />
/**
 * Which process a file or folder belongs to, and whether that process has ended. The process number alone does not
 * tell: the system uses it again, and another machine or container has processes with the same numbers.
 */

import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { errorCode } from '../system-error.ts';

/** What identifies a process among all others. */
export interface Owner {
  /** A digest of the name of the host and its process namespace, eight hexadecimal digits. */
  readonly host: string;
  /** A digest of Linux's boot identifier, eight hexadecimal digits; `0` if the system has none. */
  readonly boot: string;
  readonly pid: number;
  /** When the process began, in ticks since the boot; `0` if the system does not tell. */
  readonly start: string;
}

let self: Promise<Owner> | null = null;

/** This process. */
export function thisOwner(): Promise<Owner> {
  self ??= ownerOfSelf();
  return self;
}

/** Whether a process has ended; `null` for a process of another machine or container, which cannot be asked. */
export async function isOver({ host, boot, pid, start }: Owner): Promise<boolean | null> {
  const us = await thisOwner();
  if (host !== us.host) return null;
  if (boot !== us.boot || !isAlive(pid)) return true;
  return start !== '0' && start !== (await startOf(String(pid)));
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

/** Field 22 of `/proc/PID/stat`. The process name in field 2 may have spaces, so fields are counted after it. */
async function startOf(pid: string): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 1).split(' ')[20] ?? '0';
}

/** Whether there is a process with this number. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // `EPERM`: there is one, and it belongs to another user.
    return errorCode(error) === 'EPERM';
  }
}
