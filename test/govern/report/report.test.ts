/** What a report says of a log, rule by rule, and its text. */
import { describe, expect, it } from 'vitest';
import { writeRatification } from '../../../src/govern/warrant/ratification.ts';
import { writeRefusal } from '../../../src/govern/warrant/refusal.ts';
import {
  parseProtected,
  type Report,
  type ReportOptions,
  reportOf,
  reportText,
  writeProtected,
} from '../../../src/govern.ts';
import { subjectSealer, writeEntry } from '../../../src/log.ts';
import { begin, DAY, KEYS, people, pseudonym, SEALER, type Story, sha256, signed } from './shared.ts';

/** The report of a story, made when it ends. */
function reportFor(story: Story, options: ReportOptions = {}): Report {
  const defaults = { firstCharter: story.first, openSubject: SEALER.open, now: story.at };
  return reportOf(story.entries, { ...defaults, ...options });
}

/** The lines of a text that are marked. */
const marked = (text: string): string[] => text.split('\n').filter((line) => line.endsWith('  !'));

const glassRequest = { purpose: 'safety-of-life', values: 20, subjects: people(2), seconds: 3600 } as const;

/** A story in which everything happens once. */
async function everything(): Promise<{ readonly story: Story; readonly list: string }> {
  const list = writeProtected([pseudonym(99)], { random: (length) => new Uint8Array(length).fill(5) });
  const alerts = [
    'alert subject 3 warrants per 30d',
    'alert pair 80% of 3',
    'alert hours 06-20',
    'openings 20 per 30d',
  ];
  const story = await begin({ alerts, protectedBy: sha256(list) });
  for (let i = 0; i < 3; i++) {
    const warrant = await story.warrant({}, i === 2 ? ['chris', 'anna', 'bela'] : ['chris', 'anna']);
    story.use(warrant, [pseudonym(1), pseudonym(10 + i)], { count: 10, bound: false });
    if (i === 2) story.use(warrant, [pseudonym(99)], { count: 2 });
  }
  const glass = await story.warrant(glassRequest, ['chris']);
  story.use(glass, [pseudonym(2)], { kind: 'glass', count: 3 });
  story.use(await story.warrant({ values: 900, seconds: 600 }, ['chris', 'bela']), [pseudonym(3)], { count: 5 });
  await story.warrant({ values: 800, seconds: 600 });
  story.add({
    kind: 'forward',
    client: 'etl',
    scope: 'token:person.mail',
    verb: 'protect',
    count: 2500,
    from: story.at,
    to: story.at + 600,
  });
  story.add({ kind: 'key', event: 'exported', key: 'epoch-2' });
  story.add({ kind: 'deny', code: 'budget_spent', count: 22 });
  story.add({ kind: 'deny', code: 'warrant_expired', count: 4 });
  story.add({ kind: 'erase', commit: 'ef'.repeat(32) });
  story.beats(story.at + 10_800);
  story.use(await story.warrant({}, ['dora', 'chris', 'anna']), [pseudonym(4)], { isOpen: true });
  story.at = DAY + 21 * 3600;
  story.add({ kind: 'beat' });
  story.use(await story.warrant(), [pseudonym(5)], { count: 4, opened: 0 });
  story.beats(story.at + 7200);
  return { story, list };
}

describe('the text', () => {
  it('of a month in which everything happens', async () => {
    const { story, list } = await everything();
    const report = reportFor(story, { protected: parseProtected(list), from: DAY, to: DAY + 86_400 });
    const text = reportText(report).replace(/sha256:[0-9a-f]{64}/, 'sha256:…');
    expect(text).toMatchInlineSnapshot(`
      "eu-enclave, 2026-11-30 UTC: 8 uses under 8 warrants, 45 values, 9 people; the state of the log is not known; level G1: nobody outside has cosigned; MISSING: entries in 1 silence and the outcome of 1 use
      9 things stand out (!); judged by version 1 of the charter, sha256:…

        purpose            warrants  uses  values  opened  people
        support.call-back         7     7      42      38       8  dpv:CustomerCare, people as the desk said in 3 uses
        safety-of-life            1     1       3       3       1  BREAK-GLASS
        officer  asked  approved
        chris        8         –
        anna         –         6
        bela         –         2
      one approver for 80 % of at least 3 warrants: 1
        chris → anna: 6 of 7  !
      people with 3 warrants in 30 d: 1
        0000000000000001: 3 warrants all by chris for 1 purpose in 0 s  !
      uses about protected people: 1 (entry 11)  !
      asked and never used: 1 warrant, 800 values
      less than a tenth used: 1 warrant
      outside 06–20 h UTC: 1 use (entry 47)  !
      break-glass that nobody has ratified: 1 use, 1 too late
        entry 14: chris for safety-of-life, 2026-11-30 08:00:00  !
      without an outcome, so counted as opened: 1 use (entry 44)  !
      refused requests: 26 (budget_spent 22, warrant_expired 4)
        a burst of 26 from 2026-11-30 08:00:00 to 2026-11-30 08:00:00  !
      log: 61 entries in the period, 1 start of its writer
      beats missing: 1 silence
        10 h after entry 44, from 2026-11-30 11:00:00  !
      version 1 of the charter from entry 0 on
      keys: exported 1
        entry 21: the key epoch-2 was exported  !
      erasures: 1
      clients were allowed (they may not have used all of it):
        etl  protect  2,500  token:person.mail
      "
    `);
    expect(marked(text).length).toBeGreaterThan(8);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('has no value, token, case, reason, name or e-mail', async () => {
    const { story, list } = await everything();
    const report = reportFor(story, { protected: parseProtected(list) });
    for (const text of [reportText(report), JSON.stringify(report)]) {
      for (const secret of ['TICKET', '10017', 'called back', 'cust_', '@', 'Müller'])
        expect(text).not.toContain(secret);
    }
  });

  it('says in its first line that nobody outside has cosigned, or who has', async () => {
    const story = await begin();
    story.beats(story.at + 3600);
    const line = (log: Parameters<typeof reportOf>[2]) =>
      reportText(reportOf(story.entries, { firstCharter: story.first, now: story.at }, log)).split('\n')[0];
    expect(line(null)).toContain('level G1: nobody outside has cosigned; nothing missing');
    const log = { origin: 'log.example', size: 8, cosigned: [], silent: [], witnessed: 8 };
    expect(line(log)).toContain('; log 8 entries, level G1: nobody outside has cosigned; nothing missing');
    const cosigned = [{ name: 'NCC', time: story.at - 12, size: 8 }];
    expect(line({ ...log, cosigned })).toContain(
      'the charter demands no witness (quorum none); cosigned by NCC 12 s ago',
    );
  });

  it('says first what it cannot see, also if the charter was not pinned', async () => {
    const { story } = await everything();
    const lines = reportText(reportOf(story.entries, { now: story.at })).split('\n');
    expect(lines[1]).toMatch(/^without the key of the shard .* {2}!$/);
    expect(lines[2]).toMatch(/^without the list of protected people .* {2}!$/);
    expect(lines[3]).toMatch(/^the first charter was not pinned.* {2}!$/);
    expect(lines.join('\n')).not.toContain('people with 3 warrants');
    expect(() => reportOf(story.entries, { firstCharter: '0'.repeat(64) })).toThrow(/not the one that is pinned/);
  });

  it('warns if nobody was looked at twice, as with another key of the shard', async () => {
    const { story } = await everything();
    const wrong = subjectSealer(new Uint8Array(32)).open;
    expect(reportText(reportFor(story, { openSubject: wrong }))).toContain('if the key of the shard were another one');
    expect(reportText(reportFor(story))).not.toContain('were another one');
  });
});

describe('what the writer should not have written', () => {
  const codes = (story: Story, options: ReportOptions = {}) =>
    reportFor(story, options).contradictions.first.map(({ code }) => code);

  it('a warrant that too few have signed, by whom it was not asked, or whose approver asks', async () => {
    const story = await begin();
    await story.warrant({}, ['chris']);
    await story.warrant({}, ['anna']);
    await story.warrant({ requester: 'dora', desk: 'dora-desk' }, ['dora', 'chris']);
    await story.warrant({ purpose: 'fraud.case', values: 4 }, ['chris', 'bela']);
    expect(codes(story)).toEqual(Array(4).fill('warrant_unsigned'));
  });

  it('two texts with one id, and a warrant twice', async () => {
    const story = await begin();
    await story.warrant();
    story.entries.push(story.entries.at(-1)!);
    expect(codes(story)).toEqual(['log_broken']);
  });

  it('uses over the budgets of values and people, of another scope, or not numbered in turn', async () => {
    const story = await begin();
    const warrant = await story.warrant({ values: 10, subjects: people(1) });
    story.use(warrant, [pseudonym(1)], { count: 11 });
    story.use(warrant, [pseudonym(2)], { n: 7, scope: 'seal:person.mail' });
    expect(codes(story)).toEqual(['budget_spent', 'log_broken', 'warrant_exceeds', 'budget_spent', 'budget_spent']);
    expect(reportFor(story).totals).toMatchObject({ uses: 2, values: 12, people: 2 });
  });

  it('uses without a warrant, after a refusal, after the end, and usual ones logged as break-glass', async () => {
    const story = await begin();
    story.use('ab'.repeat(32), [pseudonym(1)]);
    const warrant = await story.warrant({ seconds: 600 });
    story.use(warrant, [pseudonym(1)], { kind: 'glass' });
    const why = 'The ticket was closed in March.';
    const { text } = writeRefusal({ warrant, officer: 'bela', at: story.at, why });
    story.add({ kind: 'refusal', note: await signed(text, ['bela'], 'refusal@trefoil') });
    story.use(warrant, [pseudonym(1)]);
    story.beats(story.at + 1200);
    story.use(warrant, [pseudonym(1)]);
    expect(codes(story)).toEqual([
      'warrant_required',
      'log_broken',
      'warrant_refused',
      'warrant_refused',
      'warrant_expired',
    ]);
    expect(reportFor(story).refusals).toBe(1);
  });

  it('a refusal that the officer has not signed, and outcomes that do not fit', async () => {
    const story = await begin();
    const warrant = await story.warrant();
    const { text } = writeRefusal({ warrant, officer: 'bela', at: story.at, why: 'The ticket was closed in March.' });
    story.add({ kind: 'refusal', note: await signed(text, ['anna'], 'refusal@trefoil') });
    const use = story.use(warrant, [pseudonym(1)], { isOpen: true });
    story.add({ kind: 'done', entry: use, opened: 2, failed: 0, refused: 0 });
    story.add({ kind: 'done', entry: use, opened: 1, failed: 0, refused: 0 });
    expect(codes(story)).toEqual(['warrant_unsigned', 'log_broken', 'log_broken']);
  });

  it('a charter that does not follow, and entries after the end', async () => {
    const story = await begin();
    const other = await begin({ alerts: ['alert hours 06-20'] });
    story.entries.push(other.entries[0]!);
    story.add({ kind: 'end', verifierKey: KEYS.etl!.verifierKey, checkpoint: 'next\n1\n\n\u2014 next AAAAAQ==\n' });
    story.add({ kind: 'beat' });
    expect(codes(story)).toEqual(['charter_outdated', 'log_broken']);
  });

  it('uses that name nobody, although their purpose counts people', async () => {
    const story = await begin();
    story.use(await story.warrant(), []);
    expect(reportFor(story).unnamed).toEqual({ count: 1, first: [3] });
  });

  it('amendment 11: protected people without the signatures for them', async () => {
    const list = parseProtected(writeProtected([pseudonym(99)]));
    const story = await begin({ protectedBy: list.sha256 });
    story.use(await story.warrant({}, ['chris', 'anna']), [pseudonym(99)]);
    story.use(await story.warrant({}, ['chris', 'anna', 'bela']), [pseudonym(99)]);
    expect(codes(story, { protected: list })).toEqual(['warrant_unsigned']);
    expect(reportFor(story, { protected: list }).protected).toEqual({ count: 2, first: [3, 6] });
    expect(() => reportFor(story, { protected: parseProtected(writeProtected([])) })).toThrow(/not the one/);
  });
});

describe('break-glass', () => {
  it('amendment 33: a ratification covers the uses that it names, by their bytes', async () => {
    const story = await begin();
    const warrant = await story.warrant(glassRequest, ['chris']);
    const [one, two] = [1, 2].map(() => story.use(warrant, [pseudonym(1)], { kind: 'glass' }));
    const named = { index: one!, sha256: sha256(story.entries[one!]!) };
    const ratify = async (uses: readonly (typeof named)[]) => {
      const { text } = writeRatification({ warrant, uses, why: 'An ambulance was on its way.' });
      story.add({ kind: 'ratified', note: await signed(text, ['anna', 'bela'], 'ratification@trefoil') });
    };
    await ratify([named]);
    expect(reportFor(story).unratified).toMatchObject({ count: 1, overdue: 0, first: [{ entry: two }] });
    story.beats(story.at + 9000);
    expect(reportFor(story).unratified).toMatchObject({ count: 1, overdue: 1 });
    await ratify([{ index: two!, sha256: named.sha256 }]);
    expect(reportFor(story).unratified.count).toBe(1);
    expect(reportFor(story).contradictions.count).toBe(1);
  });
});

describe('the period', () => {
  it('counts what is in it, and keeps what was before for windows and budgets', async () => {
    const story = await begin({ alerts: ['alert subject 2 warrants per 7d'] }, DAY - 3 * 86_400);
    story.use(await story.warrant(), [pseudonym(1)], { count: 7 });
    story.beats(DAY + 3600);
    story.use(await story.warrant(), [pseudonym(1)]);
    story.beats(story.at + 600);
    const report = reportFor(story, { from: DAY, to: DAY + 7200 });
    expect(report.totals).toMatchObject({ uses: 1, values: 1, warrants: 1, people: 1 });
    expect(report.repeated?.first).toMatchObject([{ pseudonym: pseudonym(1), warrants: 2 }]);
    const before = reportFor(story, { from: DAY - 3 * 86_400, to: DAY });
    expect(before.totals).toMatchObject({ uses: 1, values: 7 });
    expect(before.repeated?.count).toBe(0);
  });

  it('a person comes back under an old warrant: it counts at its latest use', async () => {
    const story = await begin({ alerts: ['alert subject 2 warrants per 1d'] }, DAY - 3 * 86_400);
    const old = await story.warrant({ seconds: 7 * 86_400 });
    story.use(old, [pseudonym(1)]);
    story.beats(DAY);
    story.use(await story.warrant(), [pseudonym(1)]);
    expect(reportFor(story).repeated?.count).toBe(0);
    story.use(old, [pseudonym(1)]);
    expect(reportFor(story).repeated?.count).toBe(1);
  });
});

describe('the clock', () => {
  it('is compared with those of the witnesses', async () => {
    const story = await begin();
    story.beats(story.at + 3600);
    const ahead = (time: number) => {
      const size = story.entries.length;
      const log = { origin: 'log.example', size, cosigned: [{ name: 'NCC', time, size }], silent: [], witnessed: size };
      return reportOf(story.entries, { now: story.at }, log).clocks;
    };
    expect(ahead(story.at - 590)).toEqual([]);
    expect(ahead(story.at - 610)).toEqual([{ witness: 'NCC', ahead: 610 }]);
    expect(ahead(story.at + 700)).toEqual([]);
    expect(ahead(story.at + 3000)).toEqual([{ witness: 'NCC', ahead: -3000 }]);
  });

  it('eleven minutes without an entry are a silence, also at the end', async () => {
    const story = await begin();
    story.at += 660;
    story.add({ kind: 'beat' });
    expect(reportFor(story).silences.count).toBe(0);
    story.at += 661;
    story.add({ kind: 'beat' });
    expect(reportFor(story).silences.first).toMatchObject([{ after: 2, seconds: 661, hasEnded: true }]);
    expect(reportFor(story, { now: story.at + 3600 }).silences.first).toMatchObject([
      {},
      { after: 3, hasEnded: false },
    ]);
  });
});

it('entries of a newer version are counted, and those that are none are refused', async () => {
  const story = await begin();
  const newer = new TextEncoder().encode(`{"trefoil":"log-v1","kind":"dream","at":${story.at}}`);
  story.entries.push(newer);
  expect(reportFor(story).unknown).toBe(1);
  expect(reportText(reportFor(story))).toContain('MISSING: 1 entry that this version cannot read');
  story.entries.push(writeEntry({ kind: 'beat' }, story.at - 1));
  expect(() => reportFor(story)).toThrow(/entry 3: /);
  expect(() => reportOf([], {})).toThrow(/has no charter/);
});
