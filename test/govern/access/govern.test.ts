/** Governed keys with real charters and warrants, over a book of uses in memory. */
import { describe, expect, it } from 'vitest';
import { fail } from '../../../src/errors.ts';
import type { Charter } from '../../../src/govern/charter/charter.ts';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import { parseProtected, writeProtected } from '../../../src/govern/people/protected.ts';
import { subjectPseudonyms } from '../../../src/govern/people/pseudonyms.ts';
import type { WarrantRequest } from '../../../src/govern/warrant/ask.ts';
import { govern, type UseKeeper, type UseRequest, type VerifiedWarrant, warrantAccess } from '../../../src/govern.ts';
import { keep, keyset, policy, seal, token } from '../../../src/index.ts';
import { addKey, promoteKey } from '../../../src/keys.ts';
import { noteSigner, openNote, verifierKey } from '../../../src/log.ts';
import { trim } from '../../../src/prepare.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { codeOf, rejection } from '../../helpers/errors.ts';
import { charterText, keyOf, made, NOW, signed } from '../warrant/shared.ts';

const root = keyset.generate();
const plain = root.domain('eu-enclave');
const id = token({ scope: 'person', label: 'cust' });
const people = policy({ id, name: seal({ scope: 'person.name' }), city: keep }, { subject: 'id' });
const rows = [1, 2, 3].map((number) => ({ id: String(number), name: `Person ${number}`, city: 'Oslo' }));
const safe = people.bind(plain).protectMany(rows);

const BOUND =
  'purpose support.bound verb reveal scopes vault:people/person.name approvals 1:approver values 50 subjects 10 ' +
  'hours 12 witnessed before show 7d';
const TABLES =
  'purpose tables.all verb reveal scopes seal:person.name approvals 1:approver values any hours 12 witnessed before ' +
  'show never unbound';
const text = (more: Parameters<typeof charterText>[0] = {}): string =>
  charterText(more).replace(/^glass/m, `${BOUND}\n${TABLES}\nglass`);
const CHARTER = parseCharter(text());

/** A book of uses in memory. */
function book(charter: Charter = CHARTER, onUse: () => void | Promise<void> = () => {}) {
  const requests: UseRequest[] = [];
  const events: string[] = [];
  const admitted: VerifiedWarrant[] = [];
  let spent = 0;
  const sequencer: UseKeeper = {
    charter: () => charter,
    async admit(verified) {
      admitted.push(verified);
      events.push('admit');
    },
    async use(request) {
      await onUse();
      const count = Object.values(request.scopes).reduce((sum, one) => sum + one, 0);
      const { values } = admitted.find(({ sha256 }) => sha256 === request.warrant)!.warrant;
      if (values !== null && spent + count > values) fail('budget_spent', 'the warrant has no values left');
      spent += count;
      requests.push(request);
      events.push(`use ${count}`);
      return {
        index: requests.length,
        checkpoint: '',
        done: async ({ opened, failed, refused }) => {
          events.push(`done ${opened} ${failed} ${refused}`);
        },
      };
    },
    deny: (code, warrant) => events.push(`deny ${code}${warrant === undefined ? '' : ' of a warrant'}`),
  };
  return { sequencer, requests, events, admitted };
}

const now = () => NOW * 1000;
const desk = noteSigner(keyOf('chris-desk.example').privateKey);

const ABOUT_TWO: Partial<WarrantRequest> = {
  scopes: ['seal:person.name'],
  values: 4,
  subjects: [{ token: safe[0]!.id }, { text: '2' }],
};

/** The access of a warrant that all have signed. */
async function accessOf(
  request: Partial<WarrantRequest> = ABOUT_TWO,
  charter: Charter = CHARTER,
  by = ['chris', 'anna'],
) {
  const { text: warrant, dossier } = made(request, 'access', charter);
  return warrantAccess(await signed(warrant, by), { dossier, desk });
}

function governed(of = book(), more: object = {}) {
  return { ...of, keys: govern(plain, { sequencer: of.sequencer, now, ...more }) };
}

describe('a warrant', () => {
  it('opens what it names, and every batch is a use of it', async () => {
    const { keys, events, requests, admitted } = governed();
    const open = await people.open(keys, {}, await accessOf());
    expect(await open.revealMany(safe.slice(0, 2))).toEqual(
      safe.slice(0, 2).map((row, i) => ({ ...row, name: rows[i]!.name })),
    );
    expect(events).toEqual(['admit', 'use 2', 'done 2 0 0']);
    const pseudonymOf = subjectPseudonyms(plain, 'person');
    expect(requests).toMatchObject([
      {
        warrant: admitted[0]!.sha256,
        scopes: { 'seal:person.name': 2 },
        people: [pseudonymOf(safe[0]!.id), pseudonymOf(safe[1]!.id)],
        bound: false,
      },
    ]);
  });

  it('that the log does not admit, or whose budget is spent, is counted as refused', async () => {
    const refusing = book();
    const admit = (): never => fail('warrant_refused', 'an officer has refused the warrant');
    const { keys } = governed({ ...refusing, sequencer: { ...refusing.sequencer, admit } });
    await expect(people.open(keys, {}, await accessOf())).rejects.toMatchObject({ code: 'warrant_refused' });
    expect(refusing.events).toEqual(['deny warrant_refused of a warrant']);
    const spending = governed();
    const open = await people.open(spending.keys, {}, await accessOf({ ...ABOUT_TWO, values: 1 }));
    await expect(open.revealMany(safe.slice(0, 2))).rejects.toMatchObject({ code: 'budget_spent' });
    expect(spending.events).toEqual(['admit', 'deny budget_spent of a warrant']);
  });

  it('naming people by texts does not take a rule of the desk that gives their texts the tokens of others', async () => {
    for (const more of [{ after: '1' }, { prepare: trim }, { prf: 'blake3' }, { onToken: 'pass' }]) {
      const { keys, events } = governed();
      const of = policy(
        {
          id: token({ scope: 'person', label: 'cust', ...more } as never),
          name: seal({ scope: 'person.name' }),
          city: keep,
        },
        { subject: 'id' },
      );
      await expect(of.open(keys, {}, await accessOf())).rejects.toMatchObject({ code: 'warrant_exceeds' });
      expect(events).toEqual(['deny warrant_exceeds of a warrant']);
    }
  });

  it('is used by requests that the desk has signed, each with its own digest', async () => {
    const { keys, requests, admitted } = governed();
    const open = await people.open(keys, {}, await accessOf());
    await open.reveal(safe[0]!);
    await open.reveal(safe[0]!);
    const [first, second] = requests;
    expect(first!.request).not.toBe(second!.request);
    const { request } = first!.details as { request: string };
    const { text: said } = openNote(request, [verifierKey(keyOf('chris-desk.example').verifierKey)]);
    expect(said).toMatch(
      new RegExp(
        `^trefoil request v1\nwarrant sha256:${admitted[0]!.sha256}\ndesk chris-desk\nverb reveal\n` +
          'values seal:person.name 1\nat 2026-11-30T20:00:00Z\nnonce [0-9a-z]{26}\n$',
      ),
    );
    const { createHash } = await import('node:crypto');
    expect(createHash('sha256').update(said).digest('hex')).toBe(first!.request);
  });

  it('is not used by another desk, also not by one that states the key of the right one', async () => {
    const { text: warrant, dossier } = made(ABOUT_TWO, 'access', CHARTER);
    const note = await signed(warrant, ['chris', 'anna']);
    const other = noteSigner(keyOf('dora-desk.example').privateKey);
    for (const wrong of [other, { ...other, name: desk.name, verifierKey: desk.verifierKey, keyHash: desk.keyHash }]) {
      const { keys, requests } = governed();
      const open = await people.open(keys, {}, warrantAccess(note, { dossier, desk: wrong }));
      await expect(open.reveal(safe[0]!)).rejects.toMatchObject({
        code: expect.stringMatching(/^(not_in_charter|signature_invalid)$/),
      });
      expect(requests).toEqual([]);
    }
  });

  it('without its approvals, after its end, or for another charter opens no policy, which is counted', async () => {
    const late = book();
    const cases: readonly [string, Promise<unknown>, ReturnType<typeof book>][] = [];
    const unsigned = governed();
    const attempts = [
      ['warrant_unsigned', people.open(unsigned.keys, {}, await accessOf(ABOUT_TWO, CHARTER, ['chris'])), unsigned],
      [
        'warrant_expired',
        people.open(
          govern(plain, { sequencer: late.sequencer, now: () => (NOW + 13 * 3600) * 1000 }),
          {},
          await accessOf(),
        ),
        late,
      ],
    ] as const;
    for (const [code, opening, { events }] of [...cases, ...attempts]) {
      expect((await rejection(opening)).code).toBe(code);
      expect(events).toEqual([`deny ${code} of a warrant`]);
    }
    const { sequencer, events } = book(parseCharter(text({ caseShown: false })));
    const error = await rejection(people.open(govern(plain, { sequencer, now }), {}, await accessOf()));
    expect(error.code).toBe('charter_outdated');
    expect(events).toEqual(['deny charter_outdated of a warrant']);
  });

  it('ends while a policy is open: the next batch is refused', async () => {
    let time = NOW;
    const of = book();
    const keys = govern(plain, { sequencer: of.sequencer, now: () => time * 1000 });
    const open = await people.open(keys, {}, await accessOf());
    expect((await open.reveal(safe[0]!)).name).toBe('Person 1');
    time += 13 * 3600;
    expect((await rejection(open.reveal(safe[0]!))).code).toBe('warrant_expired');
    expect(of.events).toEqual(['admit', 'use 1', 'done 1 0 0', 'deny warrant_expired of a warrant']);
  });

  it('is for its scopes: a policy that reveals more is refused', async () => {
    const { keys } = governed();
    const more = policy({ id, name: seal({ scope: 'person.name' }), born: seal({ scope: 'born' }) }, { subject: 'id' });
    const error = await rejection(more.open(keys, {}, await accessOf()));
    expect([error.code, error.message]).toEqual(['warrant_exceeds', expect.stringContaining('seal:born')]);
  });

  it('for rekey is none to reveal', async () => {
    const { keys } = governed();
    const access = await accessOf(
      { purpose: 'move.keys', scopes: ['seal:person.name'], values: null, subjects: null },
      CHARTER,
      ['chris', 'anna', 'bela'],
    );
    expect((await rejection(people.open(keys, {}, access))).code).toBe('warrant_exceeds');
  });

  it('has a budget, which is spent before anything is revealed', async () => {
    const { keys, events } = governed();
    const open = await people.open(keys, {}, await accessOf());
    for (let i = 0; i < 4; i++) await open.reveal(safe[0]!);
    expect((await rejection(open.reveal(safe[0]!))).code).toBe('budget_spent');
    expect(events.slice(-2)).toEqual(['done 1 0 0', 'deny budget_spent of a warrant']);
  });

  it('about whole tables names nobody in the log', async () => {
    const { keys, requests } = governed();
    const access = await accessOf({
      purpose: 'tables.all',
      scopes: ['seal:person.name'],
      values: null,
      subjects: null,
    });
    const open = await policy({ id, name: seal({ scope: 'person.name' }), city: keep }).open(keys, {}, access);
    expect((await open.revealMany(safe)).map(({ name }) => name)).toEqual(rows.map(({ name }) => name));
    expect(requests).toMatchObject([{ people: [], bound: false }]);
    expect(Object.keys(requests[0]!.details)).toEqual(['request']);
  });
});

describe('the people of a warrant', () => {
  it('are those of the dossier: a batch with anybody else is refused as a whole', async () => {
    const { keys, events } = governed();
    const open = await people.open(keys, {}, await accessOf());
    expect((await rejection(open.revealMany(safe))).code).toBe('other_subject');
    expect(events).toEqual(['admit', 'deny other_subject of a warrant']);
  });

  it('are known by tokens of any epoch, also by those of the next one', async () => {
    const first = keyset.generate();
    const both = addKey(first);
    const second = promoteKey(both, both.ids[1]!).domain('eu-enclave');
    const [old] = people.bind(first.domain('eu-enclave')).protectMany(rows);
    const fresh = people.bind(second).protect(rows[0]!);
    expect(fresh.id).not.toBe(old!.id);
    const of = book();
    const keys = govern(second, { sequencer: of.sequencer, now });
    const access = await accessOf({ ...ABOUT_TWO, subjects: [{ token: old!.id }] });
    const open = await people.open(keys, {}, access);
    expect((await open.revealMany([old!, fresh])).map(({ name }) => name)).toEqual(['Person 1', 'Person 1']);
    expect(of.requests[0]!.people).toHaveLength(1);
  });

  it('must be said by every record that is opened', async () => {
    const { keys } = governed();
    const open = await people.open(keys, {}, await accessOf());
    expect((await rejection(open.reveal({ ...safe[0]!, id: null as never }))).code).toBe('other_subject');
    expect((await rejection(open.reveal({ ...safe[0]!, id: 'cust_0' as never }))).code).toBe('malformed_token');
  });

  it('must be known to the policy by tokens of the scope of the charter', async () => {
    const { keys } = governed();
    const name = seal({ scope: 'person.name' });
    for (const other of [
      policy({ id, name, city: keep }),
      policy({ id, name, city: keep }, { subject: 'city' }),
      policy({ id: token({ scope: 'customer' }), name, city: keep }, { subject: 'id' }),
    ]) {
      expect((await rejection(other.open(keys, {}, await accessOf()))).code).toBe('warrant_exceeds');
    }
  });

  it('are each once: a token and the text that it is made from are one person', async () => {
    const { keys } = governed();
    const access = await accessOf({ ...ABOUT_TWO, subjects: [{ token: safe[0]!.id }, { text: '1' }] });
    expect((await rejection(people.open(keys, {}, access))).code).toBe('dossier_wrong');
  });

  it('may be protected: then more have to agree, and without the list nothing is granted', async () => {
    const file = writeProtected([subjectPseudonyms(plain, 'person')(safe[0]!.id)]);
    const protectedPeople = parseProtected(file);
    const charter = parseCharter(text({ protectedBy: '1:legal' }).replace('1'.repeat(64), protectedPeople.sha256));
    for (const more of [{}, { protectedPeople: parseProtected(writeProtected([])) }]) {
      const { keys } = governed(book(charter), more);
      const opening = people.open(keys, {}, await accessOf(ABOUT_TWO, charter));
      expect((await rejection(opening)).code).toBe('charter_invalid');
    }
    const { keys } = governed(book(charter), { protectedPeople });
    expect((await rejection(people.open(keys, {}, await accessOf(ABOUT_TWO, charter)))).code).toBe('warrant_unsigned');
    const agreed = await accessOf(ABOUT_TWO, charter, ['chris', 'anna', 'bela']);
    expect((await (await people.open(keys, {}, agreed)).reveal(safe[0]!)).name).toBe('Person 1');
    const others = await accessOf({ ...ABOUT_TWO, subjects: [{ token: safe[1]!.id }] }, charter);
    expect((await (await people.open(keys, {}, others)).reveal(safe[1]!)).name).toBe('Person 2');
  });
});

describe('a purpose that is not unbound', () => {
  const name = vault({ scope: 'person.name', store: 'people', subject: 'id' });
  const held = policy({ id, name, city: keep }, { subject: 'id' });
  const request = (subjects: WarrantRequest['subjects']): Partial<WarrantRequest> => ({
    purpose: 'support.bound',
    scopes: ['vault:people/person.name'],
    values: 4,
    subjects,
  });

  async function setting() {
    const stores = { people: memoryStore() };
    const kept = await (await held.open(plain, stores)).protectMany(rows);
    return { stores, kept, ...governed() };
  }

  it('opens what a vault binds to the people of the dossier', async () => {
    const { stores, kept, keys, requests } = await setting();
    const open = await held.open(keys, stores, await accessOf(request([{ text: '1' }, { text: '2' }])));
    expect((await open.revealMany(kept.slice(0, 2))).map((row) => row.name)).toEqual(['Person 1', 'Person 2']);
    expect(requests).toMatchObject([{ bound: true, scopes: { 'vault:people/person.name': 2 } }]);
  });

  it('amendment 1: opens nobody else under the name of the person of the warrant', async () => {
    const { stores, kept, keys, events } = await setting();
    const open = await held.open(keys, stores, await accessOf(request([{ text: '1' }])));
    const journalist = { ...kept[0]!, name: kept[1]!.name };
    expect((await rejection(open.reveal(journalist))).code).toBe('other_subject');
    expect(events).toEqual(['admit', 'use 1', 'done 0 1 0']);
  });

  it('needs the texts of its people, because no handle leads from a token', async () => {
    const { stores, keys } = await setting();
    const access = await accessOf(request([{ token: safe[0]!.id }]));
    expect((await rejection(held.open(keys, stores, access))).code).toBe('dossier_wrong');
  });

  it('opens no values that are bound to nobody', async () => {
    const { stores, keys } = await setting();
    const loose = policy({ id, name: vault({ scope: 'person.name', store: 'people' }), city: keep }, { subject: 'id' });
    const access = await accessOf(request([{ text: '1' }]));
    expect((await rejection(loose.open(keys, stores, access))).code).toBe('warrant_exceeds');
  });
});

describe('govern', () => {
  it('refuses what it cannot govern', () => {
    const { sequencer, keys } = governed();
    expect(() => govern(keys, { sequencer })).toThrow(TypeError);
    expect(() => govern(plain, { sequencer: {} as never })).toThrow(TypeError);
    expect(() => govern(plain, { sequencer, now: 1 as never })).toThrow(TypeError);
    expect(codeOf(() => govern(root.domain('other'), { sequencer }))).toBe('wrong_domain');
  });
});

describe('warrantAccess', () => {
  it('takes text or bytes, copies them, and shows nothing', async () => {
    const { text: warrant, dossier } = made(ABOUT_TWO, 'access', CHARTER);
    const note = new TextEncoder().encode(await signed(warrant, ['chris', 'anna']));
    const bytes = new TextEncoder().encode(dossier);
    const access = warrantAccess(note, { dossier: bytes, desk });
    note.fill(0);
    bytes.fill(0);
    const { keys } = governed();
    expect((await (await people.open(keys, {}, access)).reveal(safe[0]!)).name).toBe('Person 1');
    const { inspect } = await import('node:util');
    const shown = [String(access), JSON.stringify(access), inspect(access, { showHidden: true, depth: 9 })].join();
    for (const secret of ['TICKET', 'warrant v1', 'PRIVATE']) expect(shown).not.toContain(secret);
  });

  it('refuses other things', () => {
    for (const wrong of [null, 1, {}, undefined]) {
      expect(() => warrantAccess(wrong as never, { dossier: '', desk })).toThrow(TypeError);
      expect(() => warrantAccess('', { dossier: wrong as never, desk })).toThrow(TypeError);
      expect(() => warrantAccess('', { dossier: '', desk: wrong as never })).toThrow(TypeError);
    }
  });
});
