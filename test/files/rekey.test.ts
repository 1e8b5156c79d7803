/**
 * `trefoil rekey` and `trefoil project` as processes: kills, resuming, two key files, rejects, and what is refused.
 * With TREFOIL_LONG=1 the run is killed two hundred times.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { addDomain, addKey, promoteKey } from '../../src/keys.ts';
import { secretAccess } from '../../src/reveal.ts';
import { expectVoice, makePlace, type Place } from '../cli/harness.ts';
import { random } from '../reference/random.ts';

const LONG = process.env.TREFOIL_LONG === '1';
const KILLS = LONG ? 200 : 5;
const ROWS = LONG ? 150_000 : 60_000;

const FIRST = addDomain(keyset.generate({ renewable: true }), 'partner-b', { of: 'eu' });
const BOTH = addKey(FIRST);
const SECOND = promoteKey(BOTH, BOTH.ids.at(-1)!);
const [OLD, NEW] = [FIRST.domain('eu').keyId, SECOND.domain('eu').keyId];

/** Every value shows its key. */
const SHOWN = `trefoil: 1
domain: eu
fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: seal, scope: person.name }
  born: { rule: coarsen, date: year }
  city: keep
  notes: drop
`;
/** One field does not show its key. */
const HIDDEN = `trefoil: 1
domain: eu
keyCheck: ${JSON.stringify(SECOND.domain('eu').keyCheck)}
fields:
  id: { rule: token, scope: person, label: cust }
  pan: { rule: fpe, scope: card.pan, format: { type: pattern, pattern: '999999999999' } }
  code: { rule: token, scope: person, form: uuid }
`;
const THEIRS = `trefoil: 1
domain: partner-b
fields:
  id: { rule: token, scope: person, label: cust }
  name: drop
  born: { rule: coarsen, date: decade }
  city: drop
`;

let place: Place;

beforeAll(async () => {
  place = makePlace();
  place.write('one.json', FIRST.export(secretAccess));
  place.write('both.json', SECOND.export(secretAccess));
  place.write('shown.yaml', SHOWN);
  place.write('hidden.yaml', HIDDEN);
  place.write('theirs.yaml', THEIRS);
  place.write('free.yaml', HIDDEN.replace(/keyCheck.*\n/, ''));
  const people = Array.from({ length: ROWS }, (_, i) => `${i},Ada ${i % 5000},1984-03-12,Oslo,x\n`).join('');
  place.write('people.csv', `id,name,born,city,notes\n${people}`);
  const cards = Array.from({ length: 300 }, (_, i) => `${i},${100000000000 + i},${i % 7}\n`).join('');
  place.write('cards.csv', `id,pan,code\n${cards}`);
  for (const [name, policy] of [
    ['people', 'shown.yaml'],
    ['cards', 'free.yaml'],
  ] as const) {
    for (const [file, keys] of [
      ['old', 'one.json'],
      ['due', 'both.json'],
    ] as const) {
      const args = ['--policy', policy, '--keys', keys, '--out', `${name}.${file}.csv`, '--quiet'];
      const run = await place.run(['protect', `${name}.csv`, ...args]);
      expect(run.code, run.err).toBe(0);
    }
  }
});

afterAll(() => place.remove());

afterEach(() => {
  for (const name of place.files()) if (/^out|^r\./.test(name)) rmSync(place.path(name), { recursive: true });
});

const SIDES = ['--policy', 'shown.yaml', '--keys', 'both.json'];

describe('kill -9', () => {
  test(
    `${KILLS} times: the output is absent or whole, and running again gives the same bytes`,
    async () => {
      const chance = random(`rekey ${process.env.TREFOIL_SEED ?? ''}`);
      const whole = readFileSync(place.path('people.due.csv'));
      const count = { killed: 0, resumed: 0, whole: 0 };
      const check = () => expect(Buffer.compare(readFileSync(place.path('out.csv')), whole)).toBe(0);
      let ran = 0;
      while (count.killed < KILLS) {
        const workers = chance.below(2) === 0 ? [] : ['--workers', '2'];
        // A run with other workers is another run: it is resumed with the same ones.
        const args = ['rekey', 'people.old.csv', ...SIDES, ...workers, '--quiet', '--out', 'out.csv', '--resume'];
        for (let again = 0; again < 4 && count.killed < KILLS; again++) {
          const { child, ended } = place.start(args);
          // Half of the kills come at any time, the others after a position was saved, for the next run to continue.
          const saved = chance.below(2) === 0;
          const delay = saved ? chance.below(200) : 200 + chance.below(900);
          let due = saved ? Number.POSITIVE_INFINITY : Date.now() + delay;
          const timer = setInterval(() => {
            if (due === Number.POSITIVE_INFINITY && existsSync(place.path('out.csv.resume.json')))
              due = Date.now() + delay;
            if (Date.now() >= due) child.kill('SIGKILL');
          }, 5);
          const { code, err } = await ended;
          clearInterval(timer);
          ran++;
          if (code === null) count.killed++;
          else expect(code, err).toBe(0);
          if (existsSync(place.path('out.csv'))) {
            count.whole++;
            check();
            break;
          }
          if (existsSync(place.path('out.csv.resume.json'))) count.resumed++;
        }
        if (!existsSync(place.path('out.csv'))) {
          const last = await place.run(args);
          expect(last.code, last.err).toBe(0);
          check();
        }
        const left = place.files().filter((name) => name.startsWith('out.csv.'));
        // A run that was killed after it had named its output leaves its manifest, and the next one removes it.
        if (left.length > 0) expect((await place.run([...args, '--force'])).code).toBe(0);
        check();
        expect(place.files().filter((name) => name.startsWith('out.csv.'))).toEqual([]);
        rmSync(place.path('out.csv'));
      }
      expect(ran).toBeGreaterThanOrEqual(KILLS);
      if (LONG) expect(count.resumed).toBeGreaterThan(KILLS / 10);
    },
    LONG ? 1_800_000 : 120_000,
  );

  test('a run is not resumed with other keys, another --from or as another command', async () => {
    const base = ['--policy', 'hidden.yaml', '--keys', 'both.json', '--out', 'out.csv', '--resume', '--quiet'];
    const slow = ['cards.old.csv', '--from', OLD];
    // A manifest of this run, as a run that was killed leaves it.
    for (;;) {
      const { child, ended } = place.start([
        'rekey',
        'people.old.csv',
        ...SIDES,
        '--out',
        'out.csv',
        '--resume',
        '--quiet',
      ]);
      const timer = setInterval(() => {
        if (existsSync(place.path('out.csv.resume.json'))) child.kill('SIGKILL');
      }, 5);
      const { code } = await ended;
      clearInterval(timer);
      if (code === null) break;
      rmSync(place.path('out.csv'));
    }
    const refused = async (args: readonly string[], why: string) => {
      const run = await place.run(args);
      expect(run.code, run.err).toBe(5);
      expect(run.err).toContain(`${why} since the interrupted run`);
    };
    await refused(['protect', 'people.old.csv', ...SIDES, '--out', 'out.csv', '--resume'], 'the command has changed');
    await refused(
      ['rekey', 'people.old.csv', ...SIDES, '--from', OLD, '--out', 'out.csv', '--resume'],
      'the keys have changed',
    );
    await refused(['rekey', ...slow, ...base], 'the policy has changed');
    const project = ['project', 'people.old.csv', ...SIDES, '--to', 'partner-b', '--as', 'theirs.yaml'];
    await refused([...project, '--out', 'out.csv', '--resume'], 'the command has changed');
  });
});

describe('rekey', () => {
  test('says what it did, and is harmless a second time', async () => {
    const run = await place.run(['rekey', 'people.old.csv', ...SIDES, '--out', 'out.csv', '--summary', 'out.json']);
    expect(run).toMatchObject({ code: 0, out: '' });
    expect(run.err).toMatch(/^trefoil: (\d+,000) rows in, \1 out, 0 rejected in [\d.]+ s\n$/);
    expect(place.read('out.csv')).toBe(place.read('people.due.csv'));
    const summary = JSON.parse(place.read('out.json'));
    expect(summary).toMatchObject({ command: 'rekey', rowsIn: ROWS, domain: 'eu', from: { domain: 'eu' } });
    expect(Object.keys(summary.keyCheck)).toEqual([NEW]);
    expect(Object.keys(summary.from.keyCheck).sort()).toEqual([OLD, NEW].sort());
    const again = await place.run(['rekey', 'out.csv', ...SIDES, '--out', 'out2.csv', '--quiet']);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(place.read('out2.csv')).toBe(place.read('people.due.csv'));
    // The output shows one key.
    const scanned = await place.run(['scan', 'out.csv', '--policy', 'shown.yaml']);
    expect(scanned.code, scanned.err).toBe(0);
    expect(scanned.out).toContain(`key ${NEW}: `);
    expect(scanned.out).not.toContain(OLD);
    expect(place.read('out.csv')).not.toContain(`cust_${OLD}`);
    expect(place.read('out.csv').match(new RegExp(`^cust_${NEW}`, 'gm'))).toHaveLength(ROWS);
  });

  test('between the key file of yesterday and that of tomorrow, and through a pipe', async () => {
    const sides = ['--policy', 'shown.yaml', '--keys', 'one.json', '--to-keys', 'both.json'];
    const piped = await place.bash(`head -3 people.old.csv | $T rekey --format csv ${sides.join(' ')} --quiet`);
    expect(piped).toMatchObject({ code: 0, err: '' });
    expect(piped.out).toBe(`${place.read('people.due.csv').split('\n').slice(0, 3).join('\n')}\n`);
  });

  test('--dry-run shows both, and writes nothing', async () => {
    const before = place.files();
    const run = await place.run(['rekey', 'people.old.csv', ...SIDES, '--dry-run', '--limit', '1']);
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(run.out).toMatch(new RegExp(`id +cust_${OLD}\\S+ +cust_${NEW}`));
    expect(place.files()).toEqual(before);
  });

  test('rejects records that cannot be moved, sealed under the new key, and ends with 9', async () => {
    const [header, first] = place.read('people.old.csv').split('\n');
    place.write('out.in.csv', `${header}\n${first}\n${first!.replace(/^cust_...../, 'cust_zzzzz')}\nada,,1984,Oslo\n`);
    const args = ['rekey', 'out.in.csv', ...SIDES, '--out', 'out.csv', '--on-error', 'reject', '--rejects', 'r.ndjson'];
    const run = await place.run(args);
    expect(run.code).toBe(9);
    expectVoice(run);
    expect(place.read('out.csv').split('\n')).toHaveLength(3);
    const rejects = place.read('r.ndjson').split('\n').slice(0, -1);
    expect(JSON.parse(rejects[0]!)).toMatchObject({ keyId: NEW });
    expect(rejects).toHaveLength(3);
    const opened = await place.run(['rejects', 'open', 'r.ndjson', '--keys', 'both.json', '--json']);
    expect(opened.out).toContain('ada,,1984,Oslo');
  });

  test('a file whose values do not show their key: --from, and once', async () => {
    const args = ['rekey', 'cards.old.csv', '--policy', 'hidden.yaml', '--keys', 'both.json', '--out', 'out.csv'];
    const unnamed = await place.run(args);
    expect(unnamed.code).toBe(4);
    expect(unnamed.err).toMatch(/field (pan|code)/);
    expect(unnamed.err).toContain('--from KEYID');
    const primary = await place.run([...args, '--from', NEW]);
    expect(primary.code).toBe(4);
    const named = await place.run([...args, '--from', OLD, '--quiet']);
    expect(named).toMatchObject({ code: 0, err: '' });
    expect(place.read('out.csv')).toBe(place.read('cards.due.csv'));
    const twice = [
      'rekey',
      'out.csv',
      '--policy',
      'hidden.yaml',
      '--keys',
      'both.json',
      '--out',
      'out2.csv',
      '--from',
      OLD,
    ];
    const noted = await place.run(twice);
    expect(noted.code).toBe(1);
    expect(noted.err).toContain(`was moved to key ${NEW}`);
    // Without the note, the records that show their key are refused.
    rmSync(place.path('out.csv.trefoil-rekeyed'));
    const again = await place.run(twice);
    expect(again.code).toBe(1);
    expect(again.err).toContain(`of key ${NEW} already`);
    expect(place.files()).not.toContain('out2.csv');
  });

  test.each([
    ['an id that is not one', ['--from', 'OLD'], 2, '--from expected a key id'],
    ['an id of no key', ['--from', 'zzzzz'], 2, '--from names key zzzzz, which is not in the key file'],
    ['a vault', ['--vault', 'x.db'], 2, 'unknown option --vault'],
    ['a policy of a recipient', ['--as', 'theirs.yaml'], 2, 'unknown option --as'],
    ['an output that is a key file', ['--out', 'both.json', '--force'], 5, 'both.json'],
  ])('%s', async (_, more, code, message) => {
    const run = await place.run(['rekey', 'people.old.csv', ...SIDES, ...more]);
    expect(run.code, run.err).toBe(code);
    expect(run.err).toContain(message);
    expectVoice(run);
  });
});

describe('project', () => {
  const to = ['--to', 'partner-b', '--as', 'theirs.yaml'];

  test('writes what the recipient would protect, in one thread and in two', async () => {
    const run = await place.run([
      'project',
      'people.old.csv',
      ...SIDES,
      ...to,
      '--out',
      'out.csv',
      '--summary',
      'out.json',
    ]);
    expect(run.code, run.err).toBe(0);
    const args = ['--policy', 'theirs.yaml', '--keys', 'both.json', '--quiet'];
    place.write('out.p.yaml', THEIRS.replace('fields:', 'unnamed: drop\nfields:'));
    const due = await place.run([
      'protect',
      'people.csv',
      ...args.map((arg) => (arg === 'theirs.yaml' ? 'out.p.yaml' : arg)),
      '--out',
      'out.due.csv',
    ]);
    expect(due.code, due.err).toBe(0);
    expect(place.read('out.csv')).toBe(place.read('out.due.csv'));
    const summary = JSON.parse(place.read('out.json'));
    expect(summary).toMatchObject({ command: 'project', domain: 'partner-b', from: { domain: 'eu' } });
    expect(summary.asPolicySha256).toMatch(/^[0-9a-f]{64}$/);
    const workers = ['--workers', '2', '--out', 'out2.csv', '--quiet'];
    expect((await place.run(['project', 'people.old.csv', ...SIDES, ...to, ...workers])).code).toBe(0);
    expect(place.read('out2.csv')).toBe(place.read('out.due.csv'));
  });

  test.each([
    ['no recipient', [], 2, '--to DOMAIN is required'],
    ['fields that stay', ['--to', 'partner-b'], 3, 'field name'],
    ['a domain that is not related', ['--to', 'partner-z', '--as', 'theirs.yaml'], 2, 'different domains'],
    ['its own domain', ['--to', 'eu'], 4, 'rekey moves them'],
  ])('%s', async (_, more, code, message) => {
    const run = await place.run(['project', 'people.old.csv', ...SIDES, ...more, '--out', 'out.csv']);
    expect(run.code, run.err).toBe(code);
    expect(run.err).toContain(message);
    expectVoice(run);
    expect(place.files()).not.toContain('out.csv');
  });
});
