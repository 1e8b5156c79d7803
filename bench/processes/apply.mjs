// Compares `trefoil apply --ndjson` with the same program under a policy that keeps every field (the identity), and
// with the shortest program that parses and writes lines. Whole processes are timed in turn.
// `node bench/processes/apply.mjs [rows] [rounds]`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTurn, judge, seconds } from './ratios.mjs';

const rows = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-apply-'));
const at = (name) => join(folder, name);

// Reads lines, parses them, and writes them with a flush after each chunk, without any check.
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

try {
  const made = spawnSync(process.execPath, ['.ci/data/make-million-rows.mjs', String(rows)], { maxBuffer: 2 ** 30 });
  const [header, ...lines] = made.stdout.toString().trimEnd().split('\n');
  const names = header.split(',');
  const record = (line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell]));
  const records = lines.map((line) => JSON.stringify(record(line)));
  writeFileSync(at('in.ndjson'), `${records.join('\n')}\n`);
  writeFileSync(at('bare.mjs'), BARE);
  const keep = names.map((name) => `  ${name}: keep\n`).join('');
  writeFileSync(at('keep.policy.yaml'), `trefoil: 1\ndomain: load\nfields:\n${keep}`);
  spawnSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')]);
  const apply = (policy) => ['dist/cli.js', 'apply', '--ndjson', '--policy', policy, '--keys', at('keys.json')];
  const files = { input: at('in.ndjson'), output: at('out') };
  const took = inTurn(
    {
      apply: () => seconds(apply('bench/processes/files.policy.yaml'), files),
      identity: () => seconds(apply(at('keep.policy.yaml')), files),
      bare: () => seconds([at('bare.mjs')], files),
    },
    rounds,
  );
  judge(
    `apply --ndjson, ${rows} rows, time / time of the identity`,
    took.map(({ apply, identity }) => apply / identity),
    2,
    2.5,
  );
  // For comparison: a program without a single check.
  judge(
    `apply --ndjson, ${rows} rows, time / time of the shortest program`,
    took.map(({ apply, bare }) => apply / bare),
    3,
    5,
  );
} finally {
  rmSync(folder, { recursive: true });
}
