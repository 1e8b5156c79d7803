/** `-` as a FILE, and outputs with the extension of another file format. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectVoice, makePlace, type Place } from './harness.ts';

let place: Place;
let keys = '';
const POLICY = 'trefoil: 1\ndomain: eu\nfields:\n  id: { rule: token, scope: p }\n  n: { rule: coarsen, number: 10 }\n';
const CSV = 'id,n\n1,25\n2,x\n';
const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet'];
const REJECT = ['--on-error', 'reject', '--rejects'];

beforeAll(async () => {
  place = makePlace();
  const made = await place.run(['keys', 'new', '--out', '-']);
  expect(made.code, made.err).toBe(0);
  expect(made.err).toContain('wrote to standard output');
  expect(place.files()).toEqual([]);
  keys = made.out;
  place.write('p.yaml', POLICY);
  place.write('in.csv', CSV);
  place.write('good.csv', 'id,n\n1,25\n');
  expect((await place.bash('umask 077; cat > k.json <<< "$KEYS"'.replace('"$KEYS"', `'${keys}'`))).code).toBe(0);
});
afterAll(() => place.remove());

const SAFE = /^id,n\n[0-9a-z]+,20\n$/;

test('standard output takes records, a summary, rejects, the text of explain', async () => {
  const records = await place.run(['protect', 'good.csv', ...P, '--out', '-']);
  expect(records).toMatchObject({ code: 0, err: '' });
  expect(records.out).toMatch(SAFE);
  const summary = await place.run(['protect', 'good.csv', ...P, '--out', 'a.csv', '--summary', '-']);
  expect(JSON.parse(summary.out)).toMatchObject({ command: 'protect', rowsIn: 1 });
  const rejects = await place.run(['protect', 'in.csv', ...P, '--out', 'b.csv', ...REJECT, '-']);
  expect(rejects.code).toBe(9);
  expect(rejects.err).toContain('standard output contains it, sealed');
  expect(place.read('b.csv')).toMatch(SAFE);
  expect(rejects.out.split('\n').map((line) => line.slice(0, 9))).toEqual(['{"trefoil', '{"input":', '']);
  const opened = await place.run(['rejects', 'open', '-', '--keys', 'k.json', '--out', '-'], rejects.out);
  expect(opened).toMatchObject({ code: 0, out: 'id,n\n2,x\n' });
  const explained = await place.run(['explain', '--policy', 'p.yaml', '--out', '-']);
  expect(explained.out).toBe((await place.run(['explain', '--policy', 'p.yaml'])).out);
  expect(place.files()).not.toContain('-');
});

test('standard input gives records, the policy, the keys', async () => {
  for (const [args, input] of [
    [['protect', 'good.csv', '--policy', '-', '--keys', 'k.json'], POLICY],
    [['protect', 'good.csv', '--policy', 'p.yaml', '--keys', '-'], keys],
    [['protect', '-', '--format', 'csv', '--policy', 'p.yaml', '--keys', 'k.json'], 'id,n\n1,25\n'],
  ] as const) {
    const { code, out, err } = await place.run([...args, '--quiet'], input);
    expect(code, err).toBe(0);
    expect(out).toMatch(SAFE);
  }
  const checked = await place.run(['check', '--policy', 'p.yaml', '--input', '-', '--format', 'csv'], 'id,n\n1,25\n');
  expect(checked).toMatchObject({ code: 0, out: '' });
  expect(checked.err).toContain('1 row tried');
});

test.each([
  [['protect', 'good.csv', ...P, '--summary', '-'], 'the records and --summary are both standard output'],
  [['protect', 'good.csv', ...P, '--out', '-', '--summary', '-'], 'the records and --summary are both standard output'],
  [['protect', 'good.csv', ...P, ...REJECT, '-'], 'the records and --rejects are both standard output'],
  [
    ['protect', 'good.csv', ...P, '--out', 'x.csv', ...REJECT, '-', '--summary', '-'],
    '--rejects and --summary are both',
  ],
  [
    ['protect', '-', '--format', 'csv', '--policy', '-', '--keys', 'k.json'],
    'INPUT and --policy are both standard input',
  ],
  [['protect', 'good.csv', '--policy', '-', '--keys', '-'], '--policy and --keys are both standard input'],
  [['reveal', '--format', 'csv', '--policy', 'p.yaml', '--keys', '-'], 'INPUT and --keys are both standard input'],
  [['check', '--policy', '-', '--input', '-', '--format', 'csv'], '--input and --policy are both standard input'],
  [['apply', '--ndjson', '--policy', 'p.yaml', '--keys', '-'], 'the lines and --keys are both standard input'],
  [['rejects', 'open', '-', '--keys', '-'], 'FILE and --keys are both standard input'],
])('%j is refused', async (args, message) => {
  const ended = await place.run(args, '');
  const { code, out, err } = ended;
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(message);
  expect(err).toContain('a file called - is ./-');
  expectVoice(ended);
  expect(place.files()).not.toContain('x.csv');
});

test('a file called - has a path', async () => {
  const { code } = await place.run(['protect', 'good.csv', ...P, '--out', './-']);
  expect(code).toBe(0);
  expect(place.read('-')).toMatch(SAFE);
  expect((await place.run(['protect', './-', '--format', 'csv', ...P])).code).toBe(1);
  expect((await place.bash('rm ./-')).code).toBe(0);
});

test.each([
  ['safe.ndjson', []],
  ['safe.jsonl.gz', []],
  ['safe.JSONL', []],
  ['safe.tsv', []],
  ['safe.tab.gz', ['--delimiter', 'semicolon']],
  ['safe.ndjson', ['--format', 'csv']],
])('--out %s %j would hold CSV, and is refused', async (name, more) => {
  const ended = await place.run(['protect', 'good.csv', ...P, '--out', name, ...more]);
  const { code, out, err } = ended;
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('the extension of --out is of another file format than csv');
  expectVoice(ended);
  expect(place.files()).not.toContain(name);
});

test('names that say the same format, or none, are taken', async () => {
  place.write('tabs.tsv', 'id\tn\n1\t25\n');
  place.write('in.ndjson', '{"id":1,"n":25}\n');
  for (const [input, name, more] of [
    ['good.csv', 'o1.csv.gz', []],
    ['good.csv', 'o2.txt', []],
    ['good.csv', 'o3', []],
    ['good.csv', 'o4.safe', []],
    ['tabs.tsv', 'o5.tsv', ['--format', 'tsv']],
    ['tabs.tsv', 'o6.tsv', ['--format', 'csv', '--delimiter', 'tab']],
    ['tabs.tsv', 'o7.csv', ['--format', 'csv', '--delimiter', 'tab']],
    ['in.ndjson', 'o8.jsonl', []],
  ] as const) {
    const { code, err } = await place.run(['protect', input, ...P, '--out', name, ...more]);
    expect(code, `${name}: ${err}`).toBe(0);
  }
  for (const [input, name, format] of [
    ['tabs.tsv', 'p1.csv', 'tsv'],
    ['in.ndjson', 'p2.csv', 'ndjson'],
    ['in.ndjson', 'p3.tsv', 'ndjson'],
  ] as const) {
    expect((await place.run(['protect', input, ...P, '--out', name, '--format', format])).code).toBe(2);
  }
});
