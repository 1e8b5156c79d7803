// Times whole processes in turn: a file with half of its rows rejected against the same file with no row rejected, as
// CSV and as NDJSON. It also checks the peak memory.
// `node bench/processes/rejects.mjs [rows] [rounds]`
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTurn, judge } from './ratios.mjs';

const rows = Number(process.argv[2] ?? 400_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-rejects-'));
const at = (name) => join(folder, name);

/** The exit codes. A run that rejected rows ends with 9: it was completed, and some rows were left out. */
const DONE = { none: 0, half: 9 };
let peak = 0;

/** Runs the command line once, records the peak memory and returns the seconds that it took. */
function run(kind, which) {
  const args = ['--import', './.ci/data/report-peak.mjs', 'dist/cli.js', 'protect', at(`${which}.${kind}`)];
  const policy = ['--policy', 'bench/processes/files.policy.yaml', '--keys', at('keys.json')];
  const out = ['--out', at(`out.${kind}`), '--on-error', 'reject', '--rejects', at('rejects.ndjson'), '--force'];
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, [...args, ...policy, ...out]);
  const took = Number(process.hrtime.bigint() - begin) / 1e9;
  const said = stderr.toString();
  if (status !== DONE[which]) throw new Error(said);
  peak = Math.max(peak, Number(/^peak memory: (\d+) MB$/m.exec(said)[1]));
  return took;
}

try {
  execFileSync(process.execPath, ['.ci/data/make-million-rows.mjs', String(rows)], {
    stdio: ['ignore', openSync(at('none.csv'), 'w'), 'inherit'],
  });
  execFileSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')], { stdio: 'ignore' });
  const [header, ...lines] = readFileSync(at('none.csv'), 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  const born = names.indexOf('born');
  const spoil = (cells, i) => (i % 2 === 0 ? cells : cells.with(born, 'last spring'));
  const table = lines.map((line) => line.split(','));
  const object = (cells) => JSON.stringify(Object.fromEntries(names.map((name, c) => [name, cells[c]])));
  writeFileSync(at('half.csv'), `${[header, ...table.map((cells, i) => spoil(cells, i).join(','))].join('\n')}\n`);
  writeFileSync(at('none.ndjson'), `${table.map(object).join('\n')}\n`);
  writeFileSync(at('half.ndjson'), `${table.map((cells, i) => object(spoil(cells, i))).join('\n')}\n`);
  for (const kind of ['csv', 'ndjson']) {
    const took = inTurn({ none: () => run(kind, 'none'), half: () => run(kind, 'half') }, rounds);
    judge(
      `half of ${rows} rows rejected, time / time with none rejected, ${kind}`,
      took.map(({ half, none }) => half / none),
      3,
      4,
    );
  }
  console.log(`peak memory ${peak} MB`);
  if (peak >= 300) throw new Error('the peak memory is not below 300 MB');
} finally {
  rmSync(folder, { recursive: true });
}
