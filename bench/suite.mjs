/**
 * The cases of the benchmarks, for run.mjs and guard.mjs. Each file of GROUPS is a hot path and exports `cases`, a list
 * of functions that each give one:
 *
 *     { work, against, floor?, aim?, target?, check, ours, rival? }
 *
 * `check` compares the outputs of both sides. `ours` and `rival` are sides of harness.mjs: `{ run, values, part? }`,
 * where `part(count)` is the same work on about `count` values. `floor` and `aim` are ratios. A case without a rival
 * has at most a `target` in values a second, which is printed and never judged: absolute times belong to a machine.
 *
 * What the ratios compare with is in rivals/, a package of its own with exact versions and a lock file, installed here
 * when it is missing. Each rival is written in its best honest form: a slow rival would flatter.
 */
import { fork, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** In the order of the table in docs/guide/performance.md. */
export const GROUPS = [
  { title: 'Whole records', files: ['policy'] },
  { title: 'Tokens', files: ['token'] },
  { title: 'Sealed values', files: ['seal'] },
  { title: 'Format-preserving encryption', files: ['ff1', 'card', 'date', 'regex'] },
  { title: 'Addresses', files: ['ip'] },
];

const FILES = GROUPS.flatMap((group) => group.files);

export const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Makes the cases one after another. A file that cannot be loaded, or a case that cannot be made, is told to
 * `refuse(what, error)` when it is wanted: a part of the package that is not there is a failure, not a skip.
 *
 * @param wanted (file, work?) → whether it is; without `work`, whether anything of the file may be
 */
export async function* allCases(refuse, wanted = () => true) {
  for (const file of FILES) {
    let cases = [];
    try {
      ({ cases } = await import(`./cases/${file}.mjs`));
    } catch (error) {
      if (wanted(file)) refuse(file, error);
    }
    for (const [index, make] of cases.entries()) {
      let one;
      try {
        one = make();
      } catch (error) {
        if (wanted(file)) refuse(`${file}, case ${index + 1}`, error);
        continue;
      }
      if (wanted(file, one.work)) yield { file, index, one };
    }
  }
}

/** Times a case in a fresh process: the result of child.mjs. `effort` is 'quick' or 'full'. */
export function timed(file, index, effort) {
  return answer('child.mjs', [file, String(index), effort]);
}

/** The one message of a process that runs a program of this folder; `execArgv` are flags of Node. */
export function answer(program, args, execArgv = []) {
  return new Promise((resolve, reject) => {
    const child = fork(path(program), args, { execArgv });
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process that timed it ended with ${code} and no result`)));
  });
}

/** What went wrong, in one line. */
export function reason(error) {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}

export function installRivals() {
  const { dependencies } = JSON.parse(readFileSync(path('rivals/package.json'), 'utf8'));
  const there = Object.entries(dependencies).every(([name, version]) => {
    try {
      return JSON.parse(readFileSync(path(`rivals/node_modules/${name}/package.json`), 'utf8')).version === version;
    } catch {
      return false;
    }
  });
  if (there) return;
  console.log('installing bench/rivals');
  const npm = spawnSync('npm', ['ci', '--silent'], {
    cwd: path('rivals'),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) throw new Error('npm ci failed in bench/rivals');
}
