// Times whole processes in turn, with a file of a million rows: two workers against a copy by csv-parse and
// csv-stringify, and two workers against one. Then the time to the first row, against an empty program.
// `node bench/processes/files.mjs [rows] [rounds]`
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inTurn, judge, seconds } from './ratios.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-etl-'));
const at = (name) => join(folder, name);

const COPY = `
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from ${JSON.stringify(resolve('node_modules/csv-parse/lib/index.js'))};
import { stringify } from ${JSON.stringify(resolve('node_modules/csv-stringify/lib/index.js'))};
const [, , from, to] = process.argv;
await pipeline(createReadStream(from), parse(), stringify(), createWriteStream(to));
`;

const RECORD = {
  id: '1',
  name: 'Ada',
  email: 'a@b.cd',
  card: '4111111111111111',
  born: '1815-12-10',
  city: 'x',
  phone: '1',
};

try {
  execFileSync(process.execPath, ['.ci/data/make-million-rows.mjs', String(rows)], {
    stdio: ['ignore', openSync(at('in.csv'), 'w'), 'inherit'],
  });
  execFileSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')], { stdio: 'ignore' });
  writeFileSync(at('copy.mjs'), COPY);
  writeFileSync(at('one.ndjson'), `${JSON.stringify(RECORD)}\n`);
  const policy = ['--policy', 'bench/processes/files.policy.yaml', '--keys', at('keys.json')];
  const out = ['--out', at('out.csv'), '--force'];
  const protect = (workers) => () =>
    seconds(['dist/cli.js', 'protect', at('in.csv'), ...policy, ...out, '--workers', workers]);
  const files = inTurn(
    { one: protect('1'), two: protect('2'), copy: () => seconds([at('copy.mjs'), at('in.csv'), at('copy.csv')]) },
    rounds,
  );
  judge(
    'two workers, time / time of the copy',
    files.map(({ two, copy }) => two / copy),
    1,
    1.2,
  );
  // The target is 1.6 times as fast and not twice: the garbage collector and the compiler of a single worker already
  // use the second core.
  judge(
    'two workers, time / time of one worker',
    files.map(({ one, two }) => two / one),
    1 / 1.6,
    1 / 1.2,
  );

  const first = () => seconds(['dist/cli.js', 'apply', '--ndjson', ...policy], { input: at('one.ndjson') });
  const starts = inTurn({ first, empty: () => seconds(['-e', '0']) }, 15);
  judge(
    'the first row, time / time of node -e 0',
    starts.map(({ first, empty }) => first / empty),
    4,
    6,
  );
} finally {
  rmSync(folder, { recursive: true });
}
