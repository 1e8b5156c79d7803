/**
 * Lists every file and folder that a command makes. The command runs under strace, and the system calls that make, name
 * and open files are read in their order.
 *
 * Without strace, tests are skipped on a developer's machine and fail in CI, where `CI` is set.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLI, type Ended } from './harness.ts';

/** Whether strace is installed and allowed to trace. */
export const CAN_TRACE: boolean = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!CAN_TRACE && process.env.CI) throw new Error('strace is not there, or may not watch: apt-get install strace');

/** A file or folder that a command made. */
export interface Made {
  /** Path below the folder of the command, or absolute. Random names are `.trefoil-*.tmp` and
   * `.trefoil-guard-*.lock`. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** Every mode that it had, in octal digits, beginning with the one that it was made with. */
  readonly modes: readonly string[];
}

/** How a traced command ended, and what it made. */
export interface Traced extends Ended {
  readonly made: readonly Made[];
}

const CALLS =
  'open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,' +
  'chmod,fchmod,fchmodat,mknod,mknodat';

/** Runs trefoil in a folder under strace, with a umask of 0, so that every mode is the requested one. */
export async function traced(dir: string, args: readonly string[], input = ''): Promise<Traced> {
  const outside = mkdtempSync(join(tmpdir(), 'trefoil-trace-'));
  const log = join(outside, 'log');
  const home = join(outside, 'home');
  const temporary = join(outside, 'tmp');
  for (const folder of [home, temporary]) mkdirSync(folder);
  const before = new Set(readdirSync(dir, { recursive: true }).map((name) => resolve(realpathSync(dir), String(name))));
  const line = `umask 0; exec strace -f -qq -s 8192 -e trace=${CALLS} -o "$0" "$@"`;
  const child = spawn('bash', ['-c', line, log, process.execPath, CLI, ...args], {
    cwd: dir,
    // io_uring opens files without a system call that strace could see.
    env: { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8', UV_USE_IO_URING: '0' },
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString('utf8');
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  return { code, ...texts, made: madeIn(readFileSync(log, 'utf8'), realpathSync(dir), before) };
}

/** Complete calls, in the order in which they ended. */
function* callsOf(log: string): Generator<{ name: string; args: string; result: number }> {
  const begun = new Map<string, string>();
  for (const line of log.split('\n')) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest!);
    if (unfinished !== null) {
      begun.set(pid, unfinished[1]!);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest!);
    const whole = resumed === null ? rest! : (begun.get(pid) ?? '') + resumed[1]!;
    const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(whole) ?? [];
    if (name !== undefined) yield { name, args: args!, result: Number(result) };
  }
}

interface Found {
  readonly paths: Set<string>;
  readonly kind: Made['kind'];
  readonly modes: string[];
}

/**
 * Replays the calls. A file with two names (`link`, `rename`) is one file with two paths.
 *
 * @param known paths that existed before.
 */
function madeIn(log: string, dir: string, known: Set<string>): readonly Made[] {
  const all: Found[] = [];
  /** The file at each path. It is known only for files that this command made or opened successfully. */
  const there = new Map<string, Found>();
  const open = new Map<number, string>();
  const strings = (args: string) => [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => resolve(dir, path!));
  const octal = (args: string) => /, 0?([0-7]{1,4})$/.exec(args)?.[1]?.replace(/^0+/, '') ?? '?';

  for (const { name, args, result } of callsOf(log)) {
    if (result < 0) continue;
    const [path = '', to = ''] = strings(args);
    if (/^\/(?:dev|proc|sys)\//.test(path)) continue;
    if (/^(?:open|openat|creat)$/.test(name)) {
      open.set(result, path);
      if (!/O_CREAT/.test(args) && name !== 'creat') {
        if (!there.has(path)) known.add(path);
      } else if (!there.has(path) && (!known.has(path) || /O_EXCL/.test(args))) {
        const found: Found = { paths: new Set([path]), kind: 'file', modes: [octal(args)] };
        all.push(found);
        there.set(path, found);
      }
    } else if (/^mkdir/.test(name)) {
      const found: Found = { paths: new Set([path]), kind: 'folder', modes: [octal(args)] };
      all.push(found);
      there.set(path, found);
    } else if (/^(?:rename|link|symlink|mknod)/.test(name)) {
      const found = there.get(path);
      if (/^(?:symlink|mknod)/.test(name)) all.push({ paths: new Set([to || path]), kind: 'file', modes: ['?'] });
      else if (found !== undefined) {
        found.paths.add(to);
        there.set(to, found);
        if (/^rename/.test(name)) there.delete(path);
      }
    } else if (/^(?:unlink|rmdir)/.test(name)) {
      there.delete(path);
      known.delete(path);
    } else {
      const at = name === 'fchmod' ? open.get(Number(/^\d+/.exec(args)?.[0])) : path;
      const mode = octal(args);
      there.get(at ?? '')?.modes.push(mode);
    }
  }
  return all.flatMap(({ paths, kind, modes }) => [...paths].map((path) => ({ path: nameOf(path, dir), kind, modes })));
}

function nameOf(path: string, dir: string): string {
  const below = path.startsWith(`${dir}/`) ? path.slice(dir.length + 1) : path;
  return below
    .replace(/\.trefoil-[0-9a-f-]+\.tmp/, '.trefoil-*.tmp')
    .replace(/\.trefoil-guard-[0-9a-f]{32}\.lock/, '.trefoil-guard-*.lock');
}
