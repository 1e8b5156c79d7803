/** Governed keys over a real log in a folder: nothing is revealed that is not in the log before. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { subjectPseudonyms } from '../../../src/govern/people/pseudonyms.ts';
import { newWarrant, type WarrantRequest } from '../../../src/govern/warrant/ask.ts';
import { govern, warrantAccess } from '../../../src/govern.ts';
import { keep, keyset, policy, seal, token } from '../../../src/index.ts';
import { checkOpening, type LogStore, noteSigner, readEntry } from '../../../src/log.ts';
import { rejection } from '../../helpers/errors.ts';
import { CHARTER, KEYS, NOW, open as openBook, place, REQUEST, SEALER, signed } from '../ledger/shared.ts';

const plain = keyset.generate().domain('eu-enclave');
const people = policy(
  { id: token({ scope: 'person', label: 'cust' }), name: seal({ scope: 'person.name' }), city: keep },
  { subject: 'id' },
);
const rows = [1, 2, 3].map((number) => ({ id: String(number), name: `Person Number ${number}`, city: 'Oslo' }));
const safe = people.bind(plain).protectMany(rows);
const desk = noteSigner(KEYS['chris-desk']!.privateKey);

async function access(request: Partial<WarrantRequest> = {}) {
  const { warrant, dossier } = newWarrant(
    { ...REQUEST, values: 4, subjects: [{ token: safe[0]!.id }, { text: '2' }], ...request },
    { charter: CHARTER, now: NOW },
  );
  return warrantAccess(await signed(warrant.text, ['chris', 'anna'], 'warrant@trefoil'), { dossier, desk });
}

async function setting(wrap: (store: LogStore) => LogStore = (store) => store) {
  const clock = { now: NOW };
  const { log, gate } = await openBook(wrap(place().store()), clock, { create: true });
  const keys = govern(plain, { sequencer: gate, now: () => clock.now * 1000 });
  const entries = async () => {
    const found: { readonly text: string; readonly entry: ReturnType<typeof readEntry> }[] = [];
    for await (const bytes of log.entries()) {
      found.push({ text: Buffer.from(bytes).toString('utf8'), entry: readEntry(bytes) });
    }
    return found;
  };
  return { clock, log, gate, keys, entries };
}

describe('a reveal', () => {
  it('is in the log: the warrant, the use, and what became of it', async () => {
    const { log, keys, entries } = await setting();
    const opened = await people.open(keys, {}, await access());
    const back = await opened.revealMany(safe.slice(0, 2));
    expect(back.map(({ name }) => name)).toEqual(['Person Number 1', 'Person Number 2']);
    const found = await entries();
    expect(found.map(({ entry }) => entry.event!.kind)).toEqual(['charter', 'start', 'warrant', 'use', 'done']);
    const [, , , use, done] = found.map(({ entry }) => entry.event!);
    if (use!.kind !== 'use') throw new Error('no use');
    expect(use).toMatchObject({ n: 1, scopes: { 'seal:person.name': 2 }, bound: false });
    const pseudonymOf = subjectPseudonyms(plain, 'person');
    expect(use.subjects.map(SEALER.open)).toEqual(safe.slice(0, 2).map(({ id }) => pseudonymOf(id)));
    expect(done).toMatchObject({ kind: 'done', entry: 3, opened: 2, failed: 0, refused: 0 });
    const details = checkOpening(use.commit, (await log.opening(3))!) as { request: string; subjects: string[] };
    expect(details.subjects).toEqual(safe.slice(0, 2).map(({ id }) => id));
    expect(details.request).toContain('trefoil request v1\n');
    await log.close();
  });

  it('leaves no value, no token, no case and no reason in the log', async () => {
    const { log, keys, entries } = await setting();
    await (await people.open(keys, {}, await access())).revealMany(safe.slice(0, 2));
    const text = (await entries()).map((one) => one.text).join('\n');
    // The charter of these tests shows cases, so the case is not looked for.
    for (const secret of [...safe.flatMap(({ id, name }) => [id, name]), 'Person Number', REQUEST.reason]) {
      expect(text).not.toContain(secret);
    }
    await log.close();
  });

  it('of many at once takes no more than the budget', async () => {
    const { log, keys, entries } = await setting();
    const opened = await people.open(keys, {}, await access());
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => opened.reveal(safe[0]!)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'budget_spent' });
    }
    const uses = (await entries()).filter(({ entry }) => entry.event!.kind === 'use');
    expect(uses).toHaveLength(4);
    await log.close();
  });

  it('is refused if its use cannot be written, and so is every other one after it', async () => {
    let isFull = false;
    const full = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    const { keys } = await setting((store) => ({
      ...store,
      writeJournal: (bytes) => (isFull ? full() : store.writeJournal(bytes)),
    }));
    const opened = await people.open(keys, {}, await access());
    expect((await opened.reveal(safe[0]!)).name).toBe('Person Number 1');
    isFull = true;
    await expect(opened.reveal(safe[0]!)).rejects.toThrow();
    isFull = false;
    await expect(opened.reveal(safe[0]!)).rejects.toMatchObject({ code: 'log_stopped' });
  });

  it('that was refused is counted, with the warrant that the log has', async () => {
    const { log, gate, keys, entries } = await setting();
    const opened = await people.open(keys, {}, await access());
    expect((await rejection(opened.revealMany(safe))).code).toBe('other_subject');
    expect((await rejection(people.open(keys, {}, await access({ scopes: ['seal:person.mail'] })))).code).toBe(
      'warrant_exceeds',
    );
    await gate.tick();
    const denials = (await entries()).flatMap(({ entry: { event } }) => (event!.kind === 'deny' ? [event!] : []));
    expect(denials).toMatchObject([
      { code: 'other_subject', count: 1, warrant: expect.any(String) },
      { code: 'warrant_exceeds', count: 1 },
    ]);
    expect(denials[1]).not.toHaveProperty('warrant');
    await log.close();
  });
});

describe('the files of a log', () => {
  it('of a run hold nothing of its people outside the openings', async () => {
    const { mkdtempSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { logFolder } = await import('../../../src/node.ts');
    const folder = mkdtempSync(join(tmpdir(), 'trefoil-logged-'));
    const store = logFolder(join(folder, 'log'), { head: join(folder, 'head'), sync: false });
    const { log, gate } = await openBook(store, { now: NOW }, { create: true });
    const keys = govern(plain, { sequencer: gate, now: () => NOW * 1000 });
    await (await people.open(keys, {}, await access())).revealMany(safe.slice(0, 2));
    await log.close();
    const files: string[] = [];
    const walk = (at: string): void => {
      for (const name of readdirSync(at)) {
        const path = join(at, name);
        if (statSync(path).isDirectory()) walk(path);
        else files.push(path);
      }
    };
    walk(folder);
    const inside = files.filter((path) => safe.some(({ id }) => readFileSync(path, 'latin1').includes(id)));
    expect(inside.length).toBeGreaterThan(0);
    for (const path of inside) expect(path).toMatch(/openings/);
  });
});
