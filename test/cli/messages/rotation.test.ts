/** Messages about rotation, recipients and narrowed key files, for mistakes that newcomers have made. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place } from '../harness.ts';

const of = (domain: string, fields: string) => `trefoil: 1\ndomain: ${domain}\nfields:\n${fields}`;
const ID = '  id: { rule: token, scope: person, label: cust }\n';
const BARE = '  bare: { rule: token, scope: bare }\n';
const DATES = '  seen: { rule: shiftDate, scope: visit, subject: id, days: 180 }\n';
const PLATE = '  plate: { rule: fpe, scope: car, format: { type: pattern, pattern: AA99999 } }\n';

let place: Place;
let ours: string;
let theirs: string;
let ready: string;

const run = (line: string): ReturnType<Place['bash']> => place.bash(line);

async function done(line: string): ReturnType<Place['bash']> {
  const ended = await run(line);
  expect(ended.code, ended.err).toBe(0);
  return ended;
}

const shown = async (keys: string, domain: string): Promise<string> =>
  JSON.parse((await done(`$T keys inspect --keys ${keys} --domain ${domain} --json`)).out).keyId;

beforeAll(async () => {
  place = makePlace();
  place.write('id.yaml', of('eu-a', ID));
  place.write('bare.yaml', of('eu-a', BARE));
  place.write('dates.yaml', of('eu-a', ID + DATES));
  place.write('plate.yaml', of('eu-a', PLATE));
  place.write('b.yaml', of('partner-b', BARE));
  place.write('id.csv', 'id\n1\n2\n');
  place.write('bare.csv', 'bare\n1\n2\n');
  await done('$T keys new --renewable --out k1.json');
  const added = await done('$T keys add --keys k1.json --out k2.json');
  ready = /root key (\w+) is ready/.exec(added.err)![1]!;
  await done(`$T keys promote ${ready} --keys k2.json --out k3.json`);
  await done('$T keys add --domain partner-b --of eu-a --keys k1.json --out kb.json');
  [ours, theirs] = [await shown('kb.json', 'eu-a'), await shown('kb.json', 'partner-b')];
  await done('$T protect bare.csv --policy bare.yaml --keys k1.json --out bare.safe.csv');
  await done('$T protect id.csv --policy id.yaml --keys k1.json --out id.safe.csv');
});
afterAll(() => place.remove());

test('inspect says which tokens rekey needs --from for', async () => {
  place.write('all.yaml', of('eu-a', ID + BARE));
  const { out } = await done('$T keys inspect --keys k3.json --policy all.yaml');
  expect(out).toContain('  field id (token person): tokens are renewed without the originals\n');
  const whole = 'as a whole column and with --from KEYID: they do not show which key and rule made them\n';
  expect(out).toContain(`  field bare (token bare): tokens are renewed without the originals, ${whole}`);
});

test('inspect says that the lines which pin several keys are alternatives', async () => {
  const [one, two] = [
    await done('$T keys inspect --keys k1.json --domain eu-a'),
    await done('$T keys inspect --keys k3.json --domain eu-a'),
  ];
  expect(two.out).toMatch(/^a policy has one of these lines; they are alternatives:\n(keyCheck: .*\n){3}/m);
  expect(one.out).not.toContain('alternatives');
});

test('project before keys add says how the recipient is added', async () => {
  place.write('b-id.yaml', of('partner-b', ID));
  const ended = await run(
    '$T project id.safe.csv --policy id.yaml --keys k1.json --to partner-b --as b-id.yaml --out no.csv',
  );
  expect(ended.code).toBe(4);
  expect(ended.err).toContain(
    '; trefoil keys add --domain partner-b --of eu-a makes it a recipient (in code addDomain)',
  );
  const back = await run(
    '$T project id.safe.csv --policy b-id.yaml --keys k1.json --to eu-a --as id.yaml --out no.csv',
  );
  expect(back.err).toContain('trefoil keys add --domain eu-a --of partner-b makes it');
});

test('--from with the id of another domain says whose id it is', async () => {
  const project = '$T project bare.safe.csv --policy bare.yaml --keys kb.json';
  await done(`${project} --from ${ours} --to partner-b --as b.yaml --out b.csv`);
  const back = await run(`$T project b.csv --policy b.yaml --keys kb.json --to eu-a --from ${ours} --out no.csv`);
  expect(back).toMatchObject({
    code: 2,
    err:
      `trefoil: error: --from names key ${ours}, which is the id in domain eu-a; the input is of domain partner-b, ` +
      `whose id is ${theirs}\ntrefoil: hint: name the id that the key has in the domain of the input\n`,
  });
  const there = await run(`${project} --from ${theirs} --to partner-b --as b.yaml --out no.csv`);
  expect(there.err).toContain(`which is the id in domain partner-b; the input is of domain eu-a, whose id is ${ours}`);
  const unknown = await run(`${project} --from 00000 --to partner-b --as b.yaml --out no.csv`);
  expect(unknown.err).toContain('which is not in the key file');
});

test.each([
  ['--domain eu-a --of partner-b', 'domain partner-b is a recipient of eu-a already, and cannot be its parent as well'],
  [
    '--domain partner-c --of partner-b',
    'domain partner-b is a recipient itself, and a recipient has none; add partner-c of eu-a',
  ],
  ['--domain eu-a --of us', 'domain eu-a has recipients (partner-b), so it cannot become one'],
])('keys add %s says what is wrong', async (args, message) => {
  const ended = await run(`$T keys add ${args} --keys kb.json --out no.json`);
  expect(ended).toMatchObject({ code: 4, err: `trefoil: error: ${message}\n` });
  expect(existsSync(place.path('no.json'))).toBe(false);
});

test('rekey before keys promote says that there is nothing to move', async () => {
  const nothing = `there is nothing to move: the key file has no older key than the primary key ${ours}`;
  const begin = 'a rotation begins with trefoil keys add and trefoil keys promote';
  for (const [keys, hint] of [
    ['k1.json', begin],
    [
      'k2.json',
      `key ${await shown('k3.json', 'eu-a')} is ready and makes no values yet: run trefoil keys promote first`,
    ],
  ]) {
    const err = `trefoil: error: ${nothing}\ntrefoil: hint: ${hint}\n`;
    for (const from of ['', `--from ${ours}`]) {
      const ended = await run(`$T rekey bare.safe.csv --policy bare.yaml --keys ${keys} ${from} --out no.csv`);
      expect(ended).toMatchObject({ code: 2, err });
    }
    const fpe = await run(`printf 'plate\\nKA12345\\n' | $T rekey --format csv --policy plate.yaml --keys ${keys}`);
    expect(fpe).toMatchObject({ code: 2, err });
  }
  // Values that show the primary key pass.
  const passing = await done('$T rekey id.safe.csv --policy id.yaml --keys k1.json --out same.csv');
  expect(passing.err).toContain(`trefoil: ${nothing}; ${begin}\n`);
  expect(place.read('same.csv')).toBe(place.read('id.safe.csv'));
});

test('a table that was moved in part: the others are moved alone', async () => {
  const now = await done("printf 'bare\\n3\\n' | $T protect --format csv --policy bare.yaml --keys k3.json --quiet");
  place.write('mixed.csv', `${place.read('bare.safe.csv')}${now.out.split('\n')[1]!}\n`);
  const rekey = `$T rekey mixed.csv --policy bare.yaml --keys k3.json --from ${ours} --out moved.csv`;
  const refused = await run(rekey);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('move the others alone (--on-error reject --rejects FILE, in code onReject)');
  expect((await run(`${rekey} --on-error reject --rejects r.ndjson`)).code).toBe(9);
  expect(place.read('moved.csv')).toBe(
    (await done('$T protect bare.csv --policy bare.yaml --keys k3.json --quiet')).out,
  );
});

test('a narrowed key file and a policy with another number of days', async () => {
  const { err } = await done('$T keys narrow --policy dates.yaml --verbs protect --keys k1.json --out n.json');
  const [pin] = /branchCheck: "\w+"/.exec(err)!;
  place.write('days.yaml', `${pin}\n${of('eu-a', ID + DATES.replace('180', '100'))}`);
  const ended = await run(
    "printf 'id,seen\\n1,2020-01-01\\n' | $T protect --format csv --policy days.yaml --keys n.json",
  );
  expect(ended).toMatchObject({
    code: 4,
    err: expect.stringContaining('the policy shifts by 100 days, and the key file is for 180 days'),
  });
  place.write('subject.yaml', `${pin}\n${of('eu-a', ID + DATES.replace('visit', 'other'))}`);
  const other = await run(
    "printf 'id,seen\\n1,2020-01-01\\n' | $T protect --format csv --policy subject.yaml --keys n.json",
  );
  expect(other.err).toContain('is narrowed and has no shiftDate other; use a key file that has it');
});
