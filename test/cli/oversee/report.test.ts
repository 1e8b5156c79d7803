/** `trefoil oversee report`, `oversee open` and `log subject` as processes, over a log in a folder. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { subjectPseudonyms } from '../../../src/govern.ts';
import { keyset, token } from '../../../src/index.ts';
import { checkProof, commitment, parseLogPolicy, parseLogProof, readEntry, type UseEntry } from '../../../src/log.ts';
import { secretAccess } from '../../../src/reveal.ts';
import { begin, people, pseudonym, SEALER, type Story } from '../../govern/report/shared.ts';
import { type Ended, expectVoice, makePlace, type Place } from '../harness.ts';
import { LOG_KEY, writeStory } from './govern-log.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const KEYS = keyset.generate();
const DOMAIN = KEYS.domain('eu-enclave');
const TOKENS = ['10017', '10018'].map((id) => token({ scope: 'person', label: 'cust' }).bind(DOMAIN).protect(id));
const [ME, OTHER] = TOKENS.map(subjectPseudonyms(DOMAIN, 'person')) as [string, string];

/** A story that ends now: some uses about a person, one of them under a purpose that is never shown. */
async function recent(): Promise<Story> {
  const now = Math.floor(Date.now() / 1000);
  const story = await begin({ alerts: ['openings 5 per 30d'] }, now - 10 * 86_400);
  story.use(await story.warrant({ subjects: people(2) }), [ME, OTHER], { count: 4 });
  story.beats(now - 9 * 86_400);
  const police = { purpose: 'police.query', values: 7, subjects: people(1) };
  story.use(await story.warrant(police, ['chris', 'bela']), [ME], { count: 7 });
  story.use(await story.warrant({}, ['chris', 'bela']), [OTHER], { count: 9 });
  story.beats(now - 3600);
  // The delay of this one has not passed.
  story.use(await story.warrant(), [ME], { count: 3 });
  story.beats(now);
  return story;
}

const report = (story: Story, ...args: readonly string[]): Promise<Ended> =>
  place.run(['oversee', 'report', 'log', '--charter-sha256', story.first, ...args]);

describe('oversee report', () => {
  test('verifies the log, and reports; the keys are those of the pinned charter', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const ended = await report(story, '--shard-key', 'shard.key');
    expect([ended.code, ended.err]).toEqual([0, '']);
    const [first] = ended.out.split('\n');
    expect(first).toMatch(
      /^eu-enclave, .*: 4 uses under 4 warrants, 23 values, 2 people; log 1,\d{3} entries, level G1: /,
    );
    expect(first).toMatch(/nobody outside has cosigned; nothing missing$/);
    const json = JSON.parse((await report(story, '--shard-key', 'shard.key', '--json')).out);
    expect(json).toMatchObject({ trefoil: 'report-v1', totals: { uses: 4, people: 2 }, charter: { isPinned: true } });
    const blind = await place.run(['oversee', 'report', 'log', '--log-key', LOG_KEY]);
    expect([blind.code, blind.out.split('\n')[1]]).toEqual([0, expect.stringMatching(/^without the key of the shard/)]);
    expect(blind.err).toContain(`the first charter is the log's own: sha256:${story.first}`);
  });

  test('of a period in days', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const day = new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10);
    const ended = await report(story, '--from', day, '--to', day);
    expect(ended.out.split('\n')[0]).toMatch(new RegExp(`^eu-enclave, ${day} UTC: 1 use under 1 warrant, 4 values, `));
    expect((await report(story, '--from', day, '--to', '2020-01-01')).code).toBe(2);
    expect((await report(story, '--from', 'yesterday')).code).toBe(2);
  });

  test('a log that does not verify has no report: exit 7', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const bundle = place.path('log/tile/entries/000');
    writeFileSync(bundle, readFileSync(bundle, 'latin1').replace('"opened":4', '"opened":3'), 'latin1');
    for (const args of [['--shard-key', 'shard.key'], ['--json']]) {
      const ended = await report(story, ...args);
      expect(ended.code).toBe(7);
      expect(ended.out).not.toContain('4 uses');
      expect(ended.out).toMatch(/rewritten/);
    }
    rmSync(bundle);
    expect((await report(story)).code).toBe(7);
  });

  test('another charter than the pinned one, and another log key', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const other = await report({ ...story, first: '0'.repeat(64) });
    expect([other.code, other.err]).toEqual([6, expect.stringContaining('not the one that is pinned')]);
    expect((await place.run(['oversee', 'report', 'log'])).code).toBe(2);
    const key = 'log.example+1d98a991+AeRXmhPj9IY18DV8DE2wGVFvJTHousxuAiz1wwBqZxpT';
    expect((await place.run(['oversee', 'report', 'log', '--log-key', key])).code).not.toBe(0);
  });

  test('a log that went back behind the file of --seen', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const look = ['oversee', 'verify', 'log', '--log-key', LOG_KEY, '--seen', 'seen.json'];
    expect((await place.run(look)).code).toBe(0);
    expect((await report(story, '--seen', 'seen.json')).code).toBe(0);
    await writeStory(place.dir, { ...story, entries: story.entries.slice(0, -1) });
    const back = await report(story, '--seen', 'seen.json');
    expect([back.code, back.out]).toEqual([7, expect.stringContaining('rolled back')]);
  });

  test('amendment 32: a sample is drawn after the checkpoint, kept, and bounded by the charter', async () => {
    const story = await recent();
    await writeStory(place.dir, story);
    const draw = (count: string) => report(story, '--sample', count, '--samples', 's.ndjson', '--json');
    const { sample } = JSON.parse((await draw('3')).out);
    const uses = story.entries.flatMap((bytes, i) => (readEntry(bytes).kind === 'use' ? [i] : []));
    expect(sample.entries.length).toBe(3);
    for (const entry of sample.entries) expect(uses).toContain(entry);
    // Anybody can draw again.
    const seed = createHash('sha256')
      .update(Buffer.from(sample.random, 'hex'))
      .update(Buffer.from(sample.root, 'base64'));
    const digest = seed.digest();
    const rank = (index: number) => {
      const eight = Buffer.alloc(8);
      eight.writeBigUInt64BE(BigInt(index));
      return createHash('sha256').update(digest).update(eight).digest('hex');
    };
    const again = uses.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, 3);
    expect(sample.entries).toEqual(again.toSorted((a, b) => a - b));
    const two = JSON.parse((await draw('2')).out).sample;
    expect(two.random).not.toBe(sample.random);
    expect(
      place
        .read('s.ndjson')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([sample, two]);
    const third = await draw('1');
    expect([third.code, third.out, third.err]).toEqual([6, '', expect.stringContaining('so many openings')]);
    expect((await report(story, '--sample', '3')).code).toBe(2);
  });
});

describe('oversee open', () => {
  test('shows the details of an entry, escaped, if the opening is its own', async () => {
    const story = await begin();
    const warrant = await story.warrant();
    const details = { tokens: ['cust_0'], host: 'desk \u202e\u001b[2K', note: 'Zoë' };
    const { commit, opening } = commitment(details);
    const index = story.use(warrant, [pseudonym(1)]);
    const bytes = new TextDecoder().decode(story.entries[index]!);
    story.entries[index] = new TextEncoder().encode(bytes.replace('cd'.repeat(32), commit));
    await writeStory(place.dir, story);
    place.write('o.json', opening);
    const open = (...args: readonly string[]) =>
      place.run(['oversee', 'open', 'log', '--charter-sha256', story.first, ...args]);
    const ended = await open('--entry', String(index), '--opening', 'o.json');
    expect([ended.code, ended.err]).toEqual([
      0,
      expect.stringContaining(`the opening is that of entry ${index}, a use of`),
    ]);
    expect(JSON.parse(ended.out)).toEqual(details);
    expect(ended.out).toContain('\\u202e');
    expect(ended.out).not.toMatch(/[\u202e\u001b]/);
    expect(ended.out).toContain('Zoë');

    place.write('other.json', commitment(details).opening);
    const other = await open('--entry', String(index), '--opening', 'other.json');
    expect([other.code, other.out]).toEqual([7, '']);
    expectVoice(other, ['cust_0', 'Zoë']);
    expect((await open('--entry', '0', '--opening', 'o.json')).code).toBe(7);
    expect((await open('--entry', '99999', '--opening', 'o.json')).code).toBe(7);
    expect((await open('--opening', 'o.json')).code).toBe(2);
    // An entry that the log has not signed.
    const path = place.path('log/tile/entries/000.p/5');
    writeFileSync(path, readFileSync(path, 'latin1').replace('"n":1', '"n":2'), 'latin1');
    const changed = await open('--entry', String(index), '--opening', 'o.json');
    expect([changed.code, changed.err]).toEqual([7, expect.stringContaining('is not the one that the log has signed')]);
  });
});

describe('log subject', () => {
  const subject = (story: Story, ...args: readonly string[]) =>
    place.run([
      ...['log', 'subject', 'log', '--charter-sha256', story.first, '--keys', 'keys.json', '--domain', 'eu-enclave'],
      ...['--shard-key', 'shard.key', ...args],
    ]);

  async function written(): Promise<Story> {
    const story = await recent();
    await writeStory(place.dir, story);
    place.write('keys.json', KEYS.export(secretAccess));
    return story;
  }

  test('has the uses about one person whose delay has passed, with proofs, and nobody else', async () => {
    const story = await written();
    const ended = await subject(story, '--token', TOKENS[0]!, '--out', 'me.json');
    expect([ended.code, ended.out, ended.err]).toEqual([0, '', 'trefoil: wrote me.json: 1 use\n']);
    const text = place.read('me.json');
    const extract = JSON.parse(text);
    expect(extract.uses).toMatchObject([
      {
        purpose: 'support.call-back',
        dpv: 'CustomerCare',
        scopes: { 'seal:person.name': 4 },
        people: 2,
        outcome: 'opened',
      },
    ]);
    const [{ proof, entry }] = extract.uses;
    const { extra } = parseLogProof(proof);
    expect(checkProof(proof, extra!, parseLogPolicy(`log ${LOG_KEY}\nquorum none\n`)).index).toBe(entry);
    expect(readEntry(extra!).event).toMatchObject({ kind: 'use' });
    // Neither staff nor others, nor purposes that must not be shown, but the hint that there may be some.
    for (const word of ['chris', 'anna', 'bela', OTHER, ME, 'police', 'TICKET', TOKENS[0]!])
      expect(text).not.toContain(word);
    expect(text).toContain('never shown, such as investigations');
    // The others in the entry are sealed: they say nothing without the key of the shard.
    const { subjects } = readEntry(extra!).event as UseEntry;
    expect(subjects.map(SEALER.open)).toEqual([ME, OTHER]);
    for (const sealed of subjects) expect([ME, OTHER].some((one) => sealed.includes(one))).toBe(false);
  });

  test('a person of whom a purpose without show was the only one sees what everybody sees', async () => {
    const story = await written();
    const nobody = token({ scope: 'person', label: 'cust' }).bind(DOMAIN).protect('10019');
    place.write('t.txt', `${nobody}\n`);
    const ended = await subject(story, '--tokens', 't.txt', '--out', '-');
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.out)).toMatchObject({ uses: [] });
    const mine = JSON.parse((await subject(story, '--token', TOKENS[0]!, '--out', '-')).out);
    expect(JSON.parse(ended.out).notes).toEqual(mine.notes);
  });

  test('a page, which holds no script and no address', async () => {
    const story = await written();
    expect((await subject(story, '--token', TOKENS[0]!, '--out', 'me.html')).code).toBe(0);
    const page = place.read('me.html');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('support.call-back (dpv:CustomerCare)');
    expect(page).toContain('c2sp.org/tlog-proof@v1');
    expect(page).not.toMatch(/<script|https?:|chris|police/);
  });

  test('bad input: no token, another domain, a token of another key, a log that does not verify', async () => {
    const story = await written();
    expect((await subject(story, '--out', 'x.json')).code).toBe(2);
    const foreign = token({ scope: 'person', label: 'cust' }).bind(keyset.generate().domain('eu-enclave')).protect('1');
    const ended = await subject(story, '--token', foreign, '--out', 'x.json');
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('is of no key of domain')]);
    expectVoice(ended, [foreign]);
    place.write('shard.key', 'not a key\n');
    expect((await subject(story, '--token', TOKENS[0]!, '--out', 'x.json')).code).toBe(4);
    expect(place.files()).not.toContain('x.json');
  });
});
