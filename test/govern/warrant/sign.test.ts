/** Making and signing warrants: what our tools refuse before a key is used. */
import { describe, expect, test } from 'vitest';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import { notePartySigner } from '../../../src/govern/officers/party-signer.ts';
import {
  newWarrant,
  parseDossier,
  parseWarrant,
  signRatification,
  signRefusal,
  signWarrant,
  verifyRatification,
  verifyRefusal,
  verifyWarrant,
  type WarrantRequest,
  writeRatification,
  writeRefusal,
} from '../../../src/govern.ts';
import { codeOf, rejection, thrown } from '../../helpers/errors.ts';
import { CHARTER, charterText, keyOf, made, NOW, REQUEST, SIGNERS, signed } from './shared.ts';

const ask = (more: Partial<WarrantRequest>) => () =>
  newWarrant({ ...REQUEST, ...more }, { charter: CHARTER, now: NOW });

describe('newWarrant', () => {
  test('makes a warrant and a dossier that fit', () => {
    const { warrant, dossier } = ask({})();
    expect(warrant).toMatchObject({ asked: NOW, from: NOW, until: NOW + 12 * 3600, subjects: 2, values: 4 });
    expect(parseDossier(dossier)).toMatchObject({ sha256: warrant.dossier, case: 'TICKET-20817' });
  });

  const refused: readonly (readonly [what: string, more: Partial<WarrantRequest>, code: string])[] = [
    ['an unknown purpose', { purpose: 'curiosity' }, 'unknown_purpose'],
    ['a requester without the role', { requester: 'anna' }, 'not_in_charter'],
    ['the desk of another', { desk: 'dora-desk' }, 'not_in_charter'],
    ['a scope too many', { scopes: ['seal:person.name', 'seal:person.mail'] }, 'warrant_exceeds'],
    ['values too many', { values: 51 }, 'warrant_exceeds'],
    ['any values', { values: null }, 'warrant_exceeds'],
    ['any people', { subjects: null }, 'warrant_exceeds'],
    ['a second too long', { seconds: 12 * 3600 + 1 }, 'warrant_exceeds'],
    ['32 days', { seconds: 32 * 86_400 }, 'warrant_invalid'],
    ['a beginning in eight days', { from: NOW + 8 * 86_400 }, 'warrant_invalid'],
    ['a beginning yesterday', { from: NOW - 86_400 }, 'warrant_invalid'],
    ['values 0', { values: 0 }, 'warrant_invalid'],
    ['a reason of dots', { reason: '..........' }, 'dossier_wrong'],
  ];
  test.each(refused)('refuses %s', (_, more, code) => {
    expect(codeOf(ask(more))).toBe(code);
  });

  const wrong: readonly (readonly [what: string, more: object, words: RegExp])[] = [
    ['a case with a space', { case: 'TICKET 1' }, /"case" expected 1 to 64 characters/],
    ['the case commit', { case: 'commit' }, /"case" expected/],
    ['a scope twice', { scopes: ['seal:person.name', 'seal:person.name'] }, /"scopes" expected/],
    ['no scope', { scopes: [] }, /"scopes" expected/],
    ['nobody', { subjects: [] }, /"subjects" expected 1 to 1000 people/],
    ['a person twice', { subjects: [{ text: 'a' }, { text: 'a' }] }, /"subjects" has the person at place 2 twice/],
    ['a person of two names', { subjects: [{ text: 'a', token: 'b' }] }, /place 1 that is neither/],
    ['a person of no name', { subjects: [{ name: 'a' }] }, /"subjects" has an option that is not one of/],
    ['a token with a space', { subjects: [{ token: 'a b' }] }, /place 1 that is neither/],
    [
      'a token that was mistyped',
      { subjects: [{ token: 'cust_p9t4e0123456789abcdefghjkmnpqr0000' }] },
      /place 1 whose check characters are wrong/,
    ],
    ['a part too many', { more: 1 }, /"request" has an option/],
    ['seconds as text', { seconds: '60' }, /"seconds" expected seconds as a number/],
    ['values as text', { values: '4' }, /"values" expected a whole number or null/],
    ['a reason of bytes', { reason: new Uint8Array(10) }, /"reason" expected text/],
  ];
  test.each(wrong)('throws for %s', (_, more, words) => {
    expect(ask(more as Partial<WarrantRequest>)).toThrow(words);
  });

  test('refuses a generator that returns something else', () => {
    const random = () => new Uint8Array(3);
    expect(() => newWarrant(REQUEST, { charter: CHARTER, now: NOW, random })).toThrow(/"random" returned/);
  });
});

const whole = made();
const asked = await signed(whole.text, ['chris']);

describe('signWarrant', () => {
  const options = { charter: CHARTER, dossier: whole.dossier, now: NOW };
  const sign = (note: string, name: string, more: object = {}) =>
    signWarrant(note, { ...options, signer: SIGNERS[name]!, ...more });

  test('the requester first, then those who agree', async () => {
    expect(await sign(whole.text, 'chris')).toBe(asked);
    const agreed = await sign(asked, 'anna');
    expect(verifyWarrant(agreed, options).approvers.map(({ handle }) => handle)).toEqual(['anna']);
    // More than needed may sign; those who count are the first of the charter.
    expect(verifyWarrant(await sign(agreed, 'bela'), options).approvers.length).toBe(1);
  });

  type Row = readonly [what: string, note: string, by: string, code: string, more: object];
  const rows: readonly Row[] = [
    ['an approver before the requester', whole.text, 'anna', 'warrant_unsigned', {}],
    ['the requester a second time', asked, 'chris', 'self_approval', {}],
    ['an officer without a role that counts', asked, 'eva', 'not_in_charter', {}],
    ['another dossier', asked, 'anna', 'dossier_wrong', { dossier: made({}, 'two').dossier }],
    ['after its end', asked, 'anna', 'warrant_expired', { now: NOW + 13 * 3600 }],
    [
      'under another charter',
      asked,
      'anna',
      'charter_outdated',
      { charter: parseCharter(charterText({ version: 2 })) },
    ],
  ];
  test.each(rows)('refuses %s', async (_, note, by, code, more) => {
    expect((await rejection(sign(note, by, more))).code).toBe(code);
  });

  test('refuses the second signature of one officer, also by another key', async () => {
    const both = await signed(whole.text, ['chris', 'anna']);
    expect((await rejection(sign(both, 'anna'))).code).toBe('warrant_invalid');
    expect((await rejection(sign(both, 'anna 2'))).message).toContain('has signed the warrant already');
  });

  test('refuses a note in which a signature is broken, and a key of nobody', async () => {
    const broken = asked.replace(/(chris\.example \S{20})(.)/, (_, head, one) => head + (one === 'A' ? 'B' : 'A'));
    expect((await rejection(sign(broken, 'anna'))).code).toBe('signature_invalid');
    const stranger = notePartySigner(keyOf('stranger.example').privateKey);
    expect((await rejection(signWarrant(asked, { ...options, signer: stranger }))).code).toBe('not_in_charter');
  });

  test('lets those sign whom the charter demands for protected people', async () => {
    const charter = parseCharter(charterText({ protectedBy: '1:legal' }));
    const request = { purpose: 'move.keys', scopes: ['rejects:people'], values: null, subjects: null };
    const bulk = made(request, 'one', charter);
    const note = await signed(bulk.text, ['chris']);
    const { dossier } = bulk;
    const by = (name: string) => signWarrant(note, { charter, dossier, now: NOW, signer: SIGNERS[name]! });
    await by('bela');
    expect((await rejection(by('eva'))).code).toBe('not_in_charter');
  });
});

describe('signRefusal and signRatification', () => {
  const warrant = parseWarrant(made().text);
  const refusal = writeRefusal({ warrant: warrant.sha256, officer: 'bela', at: NOW, why: 'The ticket was closed.' });
  const about = { charter: CHARTER, warrant };

  test('a refusal is signed by its officer', async () => {
    const note = await signRefusal(refusal.text, { ...about, signer: SIGNERS.bela! });
    expect(verifyRefusal(note, about).officer.handle).toBe('bela');
    expect((await rejection(signRefusal(refusal.text, { ...about, signer: SIGNERS.anna! }))).code).toBe(
      'not_in_charter',
    );
    const own = writeRefusal({ ...refusal, officer: 'chris' });
    expect((await rejection(signRefusal(own.text, { ...about, signer: SIGNERS.chris! }))).code).toBe('not_in_charter');
    const other = writeRefusal({ ...refusal, warrant: '0'.repeat(64) });
    expect((await rejection(signRefusal(other.text, { ...about, signer: SIGNERS.bela! }))).code).toBe(
      'warrant_invalid',
    );
  });

  test('a ratification is signed by those who may, one after another', async () => {
    const glass = parseWarrant(made({ purpose: 'safety-of-life', scopes: ['seal:person.name'], seconds: 3600 }).text);
    const uses = [{ index: 7, sha256: '7'.repeat(64) }];
    const { text } = writeRatification({ warrant: glass.sha256, uses, why: 'An ambulance was on its way.' });
    const of = (name: string) => ({ charter: CHARTER, warrant: glass, signer: SIGNERS[name]! });
    const one = await signRatification(text, of('anna'));
    expect(codeOf(() => verifyRatification(one, { charter: CHARTER, warrant: glass }))).toBe('warrant_unsigned');
    const two = await signRatification(one, of('bela'));
    expect(verifyRatification(two, { charter: CHARTER, warrant: glass }).ratifiers.length).toBe(2);
    expect((await rejection(signRatification(one, of('anna 2')))).code).toBe('warrant_invalid');
    expect((await rejection(signRatification(one, of('chris')))).code).toBe('self_approval');
    expect((await rejection(signRatification(one, of('eva')))).code).toBe('not_in_charter');
    expect((await rejection(signRatification(text, { ...about, signer: SIGNERS.anna! }))).code).toBe('warrant_invalid');
    const usual = writeRatification({ warrant: warrant.sha256, uses, why: 'An ambulance was on its way.' });
    const error = await rejection(signRatification(usual.text, { ...about, signer: SIGNERS.anna! }));
    expect(error.message).toContain('nothing to ratify');
  });

  test('no message has a handle, a case, a person or a reason', () => {
    const texts = [
      thrown(ask({ requester: 'anna' })).message,
      thrown(ask({ purpose: 'curiosity' })).message,
      thrown(ask({ reason: '..........' })).message,
    ];
    for (const text of texts) expect(text).not.toMatch(/anna|curiosity|10017|TICKET|cust_|\.\.\./);
  });
});
