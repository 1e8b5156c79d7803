/**
 * The cases of the benchmarks, for run.mjs and guard.mjs. Each file of GROUPS covers a hot path and exports `cases`, a
 * list of functions that each return a case:
 *
 *     { work, against, floor?, aim?, target?, check, ours, rival? }
 *
 * `check` compares the outputs of both sides. `ours` and `rival` are sides as described in harness.mjs: `{ run, values,
 * part? }`, where `part(count)` is the same work on about `count` values. `floor` and `aim` are ratios. A case without
 * a rival may have a `target` in values per second. It is printed but never judged, because absolute times depend on
 * the machine.
 *
 * The rivals are in rivals/, which is a package with exact versions and a lock file. It is installed here if it is
 * missing. Each rival is written in its fastest honest form, because a slow rival would flatter us.
 */
import { fork, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The groups of cases, in the order of the table in docs/guide/performance.md. */
export const GROUPS = [
  { title: 'Whole records', files: ['policy'] },
  { title: 'Tokens', files: ['token'] },
  { title: 'Sealed values', files: ['seal'] },
  { title: 'Format-preserving encryption', files: ['ff1', 'card', 'date', 'regex'] },
  { title: 'Addresses', files: ['ip'] },
  { title: 'Signed notes', files: ['notes', 'warrants'] },
];

const FILES = GROUPS.flatMap((group) => group.files);

export const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Makes the cases one after another. If a wanted file cannot be loaded, or a wanted case cannot be made,
 * `refuse(what, error)` is called: a missing part of the package is a failure and is not skipped.
 *
 * @param wanted a function of a file and optionally of `work` that tells whether the case is wanted; without `work`,
 *   whether any case of the file may be wanted
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

/** Times a case in a fresh process and returns the result of child.mjs. `effort` is 'quick' or 'full'. */
export function timed(file, index, effort) {
  return answer('child.mjs', [file, String(index), effort]);
}

/** Runs a program of this folder and returns the one message that it sends. `execArgv` are flags of Node. */
export function answer(program, args, execArgv = []) {
  return new Promise((resolve, reject) => {
    const child = fork(path(program), args, { execArgv });
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the process of the measurement ended with exit code ${code} and without a result`)),
    );
  });
}

/** The first line of an error's message. */
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
