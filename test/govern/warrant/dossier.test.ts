/** Dossiers: one spelling, and a reason that is one. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { caseCommitment } from '../../../src/govern/warrant/dossier.ts';
import { type DossierFields, parseDossier, writeDossier } from '../../../src/govern.ts';
import { codeOf, thrown } from '../../helpers/errors.ts';

const FIELDS: DossierFields = {
  salt: '0f'.repeat(32),
  case: 'TICKET-20817',
  subjects: [{ token: 'cust_0123456789' }, { text: '10017' }],
  reason: 'The customer asks to be called back.',
};
const TEXT = writeDossier(FIELDS);

describe('a dossier', () => {
  test('is canonical JSON with its fields in order, and its digest is that of its bytes', () => {
    expect(TEXT).toBe(
      `{"trefoil":"dossier v1","salt":"${'0f'.repeat(32)}","case":"TICKET-20817","subjects":` +
        '[{"token":"cust_0123456789"},{"text":"10017"}],"reason":"The customer asks to be called back."}',
    );
    const read = parseDossier(TEXT);
    expect(read).toEqual({ ...FIELDS, sha256: createHash('sha256').update(TEXT).digest('hex') });
    expect(parseDossier(new TextEncoder().encode(TEXT))).toEqual(read);
  });

  test('that is written is read back the same', () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const subject = fc.oneof(
      text.map((one) => ({ text: one })),
      fc.stringMatching(/^[!-~]{1,40}$/).map((token) => ({ token })),
    );
    const subjects = fc.uniqueArray(subject, { maxLength: 8, selector: (one) => JSON.stringify(one) });
    fc.assert(
      fc.property(subjects, (all) => {
        const { sha256: _, ...rest } = parseDossier(writeDossier({ ...FIELDS, subjects: all }));
        expect(rest).toEqual({ ...FIELDS, subjects: all });
      }),
    );
  });

  const spellings: readonly (readonly [what: string, text: string])[] = [
    ['a line feed at the end', `${TEXT}\n`],
    ['a space', TEXT.replace('","case"', '", "case"')],
    ['a byte order mark', `\ufeff${TEXT}`],
    ['fields in another order', TEXT.replace(/^(\{"trefoil":"[^"]*"),("salt":"[^"]*"),("case":"[^"]*")/, '$1,$3,$2')],
    ['a name twice', TEXT.replace('"subjects":', '"subjects":[{"text":"10018"}],"subjects":')],
    ['a field too many', TEXT.replace('{"trefoil"', '{"more":1,"trefoil"')],
    ['a person with two names', TEXT.replace('{"text":"10017"}', '{"text":"10017","token":"x"}')],
    ['a person twice', TEXT.replace('{"text":"10017"}', '{"text":"10017"},{"text":"10017"}')],
    ['a letter as an escape', TEXT.replace('10017', '\\u00310017')],
    ['half of a surrogate pair', TEXT.replace('10017', '\\ud800')],
    ['half of a surrogate pair in the reason', TEXT.replace('back.', '\\ud800')],
    ['an empty person', TEXT.replace('"text":"10017"', '"text":""')],
    ['a person of 1,025 characters', TEXT.replace('10017', 'x'.repeat(1025))],
    ['a token with a space', TEXT.replace('cust_0', 'cust 0')],
    ['a token with another letter', TEXT.replace('cust_0', 'cu\u0455t_0')],
    ['a person that is a number', TEXT.replace('"text":"10017"', '"text":10017')],
    ['people by name', TEXT.replace(/\[.*\]/, '{"length":0}')],
    ['a salt of 31 bytes', TEXT.replace('0f0f', '0f')],
    ['a salt in upper case', TEXT.replace('0f', '0F')],
    ['a case with a space', TEXT.replace('TICKET-', 'TICKET ')],
    ['another version', TEXT.replace('dossier v1', 'dossier v2')],
    ['no JSON', TEXT.slice(0, -1)],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['__proto__', TEXT.replace('{"trefoil"', '{"__proto__":{"salt":1},"trefoil"')],
    ['10,000 brackets', '['.repeat(10_000)],
  ];
  test.each(spellings)('with %s is refused', (_, text) => {
    expect(codeOf(() => parseDossier(text))).toBe('dossier_not_canonical');
  });

  test('of more than 1 MiB, or with more than 1,000 people, is refused', () => {
    const people = (count: number) => ({
      ...FIELDS,
      subjects: Array.from({ length: count }, (_, i) => ({ text: `${i}`.padStart(1024, '0') })),
    });
    expect(parseDossier(writeDossier(people(1000))).subjects.length).toBe(1000);
    expect(codeOf(() => writeDossier(people(1001)))).toBe('dossier_not_canonical');
    const large = new Uint8Array(1_048_577).fill(32);
    expect(thrown(() => parseDossier(large)).message).toContain('longer than 1048576 bytes');
    expect(codeOf(() => parseDossier(Uint8Array.of(0xff)))).toBe('dossier_not_canonical');
  });

  const reasons: readonly (readonly [what: string, reason: string])[] = [
    ['a dot', '.'],
    ['ten dots', '..........'],
    ['nine characters', 'too short'],
    ['2,001 characters', 'a bc'.padEnd(2001, 'd')],
    ['one letter held down', 'aaaaaaaaaaaaaaa'],
    ['two letters', 'ababababababab A B'],
    ['punctuation alone', '?!?!?!?! --- ...'],
    ['a line feed', 'The customer\nasks to be called back.'],
    ['an escape sequence', 'The customer \u001b[2K asks for it.'],
    ['a direction override', 'The customer \u202e asks for it.'],
    ['a zero-width space', 'The customer\u200basks for it.'],
    ['letters in parts', 'The cafe\u0301 asks to be called back.'],
    ['a space in front', ' The customer asks to be called back.'],
  ];
  test.each(reasons)('with a reason of %s is refused', (_, reason) => {
    const error = thrown(() => writeDossier({ ...FIELDS, reason }));
    expect(error.code).toBe('dossier_wrong');
    expect(error.message).toMatch(/^the reason in the dossier/);
  });

  test('takes a reason in any script', () => {
    for (const reason of ['客户要求我们给他回电话,请尽快处理。', 'Kunde wünscht Rückruf.', 'Ο πελάτης ζητά κλήση.']) {
      expect(parseDossier(writeDossier({ ...FIELDS, reason })).reason).toBe(reason);
    }
  });

  test('commits to its case with its salt', () => {
    const expected = createHash('sha256').update(Buffer.from(FIELDS.salt, 'hex')).update('case\nTICKET-20817');
    expect(caseCommitment(FIELDS)).toBe(expected.digest('hex'));
    expect(caseCommitment({ ...FIELDS, salt: '0e'.repeat(32) })).not.toBe(caseCommitment(FIELDS));
  });
});
