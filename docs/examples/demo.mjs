/**
 * `npm run demo`: protects docs/examples/people.csv under people.policy.yaml with a throw-away keyset, shows a row
 * before and after, reveals, and compares. It uses only the public interface of the package.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseCsv } from 'csv-parse/sync';
import { keyset } from 'trefoil';
import { protectCsv, revealCsv } from 'trefoil/csv';
import { explain, parsePolicy } from 'trefoil/policy';
import { revealAccess } from 'trefoil/reveal';
import { parse as parseYaml } from 'yaml';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const input = path('people.csv');
const out = path('../../demo-out');

// The keys exist only in this process, so nobody can reveal the file that it writes.
const keys = keyset.generate().domain('eu-enclave');
const file = parseYaml(await readFile(path('people.policy.yaml'), 'utf8'));
const policy = parsePolicy({ ...file, keyCheck: keys.keyCheck });

let counts = { rows: 0, rejected: 0 };
const safe = await collect(
  protectCsv(createReadStream(input), policy.bind(keys), {
    onProgress: (progress) => {
      counts = progress;
    },
  }),
);
const back = await collect(revealCsv([safe], policy.bind(keys, revealAccess)));

const rows = { before: table(await readFile(input)), after: table(safe), back: table(back) };
await mkdir(out, { recursive: true });
await writeFile(`${out}/people.safe.csv`, safe);
await writeFile(`${out}/policy.md`, explain(policy));

const count = (number) => number.toLocaleString('en-GB');
const digest = createHash('sha256').update(JSON.stringify(policy)).digest('hex');
const reversible = Object.entries(policy.fields).filter(([, rule]) => rule.rule === 'seal' || rule.rule === 'fpe');
const fields = reversible.map(([field]) => field).sort();
const matching = rows.before.filter((row, i) => fields.every((field) => row[field] === rows.back[i][field])).length;

console.log(`trefoil demo: ${count(rows.before.length)} invented people, throw-away keys`);
print([
  ['field', 'before', 'after', 'rule', 'back?'],
  ...Object.entries(policy.fields).map(([field, { rule }]) => {
    const shown = rule === 'drop' ? '(left out)' : rows.after[0][field];
    const way = { seal: 'key', fpe: 'key', keep: 'unchanged' }[rule] ?? 'never';
    return [field, shorten(rows.before[0][field]), shorten(shown), rule, way];
  }),
]);
console.log(
  `${count(rows.before.length)} rows in, ${count(rows.after.length)} out, ${count(counts.rejected)} rejected   ` +
    `policy ${digest.slice(0, 4)}…`,
);
console.log(`reveal: ${list(fields)} match in ${count(matching)} of ${count(rows.before.length)} rows`);
console.log(
  `see: ${['people.safe.csv', 'policy.md'].map((name) => relative(process.cwd(), `${out}/${name}`)).join(', ')}`,
);
if (matching !== rows.before.length) process.exitCode = 1;

async function collect(chunks) {
  const parts = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

function table(bytes) {
  return parseCsv(bytes, { columns: true, bom: true });
}

function list(words) {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Shortens a text that is too long for the table. A token keeps its last characters, its check characters. */
function shorten(text) {
  const characters = [...text.replace(/\s+/g, ' ')];
  if (characters.length <= 21) return characters.join('');
  const label = /^[a-z]+_/.test(text);
  return label
    ? `${characters.slice(0, 13).join('')}…${characters.slice(-4).join('')}`
    : `${characters.slice(0, 20).join('')}…`;
}

function print(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => [...line[column]].length)));
  for (const line of lines) {
    console.log(`  ${line.map((text, column) => text.padEnd(widths[column])).join('  ')}`.trimEnd());
  }
}
