/**
 * Prepares two builds of the package, so that the same case files can run against both in one process.
 *
 * A case file has imports such as `import … from 'trefoil/ff1'`, which Node resolves by the package.json above the
 * file. So each build gets a folder with its `package.json`, its `dist` and a copy of *this* checkout's `bench` and
 * `docs/examples`. Both run the same cases on the same inputs, without a loader or a hook, and the two module graphs
 * share nothing but node_modules.
 *
 * The base is taken from git and built by its own tsup.config.ts. Its build tools and its dependencies are those that
 * are installed in this checkout, so that only our own code differs.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBaseline } from './guard-verdict.mjs';
import { path } from './suite.mjs';

const root = path('..');

/**
 * Finds the base: `reference` (anything that git can resolve), or else the commit that is pinned in baseline.json.
 * Throws an error that says what to do if git does not have the commit.
 */
export function findBase(reference) {
  const pinned = reference === undefined ? readBaseline(readFileSync(path('baseline.json'), 'utf8')) : undefined;
  const wanted = pinned?.commit ?? reference;
  const asked = git(['rev-parse', '--verify', '--quiet', `${wanted}^{commit}`]);
  if (asked.status !== 0) {
    const shallow = String(git(['rev-parse', '--is-shallow-repository']).stdout).trim() === 'true';
    const advice =
      git(['rev-parse', '--git-dir']).status !== 0
        ? `this folder is not a git checkout (${firstLine(git(['rev-parse', '--git-dir']).stderr)}): run the guard in a clone`
        : shallow
          ? 'this clone is shallow: fetch the commit (git fetch --unshallow), then run the guard again'
          : 'fetch it (git fetch --all), pin another commit in bench/baseline.json, or pass one with --base';
    throw new Error(`there is no base to compare with: git does not know ${wanted}; ${advice}`);
  }
  const commit = String(asked.stdout).trim();
  return { commit, why: pinned?.why ?? `--base ${reference}`, isHead: commit === head() };
}

/** Puts both builds into a temporary folder, which is removed when this process ends. Returns `{ head, base }`. */
export function layOut(commit) {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-guard-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
  // Both names have the same length, because paths are hashed and copied, and the guard counts these instructions, too.
  return { head: layOutHead(join(folder, 'head')), base: layOutBase(join(folder, 'base'), commit) };
}

function layOutHead(to) {
  mkdirSync(to);
  for (const name of ['package.json', 'dist']) cpSync(join(root, name), join(to, name), { recursive: true });
  return addCases(to);
}

function layOutBase(to, commit) {
  mkdirSync(to);
  const archive = join(to, 'archive.tar');
  must(git(['archive', '--format=tar', `--output=${archive}`, commit]), 'git archive');
  must(spawnSync('tar', ['-xf', archive, '-C', to]), 'tar');
  rmSync(join(to, 'bench'), { recursive: true, force: true });
  // Only the examples are replaced: the build may read other pages of the base, such as docs/third-party.md.
  rmSync(join(to, 'docs/examples'), { recursive: true, force: true });
  addCases(to);
  const tsup = join(to, 'node_modules/tsup/dist/cli-default.js');
  must(spawnSync(process.execPath, [tsup, '--no-dts', '--silent'], { cwd: to }), `building ${commit.slice(0, 7)}`);
  return to;
}

/**
 * Adds the cases, their rivals and their inputs. They are copied and not linked, because Node would follow a link back
 * to this checkout.
 */
function addCases(to) {
  const rivals = join(to, 'bench/rivals');
  mkdirSync(rivals, { recursive: true });
  for (const folder of ['.', 'cases', 'rivals']) {
    mkdirSync(join(to, 'bench', folder), { recursive: true });
    for (const name of readdirSync(path(folder)).filter((one) => /\.(mjs|json)$/.test(one))) {
      cpSync(join(path(folder), name), join(to, 'bench', folder, name));
    }
  }
  cpSync(join(root, 'docs/examples'), join(to, 'docs/examples'), { recursive: true });
  // Links are enough for packages, because both builds use the same ones.
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'), 'junction');
  symlinkSync(path('rivals/node_modules'), join(rivals, 'node_modules'), 'junction');
  return to;
}

const git = (args) => spawnSync('git', ['-C', root, ...args]);
const head = () => String(git(['rev-parse', 'HEAD']).stdout).trim();
const firstLine = (output) => String(output).trim().split('\n')[0];

function must({ status, stderr, error }, what) {
  if (status !== 0) throw new Error(`${what} failed: ${firstLine(error?.message ?? stderr)}`);
}
