/** A warrant in words. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, quoted } from '../../../src/govern/warrant/words.ts';
import { parseWarrant, type WarrantWordsOptions, warrantInWords } from '../../../src/govern.ts';
import { CHARTER, type Made, made, signed } from './shared.ts';

async function words(
  { text, dossier }: Made,
  by: readonly string[],
  more: Partial<WarrantWordsOptions> = {},
): Promise<readonly string[]> {
  return warrantInWords(await signed(text, by), { charter: CHARTER, dossier, ...more });
}

describe('warrantInWords', () => {
  test('says who, for whom and why, how much of what is possible, until when, and who else must sign', async () => {
    const whole = made();
    const { sha256 } = parseWarrant(whole.text);
    expect(await words(whole, ['chris'])).toEqual([
      'chris asks to reveal',
      '  purpose         support.call-back (dpv:CustomerCare)',
      '  case            TICKET-20817',
      '  reason          "The customer asks to be called back."',
      '  people          2 of up to 10 people',
      '                  1. token cust_0123456789',
      '                  2. text "10017"',
      '  values          4 of up to 50 values',
      '  scopes          seal:person.name',
      '                  vault:people/person.phone',
      '  used by         desk chris-desk',
      '  asked           2026-11-30T20:00:00Z',
      '  valid           from 2026-11-30T20:00:00Z until 2026-12-01T08:00:00Z: 12 hours of up to 12 hours',
      '  witnessed       by others, before anything is opened',
      '  person is told  after 7 days',
      '  bound to        NOBODY: whose values they are is the word of the desk',
      `  charter         version 1 of eu-enclave, sha256:${CHARTER.sha256}`,
      '  signed by       chris (asks)',
      '  missing         1 of the role approver (anna, bela, dora, finn)',
      `  what is signed  the text with the digest sha256:${sha256}`,
    ]);
  });

  test('of break-glass, of whole tables, and without the dossier', async () => {
    const glass = await words(made({ purpose: 'safety-of-life', scopes: ['seal:person.name'], seconds: 3600 }), [
      'chris',
    ]);
    expect(glass[0]).toBe('chris asks to reveal, by BREAK-GLASS');
    expect(glass.join('\n')).toContain('ratified        within 3 days: 2 of the role approver');
    expect(glass.join('\n')).toContain('witnessed       by others, within 5 minutes after it');
    expect(glass.join('\n')).toContain('missing         nobody');
    const bulk = made({ purpose: 'move.keys', scopes: ['rejects:people'], values: null, subjects: null });
    const tables = (await words(bulk, ['chris', 'anna'])).join('\n');
    expect(tables).toContain('people          ANY NUMBER of people');
    expect(tables).toContain('values          ANY NUMBER of values');
    expect(tables).toContain('signed by       anna (approver); chris (asks)');
    const blind = (await words(made(), ['chris'], { dossier: undefined })).join('\n');
    expect(blind).toContain('reason          (the dossier is not here)');
    expect(blind).not.toContain('10017');
  });

  test('what protected people demand is said only to whom it is passed', async () => {
    const extra = [{ count: 1, role: 'legal' }];
    const usual = (await words(made(), ['chris', 'anna'])).join('\n');
    expect(usual).toContain('missing         nobody');
    expect(usual).not.toContain('legal');
    expect((await words(made(), ['chris', 'anna'], { extra })).join('\n')).toContain(
      'missing         1 of the role legal (bela)',
    );
  });

  test('every text of a dossier is on one line, and nothing in it is invisible or moves the others', () => {
    const plain =
      /^"(?:[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|[ \\])*"(?: \(WORDS WITH LETTERS OF TWO SCRIPTS\))?$/u;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(quoted(text)).toMatch(plain);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 60 }), (text) => {
        // What is shown can be read back, so two texts are never shown alike.
        expect(JSON.parse(quoted(text))).toBe(text);
      }),
    );
    expect(quoted('Zoë 山田 – 12 € 🙂')).toBe('"Zoë 山田 – 12 € 🙂"');
    expect(quoted('a\u00a0b\u3164c\ufe0f')).toBe('"a\\u00a0b\\u3164c\\ufe0f"');
    expect(quoted('\ud83d')).toBe('"\\ud83d"');
    expect(quoted('анна anna')).toBe('"анна anna"');
    expect(quoted('аnna')).toContain('TWO SCRIPTS');
  });

  test('durations', () => {
    const rows = [
      [1, '1 second'],
      [60, '1 minute'],
      [5400, '90 minutes'],
      [3600, '1 hour'],
      [43_200, '12 hours'],
      [172_800, '48 hours'],
      [259_200, '3 days'],
      [31_536_000, '365 days'],
    ] as const;
    for (const [seconds, text] of rows) expect(duration(seconds)).toBe(text);
  });
});
