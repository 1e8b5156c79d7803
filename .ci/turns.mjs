// The long comparisons, and which of them a run of .ci/run does: with --all each of them; else those whose sources
// changed since the commit in .ci/last-all (the last one that was green with --all), and one of the others by turns. A
// source is a folder (it ends in a slash) or a file. Writes one line a comparison to standard output, its name, a tab
// and its command; and on standard error why each of them was chosen.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const vitest = (...files) => `npx vitest run ${files.join(' ')} --typecheck.enabled=false`;
/** What a neighbour on the machine slows down is not slow three times. */
const again = (command, times = 2) => Array.from({ length: times }, () => command).join(' || ');

/** Whatever a record goes through between a file and a file. */
const STREAMS = ['src/csv.ts', 'src/ndjson.ts', 'src/tsv.ts', 'src/io/', 'src/files/', 'src/policy/'];
const VAULT = ['src/vault.ts', 'src/vault/', 'src/rule/vault.ts', 'src/kernel/'];

export const LONG = [
  {
    name: 'FF1 over 100,000 cases against the literal algorithm',
    command: `TREFOIL_LONG=1 ${vitest('test/kernel/ff1/many.test.ts')}`,
    sources: ['src/kernel/', 'src/ff1.ts', 'test/kernel/ff1/many.test.ts', 'test/reference/ff1.ts'],
  },
  {
    name: 'kernels over a million inputs against node:crypto, noble and the literal references',
    command: `TREFOIL_LONG=1 ${vitest('test/kernel/prf/prf.test.ts')}`,
    sources: ['src/kernel/', 'test/kernel/prf/prf.test.ts', 'test/reference/sha256.ts', 'test/reference/blake3.ts'],
  },
  {
    name: 'ten million tokens neither leak nor slow down',
    command: again('npm run soak -- 10', 3),
    sources: ['src/kernel/', 'src/rule/token.ts', 'src/core/', 'src/wire/', 'bench/soak.mjs'],
  },
  {
    name: 'benchmarks: outputs agree with the rivals, floors, base against head, instructions',
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
    name: 'ten million rows by every engine, in flat memory',
    command: 'bash .ci/memory',
    sources: [...STREAMS, 'src/duckdb/', 'src/cli/run/run.ts', '.ci/memory'],
  },
  {
    name: 'kill -9 at twenty random moments of six ways to run, and go on',
    command: `TREFOIL_LONG=1 ${vitest('test/files/resume.test.ts')}`,
    sources: ['src/files/', 'src/cli/run/run.ts', 'test/files/resume.test.ts'],
  },
  {
    name: '100,000 damaged files against a second parser',
    command: `TREFOIL_LONG=1 ${vitest('test/io/corpus.test.ts')}`,
    sources: ['src/csv.ts', 'src/io/', 'test/io/corpus.test.ts'],
  },
  {
    name: 'files: a million rows against csv-parse and csv-stringify, workers, the first row',
    command: again('node bench/processes/files.mjs'),
    sources: [...STREAMS, 'bench/processes/files.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'half of the rows rejected against none',
    command: again('node bench/processes/rejects.mjs'),
    sources: ['src/files/', 'src/io/', 'src/rule/rule.ts', 'bench/processes/rejects.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'apply against the identity',
    command: again('node bench/processes/apply.mjs'),
    sources: [
      'src/io/apply.ts',
      'src/cli/commands/apply.ts',
      'src/policy/',
      'bench/processes/apply.mjs',
      'bench/processes/ratios.mjs',
    ],
  },
  {
    name: 'DuckDB against DuckDB and the rules',
    command: again('node bench/processes/duckdb.mjs'),
    sources: ['src/duckdb/', 'src/duckdb.ts', 'bench/processes/duckdb.mjs', 'bench/processes/ratios.mjs'],
  },
  {
    name: 'PostgreSQL, table to table',
    command: 'bash .ci/postgres',
    sources: [...VAULT, 'src/tsv.ts', 'test/vault/', 'test/io/postgres.test.ts', '.ci/postgres'],
  },
  {
    name: 'stores over better-sqlite3',
    command: 'bash .ci/sqlite-drivers',
    sources: ['src/vault/stores/', 'src/vault/contract/', '.ci/sqlite-drivers'],
  },
  {
    name: 'the vault against its statements without cryptography',
    command: 'node bench/processes/vault.mjs',
    sources: [...VAULT, 'bench/processes/vault.mjs'],
  },
  {
    name: 'a vault of ten million tombstones',
    command: 'node bench/processes/vault-size.mjs 10000000 tombstones',
    sources: [...VAULT, 'bench/processes/vault-size.mjs'],
  },
  {
    name: 'GNU parallel',
    command: 'bash .ci/parallel',
    sources: ['src/io/apply.ts', 'src/cli/commands/apply.ts', 'src/tsv.ts', '.ci/parallel'],
  },
  {
    name: 'Spark with a killed executor',
    command: 'bash .ci/spark',
    sources: ['src/io/apply.ts', 'src/cli/commands/apply.ts', 'src/ndjson.ts', '.ci/spark', '.ci/spark.py'],
  },
  {
    name: 'the two commands on Node 22',
    command: 'bash .ci/other-nodes 22',
    sources: ['src/', 'test/', 'tsup.config.ts', 'vitest.config.ts', '.ci/other-nodes'],
  },
  {
    name: 'the two commands on Node 24',
    command: 'bash .ci/other-nodes 24',
    sources: ['src/', 'test/', 'tsup.config.ts', 'vitest.config.ts', '.ci/other-nodes'],
  },
];

/** Files whose change is a change of everything: other versions of what the code stands on. */
const EVERYTHING = ['package-lock.json'];

/**
 * @param changed paths since the last run of all; `null` where that is not known, and all are run.
 * @param commits how many there are: it goes up by one or more with every change, so the turns come round.
 * @returns the comparisons to run, in the order of the table, each with the reason.
 */
export function choose(long, changed, commits) {
  if (changed === null) return long.map((one) => ({ ...one, reason: 'all' }));
  const touched = (sources) =>
    changed.find((path) =>
      [...sources, ...EVERYTHING].some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one)),
    );
  const reasons = long.map(({ sources }) => touched(sources));
  const others = long.filter((_, i) => reasons[i] === undefined);
  const turn = others[commits % others.length];
  return long.flatMap((one, i) => {
    if (reasons[i] !== undefined) return [{ ...one, reason: `${reasons[i]} has changed` }];
    return one === turn ? [{ ...one, reason: `its turn, at ${commits} commits` }] : [];
  });
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** What has changed since the commit in .ci/last-all, the working tree included; `null` where it is not known. */
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
  if (!all && changed === null) console.error(`commit ${last} of .ci/last-all is not here: all comparisons are run`);
  const chosen = choose(LONG, changed, Number(git('rev-list', '--count', 'HEAD')));
  console.error(`${chosen.length} of ${LONG.length} long comparisons:`);
  for (const { name, reason } of chosen) console.error(`  ${name} (${reason})`);
  for (const { name, command } of chosen) console.log(`${name}\t${command}`);
}
