// The list of long comparisons, and the choice of those that a run of .ci/run does. With --all, it does all of them.
// Otherwise it does those whose sources have changed since the commit in .ci/last-all (the last commit for which a run
// with --all was green), and one of the others, in rotation. A source is a file, or a folder if it ends in a slash.
//
// All together take two hours, and a run may take 90 minutes. So a run takes no more of them than fit into BUDGET. It
// begins at another one each time and names those that it puts off, which come first in a later run.
//
// The program writes one line for each chosen comparison to standard output: its name, a tab and its command. It writes
// the reason for each choice to standard error.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const vitest = (...files) => `npx vitest run ${files.join(' ')} --typecheck.enabled=false`;
/** A command that is repeated if it fails, because other work on the machine may slow down a single measurement. */
const again = (command, times = 2) => Array.from({ length: times }, () => command).join(' || ');

/** The code that a record passes through on its way from an input file to an output file. */
const STREAMS = ['src/csv.ts', 'src/ndjson.ts', 'src/tsv.ts', 'src/io/', 'src/files/', 'src/policy/'];
/** The same for TSV and NDJSON alone. */
const TSV = ['src/tsv.ts', 'src/io/tsv/', 'src/io/table.ts', 'src/io/header.ts'];
const NDJSON = ['src/ndjson.ts', 'src/io/ndjson/', 'src/io/table.ts', 'src/io/header.ts'];
const VAULT = ['src/vault.ts', 'src/vault/', 'src/rule/vault.ts', 'src/kernel/'];

/** The most minutes that the chosen comparisons may take together, by the estimate in the table. */
export const BUDGET = 25;

/** `minutes` is how long a comparison takes on a machine with two cores. */
export const LONG = [
  {
    name: 'FF1: 100,000 cases compared with the literal algorithm',
    minutes: 1,
    command: `TREFOIL_LONG=1 ${vitest('test/kernel/ff1/many.test.ts')}`,
    sources: ['src/kernel/', 'src/ff1.ts', 'test/kernel/ff1/many.test.ts', 'test/reference/ff1.ts'],
  },
  {
    name: 'keyed hashes: a million inputs compared with node:crypto, noble and the literal references',
    minutes: 2,
    command: `TREFOIL_LONG=1 ${vitest('test/kernel/prf/prf.test.ts')}`,
    sources: ['src/kernel/', 'test/kernel/prf/prf.test.ts', 'test/reference/sha256.ts', 'test/reference/blake3.ts'],
  },
  {
    name: 'ten million tokens: no memory leak, no slowdown',
    minutes: 4,
    command: again('npm run soak -- 10', 3),
    sources: ['src/kernel/', 'src/rule/token.ts', 'src/core/', 'src/wire/', 'bench/soak.mjs'],
  },
  {
    name: 'benchmarks: outputs compared with the rivals, floors, times and instructions against the base',
    minutes: 10,
    command: 'bash .ci/bench-guard',
    sources: [
      'src/kernel/',
      'src/rule/',
      'src/format/',
      'src/core/',
      'src/wire/',
      'src/prepare/',
      'src/policy/',
      'bench/',
    ],
  },
  {
    name: 'ten million rows by every engine, in constant memory',
    minutes: 9,
    command: 'bash .ci/memory',
    sources: [...STREAMS, 'src/duckdb/', 'src/cli/run/', '.ci/memory'],
  },
  {
    name: 'six ways to run, killed with kill -9 at twenty random moments and resumed',
    minutes: 4,
    command: `TREFOIL_LONG=1 ${vitest('test/files/resume.test.ts')}`,
    sources: ['src/files/', 'src/cli/run/', 'test/files/resume.test.ts'],
  },
  {
    name: 'rekeying killed with kill -9 at two hundred random moments, and 600 random histories of a lineage',
    minutes: 11,
    command: `TREFOIL_LONG=1 ${vitest('test/files/rekey.test.ts', 'test/property/histories.test.ts')}`,
    sources: [
      'src/files/',
      'src/policy/move/',
      'src/rule/',
      'src/keys/',
      'test/files/rekey.test.ts',
      'test/property/histories.test.ts',
    ],
  },
  {
    name: '100,000 damaged files compared with a second parser',
    minutes: 3,
    command: `TREFOIL_LONG=1 ${vitest('test/io/corpus.test.ts')}`,
    sources: ['src/csv.ts', 'src/io/', 'test/io/corpus.test.ts'],
  },
  {
    name: 'files: a million rows against csv-parse and csv-stringify, workers, the first row',
    minutes: 6,
    command: again('node bench/processes/files.mjs'),
    sources: [...STREAMS, 'bench/processes/files.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'files with half of their rows rejected, against the same files with none rejected',
    minutes: 4,
    command: again('node bench/processes/rejects.mjs'),
    sources: [
      'src/files/',
      'src/io/',
      'src/rule/rule.ts',
      'src/rule/columns.ts',
      'src/core/issues.ts',
      'bench/processes/rejects.mjs',
      'bench/processes/ratios.mjs',
    ],
  },
  {
    name: 'apply against apply with a policy that keeps every field',
    minutes: 3,
    command: again('node bench/processes/apply.mjs'),
    sources: [
      'src/io/apply.ts',
      'src/cli/commands/apply.ts',
      ...NDJSON,
      'src/policy/',
      'bench/processes/apply.mjs',
      'bench/processes/ratios.mjs',
    ],
  },
  {
    name: 'the DuckDB engine against DuckDB alone plus the rules alone',
    minutes: 4,
    command: again('node bench/processes/duckdb.mjs'),
    sources: ['src/duckdb/', 'src/duckdb.ts', 'bench/processes/duckdb.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'the writer of a log is killed 200 times, and a program in Go verifies what is left',
    minutes: 3,
    command: 'bash .ci/log/kills',
    sources: ['src/log/writer/', 'src/log/entry/', 'src/log/tree/', 'src/files/log/', 'test/files/log/'],
  },
  {
    name: 'a process that reveals with governed keys is killed 200 times, and nothing was released that is not logged',
    minutes: 6,
    command: 'bash .ci/govern/kills',
    sources: [
      'src/govern/access/',
      'src/govern/ledger/',
      'src/policy/waiting/',
      'src/log/writer/',
      'src/files/log/',
      'test/govern/attacks/',
    ],
  },
  {
    name: 'revealing with a warrant and a log against revealing without',
    minutes: 1,
    command: again('node bench/processes/govern.mjs'),
    sources: [
      'src/govern/access/',
      'src/govern/ledger/',
      'src/govern/people/',
      'src/policy/waiting/',
      'src/log/entry/subjects.ts',
      'bench/processes/govern.mjs',
      'bench/processes/ratios.mjs',
    ],
  },
  {
    name: 'revealing through a gateway against revealing here',
    minutes: 1,
    command: again('node bench/processes/gateway.mjs'),
    sources: ['src/gateway/', 'src/policy/elsewhere/', 'bench/processes/gateway.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'appending to a log against plain code that writes the same files',
    minutes: 2,
    command: again('node bench/processes/log.mjs', 3),
    sources: ['src/log/writer/', 'src/log/entry/', 'src/log/tree/', 'src/files/log/', 'bench/processes/log.mjs'],
  },
  {
    name: 'the verdicts of Go on notes and Ed25519 signatures, made again',
    minutes: 1,
    command: 'bash .ci/log/verdicts',
    sources: [
      'src/note/',
      'src/kernel/curves/',
      'test/note/',
      'test/kernel/curves/',
      'test/reference/generators/notes/',
    ],
  },
  {
    name: 'verifying a log of a million entries: time against bare SHA-256, memory, and what is new',
    minutes: 2,
    command: again('node bench/processes/log-verify.mjs'),
    sources: ['src/log/tree/', 'src/log/verify/', 'src/kernel/merkle.ts', 'bench/processes/log-verify.mjs'],
  },
  {
    name: '10,000 random histories of a log, judged by trefoil and by a program in Go',
    minutes: 8,
    command: 'bash .ci/log/histories',
    sources: [
      'src/log/tree/',
      'src/log/verify/',
      'src/kernel/merkle.ts',
      'src/note/',
      'test/log/verify/',
      'test/reference/generators/log/',
      '.ci/log/histories',
    ],
  },
  {
    name: 'PostgreSQL: table to table, and vaults',
    minutes: 3,
    command: 'bash .ci/postgres',
    sources: [...VAULT, ...TSV, 'test/vault/', 'test/io/postgres.test.ts', '.ci/postgres'],
  },
  {
    name: 'the contract of stores over better-sqlite3',
    minutes: 2,
    command: 'bash .ci/sqlite-drivers',
    sources: ['src/vault/stores/', 'src/vault/contract/', '.ci/sqlite-drivers'],
  },
  {
    name: 'the vault against its SQL statements without cryptography',
    minutes: 3,
    command: 'node bench/processes/vault.mjs',
    sources: [...VAULT, 'bench/processes/vault.mjs'],
  },
  {
    name: 'a vault with ten million tombstones',
    minutes: 5,
    command: 'node bench/processes/vault-size.mjs 10000000 tombstones',
    sources: [...VAULT, 'bench/processes/vault-size.mjs'],
  },
  {
    name: 'GNU parallel',
    minutes: 1,
    command: 'bash .ci/parallel',
    sources: ['src/io/apply.ts', 'src/cli/commands/apply.ts', ...TSV, '.ci/parallel'],
  },
  {
    name: 'Spark with a killed executor',
    minutes: 4,
    command: 'bash .ci/spark',
    sources: ['src/io/apply.ts', 'src/cli/commands/apply.ts', ...NDJSON, '.ci/spark', '.ci/spark.py'],
  },
  {
    name: 'the packed tarball with each optional companion, in an empty folder, on Node 20, 22 and 24',
    minutes: 5,
    command: 'bash .ci/companions',
    sources: [
      'src/',
      'package.json',
      'tsup.config.ts',
      'tsup.notices.ts',
      'tsup.sbom.ts',
      'tsup.vectors.ts',
      '.ci/companions',
      '.ci/data/companions.mjs',
      '.ci/postgres',
    ],
  },
  {
    name: 'key wrappers with the SDKs of AWS, Google and Azure, and with SoftHSM',
    minutes: 2,
    command: 'bash test/kms/run',
    sources: ['src/custody.ts', 'src/custody/', 'src/cli/custody/', 'docs/guide/keys/kms.md', 'test/kms/'],
  },
  {
    name: 'the two commands of the README on Node 22',
    minutes: 15,
    command: 'bash .ci/other-nodes 22',
    sources: ['src/', 'test/', 'tsup.config.ts', 'vitest.config.ts', '.ci/other-nodes'],
  },
  {
    name: 'the two commands of the README on Node 24',
    minutes: 15,
    command: 'bash .ci/other-nodes 24',
    sources: ['src/', 'test/', 'tsup.config.ts', 'vitest.config.ts', '.ci/other-nodes'],
  },
];

/** If one of these files has changed, so may have the versions of the dependencies, and every comparison is run. */
const EVERYTHING = ['package-lock.json'];

/**
 * Chooses the comparisons to run.
 *
 * @param changed the paths that have changed since the last run with --all; `null` if all comparisons are to run
 * @param commits the number of commits. Every change raises it by one or more, so each comparison has its turn.
 * @param budget the most minutes that they may take together
 * @returns the chosen comparisons and those that are put off, each in the order of the list and with its reason
 */
export function choose(long, changed, commits, budget = BUDGET) {
  if (changed === null) return { chosen: long.map((one) => ({ ...one, reason: 'all' })), off: [] };
  const touched = (sources) =>
    changed.find((path) =>
      [...sources, ...EVERYTHING].some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one)),
    );
  const reasons = new Map(long.map((one) => [one, touched(one.sources)]));
  const due = long.filter((one) => reasons.get(one) !== undefined);
  const others = long.filter((one) => !due.includes(one));
  // Those that have changed come first, from another one on each time; then one of the others.
  const first = due.length === 0 ? 0 : commits % due.length;
  const turn = others.length === 0 ? [] : [others[commits % others.length]];
  const taken = new Set();
  let left = budget;
  for (const one of [...due.slice(first), ...due.slice(0, first), ...turn]) {
    if (one.minutes > left) continue;
    left -= one.minutes;
    taken.add(one);
  }
  const withReason = (one) => {
    const path = reasons.get(one);
    return { ...one, reason: path === undefined ? `its turn, at ${commits} commits` : `${path} has changed` };
  };
  return {
    chosen: long.filter((one) => taken.has(one)).map(withReason),
    off: due.filter((one) => !taken.has(one)).map(withReason),
  };
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The paths that have changed since a commit, working tree included; `null` if git does not know the commit. */
function changedSince(last) {
  try {
    return git('diff', '--name-only', last)
      .split('\n')
      .filter((path) => path !== '');
  } catch {
    return null;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const last = readFileSync(new URL('last-all', import.meta.url), 'utf8').trim();
  const all = process.argv.includes('--all');
  const changed = all ? null : changedSince(last);
  if (!all && changed === null) {
    console.error(`this clone does not have the commit in .ci/last-all (${last}), so every source counts as changed`);
  }
  const known = all ? null : (changed ?? EVERYTHING);
  const { chosen, off } = choose(LONG, known, Number(git('rev-list', '--count', 'HEAD')));
  console.error(`${chosen.length} of ${LONG.length} long comparisons:`);
  for (const { name, reason } of chosen) console.error(`  ${name} (${reason})`);
  if (off.length > 0) console.error(`${off.length} are put off to a later run, or to one with --all:`);
  for (const { name, reason } of off) console.error(`  ${name} (${reason})`);
  for (const { name, command } of chosen) console.log(`${name}\t${command}`);
}
