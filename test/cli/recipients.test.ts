/**
 * The commands of docs/guide/keys/recipients.md, in their order, and what the page says of the files that they write.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cellsOf, makePlace, type Place } from './harness.ts';

const page = readFileSync(new URL('../../docs/guide/keys/recipients.md', import.meta.url), 'utf8');

/** The files of the page: YAML blocks that begin with a name. */
const FILES = [...page.matchAll(/```yaml\n# (\S+)\n([\s\S]*?)```/g)].map(([, name, text]) => [name!, text!] as const);

/** The commands, each on one line. */
const COMMANDS = page
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.startsWith('$ '))
  .map((line) => line.slice(2).replaceAll(/ +/g, ' '));

/** What differs in every run, as the page has it. */
const SHOWN = { check: 'm4q76z2002tbvnx57b3p8t8ee4', ids: ['x0v5e2ns', 'b5wyg6bf'] };

let place: Place;
const said = new Map<string, string>();

/** A cell of a row whose first cell is a token. */
const columnOf = (file: string, at: number): string[] => cellsOf(place.read(file)).map((cells) => cells[at]!);

beforeAll(async () => {
  place = makePlace();
  for (const [name, text] of FILES) place.write(name, text);
  place.write('people.csv', 'id,name,born,city,notes\n10017,Zoë,1984-03-12,Oslo,x\n10018,Ada,1815-12-10,London,\n');
  place.write('study.csv', 'id,born\n10017,1984-03-12\n10018,1815-12-10\n');
  const actual: string[] = [];
  for (const line of COMMANDS) {
    const known = line.replaceAll(/[0-9a-z]{8}/g, (word) => actual[SHOWN.ids.indexOf(word)] ?? word);
    const run = await place.bash(known.replace(/^trefoil /, '$T '));
    expect(run.code, `${line}\n${run.err}`).toBe(0);
    said.set(line, run.err);
    const check = /branchCheck: "(\w+)"/.exec(run.err)?.[1];
    if (check !== undefined && line.includes('party-1.json')) {
      place.write('party.policy.yaml', place.read('party.policy.yaml').replace(SHOWN.check, check));
    }
    actual.push(...(/root key (\w+) is ready/.exec(run.err)?.slice(1) ?? []));
  }
});
afterAll(() => place.remove());

it('the page has files and commands', () => {
  expect(FILES.map(([name]) => name)).toEqual([
    'people.policy.yaml',
    'partner-b.policy.yaml',
    'study.policy.yaml',
    'party.policy.yaml',
  ]);
  expect(COMMANDS).toHaveLength(21);
  expect(page).toContain(`branchCheck: "${SHOWN.check}"`);
});

it('the copy has other tokens, no names and coarser years', () => {
  expect(place.read('people.b.csv').split('\n')[0]).toBe('id,born,city');
  expect(columnOf('people.b.csv', 1)).toEqual(['1980s', '1810s']);
  const [ours, theirs] = [columnOf('people.safe.csv', 0), columnOf('people.b.csv', 0)];
  for (const [i, token] of theirs.entries()) expect(token).not.toBe(ours[i]);
});

it('after a rotation the tokens of the recipient are others, and both ways to renew a copy give the same', () => {
  expect(place.read('people.b-renewed.csv')).toBe(place.read('people.b-3.csv'));
  const [before, after] = [columnOf('people.b.csv', 0), columnOf('people.b-3.csv', 0)];
  expect(after).toHaveLength(2);
  for (const [i, token] of after.entries()) expect(token).not.toBe(before[i]);
});

it('explain --keys names the recipients and never shows a key', async () => {
  const explain = async (args: string) => {
    const { code, out, err } = await place.bash(`$T explain --policy people.policy.yaml ${args}`);
    expect({ code, err }, args).toEqual({ code: 0, err: '' });
    return out;
  };
  const recipients = (page: string) => page.split('\n## Recipients, and who can link\n')[1]!.split('\n## ')[0]!;
  const without = await explain('');
  expect(recipients(without)).toContain('This page was written without the key file');
  expect(without).not.toContain('partner-b');
  const two = await explain('--keys keys-c.json');
  expect(recipients(two)).toContain('are given of `id`: `partner-b`, `partner-c`');
  const one = await explain('--keys keys.json');
  expect(recipients(one)).toContain('are given of `id`: `partner-b`');
  expect(one).not.toContain('partner-c');
  for (const [file, page] of [
    ['keys.json', one],
    ['keys-c.json', two],
  ] as const) {
    const { out, code } = await place.bash(`$T explain --policy people.policy.yaml --keys - < ${file}`);
    expect([code, out]).toEqual([0, page]);
    for (const secret of place.read(file).match(/trefoil-root-1_\w+/g)!) expect(page).not.toContain(secret);
  }
  // Nothing else names keys: neither the environment, nor a page in place of the key file.
  const [command, keys] = ['$T explain --policy people.policy.yaml', `TREFOIL_KEYS='${place.read('keys.json')}'`];
  expect((await place.bash(`${keys} ${command}`)).out).toBe(without);
  for (const [args, code] of [
    ['--keys missing.json', 5],
    ['--keys people.csv', 4],
    ['--keys keys.json --out keys.json --force', 5],
    ['--identity id.txt', 2],
  ] as const) {
    const ended = await place.bash(`${command} ${args}`);
    expect([args, ended.code, ended.out]).toEqual([args, code, '']);
  }
});

it('a copy of a copy has the tokens that a copy of our own table has', async () => {
  place.write('people.c.yaml', place.read('partner-b.policy.yaml').replace('partner-b', 'partner-c'));
  const args = '--policy people.policy.yaml --keys keys-c.json --to partner-c --as people.c.yaml --quiet';
  const direct = await place.bash(`$T project people.safe.csv ${args}`);
  expect(direct).toMatchObject({ code: 0, err: '' });
  expect(direct.out).toBe(place.read('people.c.csv'));
});

it('the key file of the machine that projects does that, and nothing else', async () => {
  const [line] = COMMANDS.filter((one) => one.includes('projector.json'));
  const check = /branchCheck: "\w+"/.exec(said.get(line!)!)![0];
  for (const name of ['study', 'partner-b']) {
    place.write(`${name}.pinned.yaml`, place.read(`${name}.policy.yaml`).replace('fields:', `${check}\nfields:`));
  }
  place.write(
    'to-b.yaml',
    `trefoil: 1\ndomain: partner-b\n${check}\nfields:\n  id: { rule: token, scope: person, label: cust }\n  born: keep\n`,
  );
  const sides = '--policy study.pinned.yaml --keys projector.json';
  const run = await place.bash(`$T project study.safe.csv ${sides} --to partner-b --as to-b.yaml --quiet`);
  expect(run).toMatchObject({ code: 0, err: '' });
  expect(run.out.match(/cust_\w+/g)).toEqual(columnOf('people.b.csv', 0));
  const protecting = await place.bash(`$T protect study.csv ${sides}`);
  expect(protecting.code).toBe(4);
});

it('in two houses, the published tokens join among themselves, and neither house makes them alone', async () => {
  const [sent, out] = [columnOf('study.safe.csv', 0), columnOf('study.public.csv', 0)];
  expect(new Set([...sent, ...out]).size).toBe(4);
  // It found the file to be the one that the controller made.
  const checking = COMMANDS.find((one) => one.startsWith('trefoil check'))!;
  expect(said.get(checking)).toContain('the keys are narrowed to rekey');
  expect(said.get(checking)).toContain('no problems');
  // The second party cannot protect, and what the controller protects is not what is published.
  const party = await place.bash('$T protect study.csv --policy party.policy.yaml --keys party.json');
  expect(party.code).toBe(4);
  expect(party.err).toContain('narrowed to rekey');
  const again = await place.bash('$T protect study.csv --policy study.policy.yaml --keys keys.json --quiet');
  expect(again.out).toBe(place.read('study.safe.csv'));
  // Next month's table joins what was published before.
  const next = await place.bash('$T rekey study.safe.csv --policy party.policy.yaml --keys party.json --quiet');
  expect(next.out).toBe(place.read('study.public.csv'));
  // The file of the party has permutations and a root of its own: no key of the controller, and none of the base.
  const secrets = place.read('keys.json').match(/trefoil-root-1_\w+/g)!;
  const theirs = place.read('party.json');
  expect(secrets).toHaveLength(2);
  for (const secret of secrets) expect(theirs).not.toContain(secret);
  expect(theirs.match(/"kind",\s*"[^"]+"/g)!.every((kind) => kind.includes('token permutation'))).toBe(true);
});
