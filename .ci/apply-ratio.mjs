// `trefoil apply --ndjson` against the same program with the identity in place of the policy (every field `keep`), and
// against the barest program that parses and writes lines: whole processes, in turn.
// `node .ci/apply-ratio.mjs [rows] [rounds]`; the first ratio must be at most 2.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const rows = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 7);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-apply-'));
const at = (name) => join(folder, name);

// Lines in, parsed, written, lines out, flushed a chunk: none of the checks.
const BARE = `
let rest = '';
const decoder = new TextDecoder('utf-8', { fatal: true });
for await (const chunk of process.stdin) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split('\\n');
  rest = lines.pop();
  let text = '';
  for (const line of lines) text += JSON.stringify(JSON.parse(line)) + '\\n';
  if (text !== '') await new Promise((done) => process.stdout.write(text, done));
}
`;

function run(args) {
  const [input, output] = [openSync(at('in.ndjson')), openSync(at('out'), 'w')];
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: [input, output, 'pipe'] });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  closeSync(input);
  closeSync(output);
  if (status !== 0) throw new Error(stderr.toString());
  return seconds;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

try {
  const made = spawnSync(process.execPath, ['.ci/make-million-rows.mjs', String(rows)], { maxBuffer: 2 ** 30 });
  const [header, ...lines] = made.stdout.toString().trimEnd().split('\n');
  const names = header.split(',');
  const records = lines.map((line) => JSON.stringify(Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell]))));
  writeFileSync(at('in.ndjson'), `${records.join('\n')}\n`);
  writeFileSync(at('bare.mjs'), BARE);
  const keep = names.map((name) => `  ${name}: keep\n`).join('');
  writeFileSync(at('keep.policy.yaml'), `trefoil: 1\ndomain: load\nfields:\n${keep}`);
  spawnSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')]);
  const apply = (policy) => ['dist/cli.js', 'apply', '--ndjson', '--policy', policy, '--keys', at('keys.json')];
  const ways = { apply: apply('.ci/etl.policy.yaml'), identity: apply(at('keep.policy.yaml')), bare: [at('bare.mjs')] };
  const ratios = { identity: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    const seconds = {};
    const order = Object.keys(ways);
    if (round % 2 === 1) order.reverse();
    for (const way of order) seconds[way] = run(ways[way]);
    for (const way of Object.keys(ratios)) ratios[way].push(seconds.apply / seconds[way]);
  }
  for (const [way, found] of Object.entries(ratios)) {
    const shown = found.toSorted((a, b) => a - b).map((ratio) => ratio.toFixed(2));
    console.log(`apply --ndjson, ${rows} rows: ${median(found).toFixed(2)} of ${way} (${shown.join(' ')})`);
  }
  if (median(ratios.identity) > 2) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
