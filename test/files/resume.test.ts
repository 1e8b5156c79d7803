/**
 * Interrupted runs: a real process is killed (kill -9) at random moments, and the same command is run again. The output
 * must be that of an undisturbed run, byte for byte. With TREFOIL_LONG=1 each way of running is killed twenty times or
 * more.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place } from '../cli/harness.ts';
import { random } from '../reference/random.ts';

const KILLS = process.env.TREFOIL_LONG === '1' ? 20 : 2;
const ROWS = process.env.TREFOIL_LONG === '1' ? 400_000 : 200_000;

const POLICY = `trefoil: 1
domain: resume
fields:
  id: { rule: token, scope: person }
  name: { rule: fpe, scope: person.name, format: { type: text } }
  born: { rule: coarsen, date: year }
  note: keep
  score: keep
`;

let place: Place;

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY.replace(/fpe.*/, 'token, scope: name }'));
  place.write('other.yaml', POLICY.replace(/fpe.*/, 'token, scope: other }'));
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
  expect((await place.run(['keys', 'new', '--out', 'k2.json'])).code).toBe(0);
  let csv = 'id,name,born,note,score\n';
  let ndjson = '';
  for (let i = 0; i < ROWS; i++) {
    const born = i % 20_011 === 20_010 ? 'never' : `19${10 + (i % 90)}-01-31`;
    csv += `${i},"Name ${i % 1000}\nof two lines",${born},"x""${i % 7}",${i % 2 === 0 ? '""' : ''}\n`;
    ndjson += `${JSON.stringify({ id: String(i), name: `Näme ${i % 1000}`, born, note: null, score: 0.5 }).replace('0.5', '0.50')}\n`;
  }
  place.write('in.csv', csv);
  place.write('in.ndjson', ndjson);
  for (const name of ['none.csv', 'void.csv']) place.write(name, '');
  place.write('b.csv', csv.slice(0, 'id,name,born,note,score\n'.length + 2_000_000).replace(/\n[^\n]*\n[^\n]*$/, '\n'));
});

afterAll(() => place.remove());

afterEach(() => {
  for (const name of place.files()) {
    if (/^out|^r\.|part|resume/.test(name)) rmSync(place.path(name), { recursive: true });
  }
});

const BASE = ['--policy', 'p.yaml', '--keys', 'k.json', '--on-error', 'reject', '--rejects', 'r.ndjson', '--quiet'];

/** Names of files that a run leaves behind. */
const traces = (): string[] => place.files().filter((name) => /resume|part|tmp/.test(name));

/**
 * Kills the run after a while, `kills` times in all, then lets it end. Returns the number of rows at each kill.
 *
 * @param whole looks at the output of a run that was faster than its death.
 */
async function killed(
  args: readonly string[],
  kills: number,
  chance: () => number,
  whole: () => void,
): Promise<number[]> {
  const deaths: number[] = [];
  for (let i = 0; i < kills; i++) {
    const { child, ended } = place.start([...args, '--resume']);
    const timer = setTimeout(() => child.kill('SIGKILL'), 150 + chance() * 1_200);
    const { code, err } = await ended;
    clearTimeout(timer);
    if (code !== null) expect(code, err).toBe(9);
    const inFolder = place.files().includes('out') ? readdirSync(place.path('out')) : [];
    const manifest = [...place.files(), ...inFolder.map((name) => `out/${name}`)].find((name) =>
      /\.resume\.json$/.test(name),
    );
    if (manifest !== undefined) {
      deaths.push(JSON.parse(place.read(manifest)).position.rows);
    } else if (code !== null || place.files().includes('r.ndjson')) {
      // It had ended, or had nothing left to do when it was killed. The next run starts from the beginning.
      whole();
      for (const name of [...outputs, 'r.ndjson']) rmSync(place.path(name), { recursive: true, force: true });
    } else {
      deaths.push(0);
    }
  }
  const last = await place.run([...args, '--resume']);
  expect(last).toMatchObject({ code: 9, out: '' });
  return deaths;
}

const outputs = ['out.csv', 'out.ndjson', 'out.csv.gz', 'out', 'out.summary.json'];

const WAYS: readonly (readonly [string, readonly string[], string])[] = [
  ['CSV', ['in.csv', '--out', 'out.csv'], 'out.csv'],
  ['CSV, two workers', ['in.csv', '--out', 'out.csv', '--workers', '2'], 'out.csv'],
  ['CSV to gzip', ['in.csv', '--out', 'out.csv.gz', '--workers', '2'], 'out.csv.gz'],
  ['NDJSON', ['in.ndjson', '--out', 'out.ndjson'], 'out.ndjson'],
  ['several into one', ['in.csv', 'b.csv', '--out', 'out.csv'], 'out.csv'],
  ['several into a folder', ['in.csv', 'b.csv', '--out-dir', 'out'], 'out/b.csv'],
  ['parts without bytes, into one', ['none.csv', 'in.csv', 'none.csv', 'b.csv', '--out', 'out.csv'], 'out.csv'],
  [
    'parts without bytes, into a folder',
    ['none.csv', 'in.csv', 'void.csv', 'b.csv', '--out-dir', 'out'],
    'out/void.csv',
  ],
];

describe('kill -9', () => {
  test.each(WAYS)(
    '%s: the same bytes, and the same counts of rejects',
    async (way, args, output) => {
      const seed = `resume ${way} ${process.env.TREFOIL_SEED ?? ''}`;
      const numbers = random(seed);
      const full = ['protect', ...args, ...BASE, '--summary', 'out.summary.json'];
      const counts = (): unknown => JSON.parse(place.read('out.summary.json')).issues;
      expect((await place.run(full)).code).toBe(9);
      const whole = readFileSync(place.path(output));
      if (output.endsWith('.gz')) expect(gunzipSync(whole).length).toBeGreaterThan(1_000_000);
      const issues = counts();
      expect(issues).toHaveLength(1);
      const records = await place.run(['rejects', 'open', 'r.ndjson', '--keys', 'k.json', '--json']);
      for (const name of [...outputs, 'r.ndjson']) rmSync(place.path(name), { recursive: true, force: true });

      const same = (): void => expect(Buffer.compare(readFileSync(place.path(output)), whole)).toBe(0);
      const deaths = await killed(full, KILLS, () => numbers.below(1000) / 1000, same);
      same();
      const again = await place.run(['rejects', 'open', 'r.ndjson', '--keys', 'k.json', '--json']);
      expect(again.out).toBe(records.out);
      expect(counts()).toEqual(issues);
      expect(traces()).toEqual([]);
      for (const name of [...outputs, 'r.ndjson']) rmSync(place.path(name), { recursive: true, force: true });
      // In the long form some kills must have been in the middle, or nothing was tested.
      if (KILLS > 2) expect(deaths.filter((rows) => rows > 0).length).toBeGreaterThan(KILLS / 4);
    },
    240_000,
  );
});

describe('a run that is resumed', () => {
  const args = ['protect', 'in.csv', '--out', 'out.csv', ...BASE, '--resume'];

  /** A run that has saved its first position to the manifest. */
  async function begun(more: readonly string[] = args, output = 'out.csv'): Promise<ReturnType<Place['start']>> {
    for (;;) {
      const run = place.start(more);
      let over = false;
      run.ended.then(() => {
        over = true;
      });
      while (!over && !place.files().includes(`${output}.resume.json`))
        await new Promise((done) => setTimeout(done, 5));
      if (!over) return run;
      // It was faster than the manifest.
      for (const name of [output, 'r.ndjson']) rmSync(place.path(name));
    }
  }

  async function half(): Promise<void> {
    const { child, ended } = await begun();
    child.kill('SIGKILL');
    await ended;
  }

  test('is refused if input, policy, keys or options have changed, and its files stay', async () => {
    await half();
    // The next run removes the lock of a killed run.
    const lasting = () => place.files().filter((name) => !name.endsWith('.lock'));
    const before = lasting();
    const swap = (from: string, to: string): string[] => args.map((arg) => (arg === from ? to : arg));
    const policy = await place.run(swap('p.yaml', 'other.yaml'));
    expect(policy.code).toBe(5);
    expect(policy.err).toContain('the policy has changed since the interrupted run');
    const keys = await place.run(swap('k.json', 'k2.json'));
    expect(keys.err).toMatch(
      /the keys have changed since the interrupted run: that run had key \w{5}, which the key file lacks; the file is from before that key was added or after it was taken out, so use that of the interrupted run, or remove the manifest/,
    );
    const options = await place.run([...args, '--quoting', 'all']);
    expect(options).toMatchObject({ code: 5 });
    expect(options.err).toContain('since the interrupted run');
    const text = place.read('in.csv');
    place.write('in.csv', `${text}1,x,1999-01-01,y\n`);
    const input = await place.run(args);
    expect(input.code).toBe(5);
    expect(input.err).toMatch(/input.* since the interrupted run/);
    writeFileSync(place.path('keep.csv'), text);
    renameSync(place.path('keep.csv'), place.path('in.csv'));
    expect(lasting()).toEqual(before);
  });

  const REKEY = ['rekey', 'safe.csv', '--policy', 'labels.yaml', '--keys', 'k3.json', '--on-error', 'reject'];

  test.each([
    ['protect', 'out.csv', ['protect', 'in.csv', ...BASE]],
    ['protect to gzip', 'out.csv.gz', ['protect', 'in.csv', ...BASE]],
    ['rekey', 'out.csv', [...REKEY, '--rejects', 'r.ndjson', '--quiet']],
  ])(
    '%s: is refused if a half-written file is shorter than the manifest says, or gone',
    async (way, output, before) => {
      if (way === 'rekey') {
        await place.bash(
          '$T keys add --keys k.json --out k2n.json && ' +
            'id=$($T keys inspect --keys k2n.json | sed -n "s/^root key \\(.*\\): is ready.*/\\1/p") && ' +
            '$T keys promote $id --keys k2n.json --out k3.json',
        );
        // Only labelled tokens show which key made them.
        const labels = place.read('p.yaml').replace('scope: person', 'scope: person, label: p');
        place.write('labels.yaml', labels.replace('scope: name', 'scope: name, label: n'));
        const base = BASE.map((arg) => (arg === 'p.yaml' ? 'labels.yaml' : arg));
        const safe = ['protect', 'in.csv', ...base, '--out', 'safe.csv'];
        expect((await place.run(safe)).code).toBe(9);
        rmSync(place.path('r.ndjson'));
        // A row that cannot be moved, so that there are rejects.
        const [head, first, ...rest] = place.read('safe.csv').split('\n');
        place.write('safe.csv', [head, first!.replace(/^[^,]*/, 'not_a_token'), ...rest].join('\n'));
      }
      const full = [...before, '--out', output];
      expect((await place.run(full)).code).toBe(9);
      const whole = readFileSync(place.path(output));
      for (const name of [output, 'r.ndjson']) rmSync(place.path(name));

      const { child, ended } = await begun([...full, '--resume'], output);
      child.kill('SIGKILL');
      await ended;
      const { position } = JSON.parse(place.read(`${output}.resume.json`));
      expect(position.rows).toBeGreaterThan(0);
      const parts = [[`.${output}.trefoil-part`, position.outputs[0]] as const];
      if (position.rejects > 0) parts.push(['.r.ndjson.trefoil-part', position.rejects]);
      if (way !== 'protect to gzip') expect(parts).toHaveLength(2);
      mkdirSync(place.path('part-kept'), { recursive: true });
      for (const [part, size] of parts) {
        expect(size).toBeGreaterThan(0);
        copyFileSync(place.path(part), place.path('part-kept/file'));
        truncateSync(place.path(part), size - 1);
        const names = traces();
        const short = await place.run([...full, '--resume']);
        expect(short).toMatchObject({ code: 5, out: '' });
        expect(short.err).toContain(`${part}: the half-written output of the interrupted run has ${size - 1} bytes`);
        expect(short.err).toContain('remove the manifest and the .trefoil-part files to start again');
        rmSync(place.path(part));
        const gone = await place.run([...full, '--resume']);
        expect(gone).toMatchObject({ code: 5, out: '' });
        expect(gone.err).toContain(`${part}: the half-written output of the interrupted run is missing`);
        // Nothing else was removed or written, so the run continues once the file is back.
        copyFileSync(place.path('part-kept/file'), place.path(part));
        expect(traces().filter((name) => !name.endsWith('.lock'))).toEqual(
          names.filter((name) => !name.endsWith('.lock')),
        );
      }
      expect((await place.run([...full, '--resume'])).code).toBe(9);
      expect(Buffer.compare(readFileSync(place.path(output)), whole)).toBe(0);
      expect(traces()).toEqual(['part-kept']);
    },
    120_000,
  );

  test('has a manifest without anything computed from a value, and notices a change whose time was set back', async () => {
    await half();
    const text = readFileSync(place.path('in.csv'));
    const manifest = place.read('out.csv.resume.json');
    const { run } = JSON.parse(manifest);
    expect(run.inputs).toHaveLength(1);
    expect(Object.keys(run.inputs[0])).toEqual(['path', 'bytes', 'file', 'changed', 'touched']);
    expect(run).toMatchObject({ command: 'protect', options: { format: { name: 'csv' }, limit: null } });
    const END = 1 << 16;
    const parts = [text, text.subarray(0, END), text.subarray(-END), text.subarray(0, text.indexOf('\n'))];
    parts.push(Buffer.concat([text.subarray(0, END), text.subarray(-END)]));
    for (const hash of ['sha256', 'sha1', 'md5', 'sha512']) {
      for (const part of parts) {
        const digest = createHash(hash).update(part).digest();
        for (const spelling of ['hex', 'base64', 'base64url'] as const) {
          expect(manifest).not.toContain(digest.toString(spelling).slice(0, 20));
        }
      }
    }
    const { atime, mtime } = statSync(place.path('in.csv'));
    const changed = Buffer.from(text);
    changed.write('9', changed.length - 3);
    writeFileSync(place.path('in.csv'), changed);
    utimesSync(place.path('in.csv'), atime, mtime);
    const { size, mtimeMs } = statSync(place.path('in.csv'));
    expect([size, Math.round(mtimeMs)]).toEqual([text.length, Number(mtime)]);
    const again = await place.run(args);
    expect(again.code).toBe(5);
    expect(again.err).toMatch(/input.* since the interrupted run/);
    writeFileSync(place.path('in.csv'), text);
  });

  test('is refused with another version of trefoil, and with a file that is not a manifest', async () => {
    await half();
    const manifest = place.read('out.csv.resume.json');
    const { version } = JSON.parse(manifest).run;
    place.write('out.csv.resume.json', manifest.replace(`"version": "${version}"`, '"version": "0.0.1"'));
    expect((await place.run(args)).err).toMatch(/version.* since the interrupted run/);
    place.write('out.csv.resume.json', manifest.slice(0, 100));
    expect((await place.run(args)).err).toContain('the file is not a manifest of a run');
  });

  test('is refused while the other run is working', async () => {
    const { child, ended } = await begun();
    child.kill('SIGSTOP');
    const second = await place.run(args);
    child.kill('SIGKILL');
    await ended;
    expect(second.code).toBe(5);
    expect(second.err).toContain('is still working on it');
  });

  test('keeps its files after an interrupt, and says how to continue', async () => {
    const { child, ended } = await begun(args.filter((arg) => arg !== '--quiet'));
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain('the same command with --resume continues from here');
    // A run that is killed while it saves the manifest leaves this file.
    place.write('out.csv.resume.json.tmp', '{"trefoil":');
    expect((await place.run(args)).code).toBe(9);
    expect(traces()).toEqual([]);
  });
});
