/**
 * The rows of docs/security.md on people who ask, approve and hold papers: each attacker has what the row names, a real
 * log in a folder, and the functions that everybody has.
 */
import { describe, expect, it } from 'vitest';
import {
  addSignature,
  notePartySigner,
  parseCharter,
  parseProtected,
  signWarrant,
  subjectPseudonyms,
  writeProtected,
  writeRefusal,
} from '../../../src/govern.ts';
import { policy, seal } from '../../../src/index.ts';
import { newNoteKey, noteSigner } from '../../../src/log.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { rejection } from '../../helpers/errors.ts';
import {
  accessWith,
  boot,
  charterText,
  customer,
  eventsOf,
  id,
  isUse,
  journalist,
  KEYS,
  NOW,
  name,
  neighbour,
  papersFor,
  people,
  plain,
  ROWS,
  signed,
} from './world.ts';

/** What the log has of a service that has stopped. */
async function usesOf(service: Awaited<ReturnType<typeof boot>>) {
  await service.stop();
  const { ok, events } = await eventsOf(service.at);
  expect(ok).toBe(true);
  return events.filter(isUse);
}

const FRAUD = { purpose: 'fraud.case' } as const;

describe('an attacker who may ask', () => {
  it('opens nothing alone', async () => {
    const service = await boot();
    for (const [by, code] of [
      [[], 'note_invalid'],
      [['chris'], 'warrant_unsigned'],
    ] as const) {
      const access = accessWith(await papersFor({}, { by }));
      expect((await rejection(people.open(service.keys, {}, access))).code).toBe(code);
    }
    expect(await usesOf(service)).toEqual([]);
  });

  it('opens nothing with one of two approvers', async () => {
    const service = await boot();
    const error = await rejection(
      people.open(service.keys, {}, accessWith(await papersFor(FRAUD, { by: ['chris', 'anna'] }))),
    );
    expect([error.code, error.message]).toEqual(['warrant_unsigned', expect.stringMatching(/1 .*approver/)]);
    expect(await usesOf(service)).toEqual([]);
  });

  it('does not approve the own warrant, whatever roles they have', async () => {
    const service = await boot();
    const request = { requester: 'dora', desk: 'dora-desk' } as const;
    for (const [purpose, by] of [
      ['support.call-back', ['dora']],
      ['support.call-back', ['dora', 'chris']],
      ['fraud.case', ['dora', 'anna']],
    ] as const) {
      const access = accessWith(await papersFor({ ...request, purpose }, { by }), 'dora-desk');
      expect((await rejection(people.open(service.keys, {}, access))).code).toBe('self_approval');
    }
    expect(await usesOf(service)).toEqual([]);
  });

  it('forges no approval: a signature that is broken, of a stranger, or of another warrant', async () => {
    const service = await boot();
    const mine = await papersFor({}, { by: ['chris'] });
    const other = await papersFor();
    const line = (note: string) => note.trimEnd().split('\n').at(-1)!;
    const stranger = addSignature(
      mine.note,
      await notePartySigner(KEYS.mallory.privateKey).sign(mine.text, 'warrant@trefoil'),
    );
    const moved = `${mine.note}${line(other.note)}\n`;
    for (const [note, code] of [
      [stranger, 'warrant_unsigned'],
      [moved, 'signature_invalid'],
    ] as const) {
      const opening = people.open(service.keys, {}, accessWith({ note, dossier: mine.dossier }));
      expect((await rejection(opening)).code).toBe(code);
    }
    expect(await usesOf(service)).toEqual([]);
  });

  it('widens nothing that was approved: more values, more people, more time, another scope', async () => {
    const service = await boot();
    const { note, dossier } = await papersFor();
    for (const [from, to] of [
      ['values 4', 'values 40'],
      ['subjects 1', 'subjects 2'],
      ['scopes seal:person.name', 'scopes seal:person.iban'],
      ['purpose support.call-back', 'purpose tables.all'],
    ] as const) {
      expect(note).toContain(from);
      const access = accessWith({ note: note.replace(from, to), dossier });
      const { code } = await rejection(people.open(service.keys, {}, access));
      expect(['signature_invalid', 'warrant_exceeds', 'dossier_wrong', 'warrant_invalid'], from).toContain(code);
    }
    const open = await people.open(service.keys, {}, accessWith({ note, dossier }));
    for (let use = 0; use < 4; use++) expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    expect((await rejection(open.reveal(customer))).code).toBe('budget_spent');
    expect(await usesOf(service)).toHaveLength(4);
  });

  it('gets no second budget by asking at once, by a restart, or by the same warrant with other signatures', async () => {
    const service = await boot();
    const papers = await papersFor({ values: 1 });
    const open = await people.open(service.keys, {}, accessWith(papers));
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => open.reveal(customer)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await service.stop();
    const again = await boot({ at: service.at, create: false });
    const bela = await notePartySigner(KEYS.bela.privateKey).sign(papers.text, 'warrant@trefoil');
    for (const note of [papers.note, addSignature(papers.note, bela)]) {
      const more = await people.open(again.keys, {}, accessWith({ note, dossier: papers.dossier }));
      expect((await rejection(more.reveal(customer))).code).toBe('budget_spent');
    }
    expect(await usesOf(again)).toHaveLength(1);
  });

  it('does not use a warrant that an officer has refused, also after a restart', async () => {
    const service = await boot();
    const papers = await papersFor();
    const open = await people.open(service.keys, {}, accessWith(papers));
    await open.reveal(customer);
    const { createHash } = await import('node:crypto');
    const warrant = createHash('sha256').update(papers.text).digest('hex');
    const { text } = writeRefusal({ warrant, officer: 'bela', at: NOW, why: 'The customer has not called.' });
    await service.sequencer.refuse(await signed(text, ['bela'], 'refusal@trefoil'));
    expect((await rejection(open.reveal(customer))).code).toBe('warrant_refused');
    await service.stop();
    const again = await boot({ at: service.at, create: false });
    expect((await rejection(people.open(again.keys, {}, accessWith(papers)))).code).toBe('warrant_refused');
    expect(await usesOf(again)).toHaveLength(1);
  });

  it('SUCCEEDS with an approver who agrees to everything: the log says who both are', async () => {
    const service = await boot();
    const open = await people.open(
      service.keys,
      {},
      accessWith(await papersFor({ subjects: [{ token: journalist.id }] })),
    );
    expect((await open.reveal(journalist)).name).toBe('Jo Journalist');
    await service.stop();
    const { events } = await eventsOf(service.at);
    const warrant = events.find(({ kind }) => kind === 'warrant') as unknown as { note: string };
    expect(warrant.note).toContain('\nrequester chris\n');
    expect(warrant.note).toContain('— anna.example ');
  });
});

describe('a thief of papers', () => {
  it('with warrant and dossier opens nothing without the key of the desk', async () => {
    const service = await boot();
    const papers = await papersFor();
    for (const desk of ['mallory', 'dora-desk', 'chris'] as const) {
      const open = await people.open(service.keys, {}, accessWith(papers, desk));
      expect((await rejection(open.reveal(customer))).code).toBe('not_in_charter');
    }
    const liar = { ...noteSigner(KEYS.mallory.privateKey), ...pick(noteSigner(KEYS['chris-desk'].privateKey)) };
    const { warrantAccess } = await import('../../../src/govern.ts');
    const access = warrantAccess(papers.note, { dossier: papers.dossier, desk: liar });
    const open = await people.open(service.keys, {}, access);
    expect((await rejection(open.reveal(customer))).code).toBe('signature_invalid');
    expect(await usesOf(service)).toEqual([]);
  });

  it('with the key of the desk, too, opens what the warrant names, until it ends', async () => {
    const service = await boot();
    const papers = await papersFor();
    const open = await people.open(service.keys, {}, accessWith(papers));
    expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    expect((await rejection(open.reveal(neighbour))).code).toBe('other_subject');
    service.clock.now += 12 * 3600 + 61;
    expect((await rejection(open.reveal(customer))).code).toBe('warrant_expired');
    expect(await usesOf(service)).toHaveLength(1);
  });

  it('without the dossier opens nothing, and another dossier does not fit', async () => {
    const service = await boot();
    const { note } = await papersFor();
    const { dossier } = await papersFor({ subjects: [{ token: journalist.id }] });
    expect((await rejection(people.open(service.keys, {}, accessWith({ note, dossier })))).code).toBe('dossier_wrong');
    expect(await usesOf(service)).toEqual([]);
  });
});

/** What a signer says about itself. */
function pick({ name: signer, keyHash, verifierKey }: ReturnType<typeof noteSigner>) {
  return { name: signer, keyHash, verifierKey };
}

describe('an approver', () => {
  it('signs the text that is shown: a dossier or a charter that does not fit is not signed', async () => {
    const { note } = await papersFor({}, { by: ['chris'] });
    const other = await papersFor({ subjects: [{ token: journalist.id }] });
    const anna = notePartySigner(KEYS.anna.privateKey);
    const options = { charter: parseCharter(charterText()), dossier: other.dossier, now: NOW, signer: anna };
    expect((await rejection(signWarrant(note, options))).code).toBe('dossier_wrong');
    const wider = parseCharter(charterText({ hours: 700 }));
    const asked = signWarrant(note, { ...options, charter: wider });
    expect((await rejection(asked)).code).toBe('charter_outdated');
  });
});

describe('a requester with an approved warrant for the customer', () => {
  const held = policy({ id, name: vault({ scope: 'person.name', store: 'people', subject: 'id' }) }, { subject: 'id' });
  const BOUND = { purpose: 'support.bound', scopes: ['vault:people/person.name'], subjects: [{ text: '10017' }] };

  it('asks for another person openly: the batch is refused as a whole', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor()));
    expect((await rejection(open.revealMany([customer, journalist]))).code).toBe('other_subject');
    expect(await usesOf(service)).toEqual([]);
  });

  it('amendment 1, vault: puts the journalist’s value beside the customer’s token: other_subject', async () => {
    const service = await boot();
    const stores = { people: memoryStore() };
    const kept = await (await held.open(plain, stores)).protectMany(
      ROWS.map((row) => ({ id: row.id, name: row.name })),
    );
    const open = await held.open(service.keys, stores, accessWith(await papersFor(BOUND)));
    expect((await open.reveal(kept[0]!)).name).toBe(ROWS[0].name);
    const swapped = { ...kept[0]!, name: kept[2]!.name };
    expect((await rejection(open.reveal(swapped))).code).toBe('other_subject');
    const uses = await usesOf(service);
    expect(uses).toMatchObject([{ bound: true }, { bound: true }]);
    const { events } = await eventsOf(service.at);
    expect(events.filter(({ kind }) => kind === 'done')).toMatchObject([
      { opened: 1, failed: 0 },
      { opened: 0, failed: 1 },
    ]);
  });

  it('amendment 1, unbound: SUCCEEDS with the journalist’s sealed value, and the entry says bound false', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor()));
    const swapped = { ...customer, name: journalist.name };
    expect((await open.reveal(swapped)).name).toBe('Jo Journalist');
    expect(await usesOf(service)).toMatchObject([{ bound: false }]);
  });

  it('amendment 1, charter: a purpose for people and sealed values that is not unbound opens nothing', async () => {
    const charter = parseCharter(charterText().replace(' unbound', ''));
    const service = await boot({ charter });
    const error = await rejection(people.open(service.keys, {}, accessWith(await papersFor({}, { charter }))));
    expect(error.code).toBe('warrant_exceeds');
    expect(await usesOf(service)).toEqual([]);
  });

  it('hides the person from the log by a policy that knows nobody: refused', async () => {
    const service = await boot();
    const access = accessWith(await papersFor());
    for (const other of [
      policy({ id, name }),
      policy({ id, name, born: seal({ scope: 'born' }) }, { subject: 'id' }),
    ]) {
      expect((await rejection(other.open(service.keys, {}, access))).code).toBe('warrant_exceeds');
    }
    expect(await usesOf(service)).toEqual([]);
  });
});

describe('an attacker who wants to know who is protected', () => {
  it('amendment 11: sees it by a warrant with all other approvals, once a refusal, which the log counts', async () => {
    const file = writeProtected([subjectPseudonyms(plain, 'person')(journalist.id!)]);
    const list = parseProtected(file);
    const line = `protected commit sha256:${list.sha256} approvals 1:legal`;
    const lea = newNoteKey('lea.example', { random: (length) => new Uint8Array(length).fill(7) });
    const text = charterText()
      .replace('officer eva', `officer lea legal note ${lea.verifierKey}\nofficer eva`)
      .replace('change 1:keeper', `${line}\nchange 1:keeper`);
    const charter = parseCharter(text);
    const service = await boot({ charter, list });
    const of = (safe: typeof journalist, by: Parameters<typeof papersFor>[1]) =>
      papersFor({ subjects: [{ token: safe.id! }] }, { ...by, charter });
    // Without the approvals of the purpose, nothing differs.
    const refusals = await Promise.all(
      [journalist, customer].map(async (safe) =>
        rejection(people.open(service.keys, {}, accessWith(await of(safe, { by: ['chris'] })))),
      ),
    );
    expect(refusals.map(({ code }) => code)).toEqual(['warrant_unsigned', 'warrant_unsigned']);
    expect(refusals[0]!.message).toBe(refusals[1]!.message);
    const agreed = await of(journalist, {});
    const error = await rejection(people.open(service.keys, {}, accessWith(agreed)));
    expect([error.code, error.message]).toEqual(['warrant_unsigned', expect.stringContaining('legal')]);
    expect(
      (await (await people.open(service.keys, {}, accessWith(await of(customer, {})))).reveal(customer)).name,
    ).toBe(ROWS[0].name);
    const note = addSignature(agreed.note, await notePartySigner(lea.privateKey).sign(agreed.text, 'warrant@trefoil'));
    const open = await people.open(service.keys, {}, accessWith({ note, dossier: agreed.dossier }));
    expect((await open.reveal(journalist)).name).toBe('Jo Journalist');
    await service.stop();
    const { events } = await eventsOf(service.at);
    const denials = events.flatMap((event) => (event.kind === 'deny' ? [event] : []));
    expect(denials).toMatchObject([{ code: 'warrant_unsigned', count: 3 }]);
  });
});
