/** The rows of docs/security.md on who holds the log, its disk, its key, the machine, or the clock. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openCharter, parseCharter, writeClock, writeRefusal } from '../../../src/govern.ts';
import { parseSeen, subjectSealer, tilePath, verifyLog } from '../../../src/log.ts';
import { readLogFolder } from '../../../src/node.ts';
import { rejection } from '../../helpers/errors.ts';
import {
  accessWith,
  boot,
  charterText,
  customer,
  eventsOf,
  isUse,
  NOW,
  newPlace,
  ownWitness,
  type Place,
  papersFor,
  people,
  ROWS,
  SHARD,
  signed,
} from './world.ts';

/** A service that has revealed the customer's name three times, and has stopped. */
async function used() {
  const service = await boot();
  const open = await people.open(service.keys, {}, accessWith(await papersFor()));
  for (let use = 0; use < 3; use++) await open.reveal(customer);
  await service.stop();
  return service;
}

/** Copies a log and its head, as onto another machine: the lock of its writer says nothing there. */
function copied(from: Place): Place {
  const to = newPlace();
  cpSync(from.log, to.log, { recursive: true, filter: (path) => !/lock/i.test(basename(path)) });
  cpSync(from.head, to.head);
  return to;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
}

const starts = (at: Place) => boot({ at, create: false });
const OPENING = ['log_broken', 'log_rolled_back', 'log_missing', 'log_exists'];

describe('an attacker who writes the disk of the log', () => {
  it('changes a byte of an entry, of a hash, or of the checkpoint: the log does not open, or does not verify', async () => {
    const service = await used();
    const { size } = await eventsOf(service.at);
    // Files of smaller sizes are left over, and nobody reads them.
    const files = ['checkpoint', tilePath(0, 0, size), tilePath('entries', 0, size)];
    for (const file of files) {
      const at = copied(service.at);
      const path = join(at.log, file);
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
      expect((await eventsOf(at)).ok, file).toBe(false);
    }
  });

  it('makes a use smaller, to spend it again: refused at the next start', async () => {
    const service = await used();
    const at = copied(service.at);
    const bundles = filesBelow(join(at.log, 'tile/entries'));
    let changed = 0;
    for (const path of [...bundles, join(at.log, 'journal')]) {
      const text = readFileSync(path, 'latin1');
      changed += text.split('"seal:person.name":1').length - 1;
      writeFileSync(path, text.replaceAll('"seal:person.name":1', '"seal:person.name":0'), 'latin1');
    }
    expect(changed).toBeGreaterThanOrEqual(3);
    expect(OPENING).toContain((await rejection(starts(at))).code);
  });

  it('cuts off the tail, or puts an older copy in the place of the log: refused, because of the head', async () => {
    const service = await boot();
    const papers = await papersFor({ values: 1 });
    const before = copied(service.at);
    await (await people.open(service.keys, {}, accessWith(papers))).reveal(customer);
    await service.stop();
    rmSync(service.at.log, { recursive: true });
    cpSync(before.log, service.at.log, { recursive: true });
    expect((await rejection(starts(service.at))).code).toBe('log_rolled_back');

    const cut = copied((await used()).at);
    for (const path of filesBelow(join(cut.log, 'tile/entries'))) truncateSync(path, statSync(path).size >> 1);
    rmSync(join(cut.log, 'journal'), { force: true });
    expect(OPENING).toContain((await rejection(starts(cut))).code);
    const gone = copied(cut);
    rmSync(gone.log, { recursive: true });
    expect(OPENING).toContain((await rejection(starts(gone))).code);
  });

  it('removes an opening: the entry and its proof stay', async () => {
    const service = await used();
    rmSync(join(service.at.log, 'openings'), { recursive: true });
    const { ok, events } = await eventsOf(service.at);
    expect([ok, events.filter(isUse).length]).toEqual([true, 3]);
  });

  it('shows an overseer an old checkpoint: log_rolled_back to anyone who has seen a newer one', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor()));
    const old = copied(service.at);
    await open.reveal(customer);
    await service.stop();
    const { seen } = await eventsOf(service.at);
    const policy = parseCharter(charterText()).logPolicy;
    const kept = parseSeen(JSON.stringify(seen));
    const shown = await verifyLog(readLogFolder(old.log), { policy, ask: null, seen: kept });
    expect(shown.ok).toBe(false);
    expect(shown.findings.map(({ word }) => word)).toContain('rolled back');
  });
});

describe('an attacker who reads the log', () => {
  it('amendment 14: does not see that two uses are for one person; with the key of the shard they do', async () => {
    const service = await used();
    const { events } = await eventsOf(service.at);
    const sealed = events.flatMap((event) => (event.kind === 'use' ? event.subjects : []));
    expect(new Set(sealed).size).toBe(3);
    const { open } = subjectSealer(SHARD);
    expect(new Set(sealed.map((one) => open(one))).size).toBe(1);
    const text = JSON.stringify(events);
    for (const hidden of ['TICKET-20817', 'called back', customer.id, ROWS[0].name]) expect(text).not.toContain(hidden);
  });
});

describe('an attacker who has the key of the log and its disk', () => {
  /** Writes another history under the same key, without any use. */
  const rewritten = async () => {
    const other = await boot();
    await other.stop();
    return other.at;
  };

  it('SUCCEEDS without witnesses in writing another history, unless somebody has seen the first one', async () => {
    const service = await used();
    const { seen } = await eventsOf(service.at);
    const at = await rewritten();
    const { ok, events } = await eventsOf(at);
    expect([ok, events.filter(isUse).length]).toEqual([true, 0]);
    const { logPolicy: policy } = parseCharter(charterText());
    const kept = parseSeen(JSON.stringify(seen));
    expect((await verifyLog(readLogFolder(at.log), { policy, ask: null, seen: kept })).ok).toBe(false);
  });

  it('amendment 16, witnessed: another history is not cosigned, and opens nothing', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const service = await boot({ by });
    const papers = await papersFor({}, { charter });
    const open = await people.open(service.keys, {}, accessWith(papers));
    for (let use = 0; use < 3; use++) await open.reveal(customer);
    await service.stop();
    const opening = async () => {
      const other = await boot({ by });
      return (await people.open(other.keys, {}, accessWith(papers))).reveal(customer);
    };
    expect(['log_forked', 'log_rolled_back', 'witness_missing', 'log_stopped']).toContain(
      (await rejection(opening())).code,
    );
  });

  it('a service whose key is not the one of the charter does not start', async () => {
    expect((await rejection(boot({ signer: 'mallory' }))).code).toBe('charter_invalid');
  });
});

describe('an attacker who restores or clones the whole machine', () => {
  it('SUCCEEDS without witnesses: log and head go back together, and a budget is spent twice', async () => {
    const service = await boot();
    const papers = await papersFor({ values: 1 });
    const open = await people.open(service.keys, {}, accessWith(papers));
    const clone = copied(service.at);
    await open.reveal(customer);
    expect((await rejection(open.reveal(customer))).code).toBe('budget_spent');
    const again = await starts(clone);
    expect((await (await people.open(again.keys, {}, accessWith(papers))).reveal(customer)).name).toBe(ROWS[0].name);
  });

  it('amendment 16, witnessed: the clone opens nothing, before and after the first machine goes on', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const service = await boot({ by });
    const papers = await papersFor({ values: 1 }, { charter });
    const open = await people.open(service.keys, {}, accessWith(papers));
    const clone = copied(service.at);
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    const opening = async () => {
      const other = await boot({ at: clone, create: false, by, charter });
      return (await people.open(other.keys, {}, accessWith(papers))).reveal(customer);
    };
    expect(['log_rolled_back', 'log_forked']).toContain((await rejection(opening())).code);
    expect((await rejection(open.reveal(customer))).code).toBe('budget_spent');
  });

  it('amendment 16, witnessed later: SUCCEEDS in dropping a use that no witness has seen yet', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const request = { purpose: 'safety-of-life', seconds: 3600 };
    const papers = await papersFor(request, { charter, by: ['chris'] });
    const service = await boot({ by });
    const open = await people.open(service.keys, {}, accessWith(papers));
    await service.log.cosigned(service.log.size(), 10_000);
    const before = copied(service.at);
    by.asked.isDown = true;
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    // It ends when the time of the purpose has passed, and is nowhere if the machine is restored before that.
    service.clock.now += 301;
    expect((await rejection(open.reveal(customer))).code).toBe('witness_missing');
    await service.log.close();
    by.asked.isDown = false;
    const again = await boot({ at: before, create: false, by, charter });
    expect((await eventsOf(before)).events.filter(isUse)).toEqual([]);
    await again.stop();
  });

  it('amendment 16, witnessed later: no use is forgotten because an earlier one was cosigned in time', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const papers = await papersFor({ purpose: 'safety-of-life', seconds: 3600 }, { charter, by: ['chris'] });
    const service = await boot({ by });
    const open = await people.open(service.keys, {}, accessWith(papers));
    await open.reveal(customer);
    await service.log.cosigned(service.log.size(), 10_000);
    by.asked.isDown = true;
    for (const later of [200, 101]) {
      service.clock.now += later;
      expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    }
    // 301 seconds after the second use, which nobody has cosigned.
    service.clock.now += 200;
    expect((await rejection(open.reveal(customer))).code).toBe('witness_missing');
  });

  it('amendment 16, witnessed later: nor because an earlier one has more time', async () => {
    const by = ownWitness();
    const text = charterText({ witnessed: true }).replace(
      /^(purpose support.call-back .*) witnessed before/m,
      '$1 witnessed 1d',
    );
    const charter = parseCharter(text);
    const service = await boot({ by, charter });
    const usual = await people.open(service.keys, {}, accessWith(await papersFor({}, { charter })));
    const urgent = await papersFor({ purpose: 'safety-of-life', seconds: 3600 }, { charter, by: ['chris'] });
    const glass = await people.open(service.keys, {}, accessWith(urgent));
    await service.log.cosigned(service.log.size(), 10_000);
    // The first use asks the witness whether the start is cosigned.
    await usual.reveal(customer);
    by.asked.isDown = true;
    await usual.reveal(customer);
    await glass.reveal(customer);
    service.clock.now += 299;
    expect((await usual.reveal(customer)).name).toBe(ROWS[0].name);
    service.clock.now += 2;
    expect((await rejection(usual.reveal(customer))).code).toBe('witness_missing');
  });

  it('cuts off the witness: nothing is opened, break-glass included, and nothing is lost', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    by.asked.isDown = true;
    const service = await boot({ by, patience: 200 });
    const usual = await people.open(service.keys, {}, accessWith(await papersFor({}, { charter })));
    const glass = await people.open(
      service.keys,
      {},
      accessWith(await papersFor({ purpose: 'safety-of-life', seconds: 3600 }, { charter, by: ['chris'] })),
    );
    for (const open of [usual, glass]) expect((await rejection(open.reveal(customer))).code).toBe('witness_missing');
    by.asked.isDown = false;
    // The witness is asked again after a pause.
    const { name } = await vi.waitFor(() => usual.reveal(customer), { timeout: 10_000, interval: 100 });
    expect(name).toBe(ROWS[0].name);
  });
});

describe('an attacker who brings back what is old', () => {
  it('a warrant under the charter before, and the charter itself: charter_outdated', async () => {
    const service = await boot();
    const papers = await papersFor();
    const open = await people.open(service.keys, {}, accessWith(papers));
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    const first = service.charter;
    const text = charterText({ version: 2, previous: first.sha256 });
    const unsigned = await signed(text, ['anna'], 'charter@trefoil');
    expect((await rejection(service.sequencer.changeCharter(unsigned))).code).toBe('charter_unsigned');
    const note = await signed(text, ['eva'], 'charter@trefoil');
    const second = openCharter(note, { previous: first });
    await service.sequencer.changeCharter(note);
    // Also a policy that was opened before.
    expect((await rejection(open.reveal(customer))).code).toBe('charter_outdated');
    expect((await rejection(people.open(service.keys, {}, accessWith(papers)))).code).toBe('charter_outdated');
    const old = await signed(first.text, ['eva'], 'charter@trefoil');
    expect((await rejection(service.sequencer.changeCharter(old))).code).toBe('charter_outdated');
    await service.stop();
    const again = await boot({ at: service.at, create: false });
    expect(again.sequencer.charter().sha256).toBe(second.sha256);
    expect((await rejection(people.open(again.keys, {}, accessWith(papers)))).code).toBe('charter_outdated');
    const fresh = await papersFor({}, { charter: second });
    expect((await (await people.open(again.keys, {}, accessWith(fresh))).reveal(customer)).name).toBe(ROWS[0].name);
  });

  it('the journal of an older day: the log does not open, or has all that its head has', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor({ values: 2 })));
    await open.reveal(customer);
    const journal = join(service.at.log, 'journal');
    const old = existsSync(journal) ? readFileSync(journal) : null;
    await open.reveal(customer);
    await service.stop();
    if (old !== null) writeFileSync(journal, old);
    const again = await starts(service.at).catch(({ code }: { code: string }) => code);
    if (typeof again === 'string') expect(OPENING).toContain(again);
    else expect((await eventsOf(service.at)).events.filter(isUse)).toHaveLength(2);
  });
});

describe('an attacker who sets the clock', () => {
  it('amendment 20: ahead: clock_jumped until keepers have signed; back: no window begins anew', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor({ seconds: 3600 })));
    await open.reveal(customer);
    service.clock.now += 1800;
    expect((await rejection(open.reveal(customer))).code).toBe('clock_jumped');
    const { text } = writeClock({ domain: 'eu-enclave', at: service.clock.now, why: 'The machine was asleep.' });
    const byMallory = await signed(text, ['mallory'], 'clock@trefoil');
    expect((await rejection(service.sequencer.setClock(byMallory))).code).toBe('warrant_unsigned');
    await service.sequencer.setClock(await signed(text, ['eva'], 'clock@trefoil'));
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    service.clock.now += 1800 + 61;
    await service.sequencer.setClock(
      await signed(
        writeClock({ domain: 'eu-enclave', at: service.clock.now, why: 'The machine was asleep.' }).text,
        ['eva'],
        'clock@trefoil',
      ),
    );
    expect((await rejection(open.reveal(customer))).code).toBe('warrant_expired');
    service.clock.now -= 1800;
    expect((await rejection(open.reveal(customer))).code).toBe('warrant_expired');
  });

  it('amendment 20: a refusal that comes while witnesses are waited for: nothing is opened', async () => {
    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const service = await boot({ by, patience: 20_000 });
    const papers = await papersFor({}, { charter });
    const open = await people.open(service.keys, {}, accessWith(papers));
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    by.asked.isDown = true;
    const size = service.log.size();
    const waits = rejection(open.reveal(customer));
    await vi.waitFor(() => expect(service.log.size()).toBeGreaterThan(size));
    const warrant = createHash('sha256').update(papers.text).digest('hex');
    const { text } = writeRefusal({ warrant, officer: 'bela', at: NOW, why: 'The customer has not called.' });
    await service.sequencer.refuse(await signed(text, ['bela'], 'refusal@trefoil'));
    by.asked.isDown = false;
    expect((await waits).code).toBe('warrant_refused');
    await service.stop();
    const done = (await eventsOf(service.at)).events.filter(({ kind }) => kind === 'done');
    expect(done).toMatchObject([
      { opened: 1, failed: 0, refused: 0 },
      { opened: 0, failed: 0, refused: 1 },
    ]);
  });

  it('SUCCEEDS without witnesses in moving it over a restart; with one it is clock_jumped', async () => {
    const service = await boot();
    await service.stop();
    const ahead = () => ({ now: service.clock.now + 30 * 86_400 });
    const late = await boot({ at: service.at, create: false, clock: ahead() });
    const papers = await papersFor({}, { now: ahead().now });
    expect((await (await people.open(late.keys, {}, accessWith(papers))).reveal(customer)).name).toBe(ROWS[0].name);

    const by = ownWitness();
    const charter = parseCharter(charterText({ witnessed: true }));
    const first = await boot({ by });
    await first.stop();
    const again = await boot({ at: first.at, create: false, by, charter, clock: ahead() });
    const witnessed = await papersFor({}, { charter, now: ahead().now });
    const open = await people.open(again.keys, {}, accessWith(witnessed));
    expect((await rejection(open.reveal(customer))).code).toBe('clock_jumped');
  });
});
