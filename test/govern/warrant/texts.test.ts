/** The texts of warrants, refusals, ratifications and clock statements: what is read, and what is not. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { writeWarrant } from '../../../src/govern/warrant/warrant.ts';
import {
  parseClock,
  parseRatification,
  parseRefusal,
  parseWarrant,
  writeClock,
  writeRatification,
  writeRefusal,
} from '../../../src/govern.ts';
import { codeOf, thrown } from '../../helpers/errors.ts';
import { made, NOW, signed } from './shared.ts';

const { text } = made();
const digest = '0'.repeat(64);

describe('a warrant', () => {
  test('has its fields, and is SHA-256 of its text, with or without signatures', async () => {
    const read = parseWarrant(text);
    expect(read).toMatchObject({
      domain: 'eu-enclave',
      requester: 'chris',
      desk: 'chris-desk',
      verb: 'reveal',
      purpose: 'support.call-back',
      case: { shown: 'TICKET-20817' },
      scopes: ['seal:person.name', 'vault:people/person.phone'],
      values: 4,
      subjects: 2,
      asked: NOW,
      from: NOW,
      until: NOW + 12 * 3600,
    });
    expect(read.sha256).toBe(createHash('sha256').update(text).digest('hex'));
    expect(parseWarrant(await signed(text, ['chris', 'anna']))).toEqual(read);
    expect(parseWarrant(new TextEncoder().encode(text))).toEqual(read);
    expect(writeWarrant(read).text).toBe(text);
  });

  /** A change of the text, and the line that the error names. */
  type Row = readonly [what: string, from: string | RegExp, to: string, line: number];
  const rows: readonly Row[] = [
    ['another title', 'trefoil warrant v1', 'trefoil warrant v2', 1],
    ['the title of a charter', 'trefoil warrant', 'trefoil charter', 1],
    ['an id of 25 symbols', /^(id .*).$/m, '$1', 2],
    ['an id with bits after its end', /^(id .*).$/m, '$11', 2],
    ['an id in upper case', /^id h/m, 'id H', 2],
    ['charter 0', 'charter 1 ', 'charter 0 ', 3],
    ['charter 01', 'charter 1 ', 'charter 01 ', 3],
    ['a charter of ten digits', 'charter 1 ', 'charter 1000000000 ', 3],
    ['a digest of 63 digits', /^(charter .*).$/m, '$1', 3],
    ['a digest in upper case', /^(charter 1 sha256:).{64}$/m, `$1${'A'.repeat(64)}`, 3],
    ['unicode look-alike in a name: а Cyrillic letter', 'requester chris', 'requester \u0441hris', 5],
    ['a name in upper case', 'requester chris', 'requester Chris', 5],
    ['a name with a space', 'desk chris-desk', 'desk chris desk', 6],
    ['an unknown verb', 'verb reveal', 'verb dump', 7],
    ['a verb twice', 'verb reveal', 'verb reveal rekey', 7],
    ['a case with a direction override', 'TICKET-20817', 'TICKET\u202e-20817', 9],
    ['a case of 65 characters', 'TICKET-20817', 'T'.repeat(65), 9],
    ['a case of nothing', 'case TICKET-20817', 'case', 9],
    ['a commitment of nothing', 'case TICKET-20817', 'case commit', 9],
    ['scopes in another order', /^scopes (\S+) (\S+)$/m, 'scopes $2 $1', 10],
    ['a scope twice', /^scopes (\S+) .*$/m, 'scopes $1 $1', 10],
    ['a scope without a kind', 'seal:person.name', 'person.name', 10],
    ['no scope', /^scopes .*$/m, 'scopes', 10],
    ['scopes with commas', /^scopes (\S+) (\S+)$/m, 'scopes $1,$2', 10],
    ['values 0', 'values 4', 'values 0', 11],
    ['values 1e9', 'values 4', 'values 1e9', 11],
    ['values 1000001', 'values 4', 'values 1000001', 11],
    ['values -1', 'values 4', 'values -1', 11],
    ['values 4.0', 'values 4', 'values 4.0', 11],
    ['values of Arabic digits', 'values 4', 'values \u0664', 11],
    ['subjects 0', 'subjects 2', 'subjects 0', 12],
    ['subjects 1001', 'subjects 2', 'subjects 1001', 12],
    ['a dossier of md5', /^dossier sha256:.*$/m, `dossier md5:${'0'.repeat(32)}`, 13],
    ['a time with a fraction', /^(asked .*)Z$/m, '$1.0Z', 14],
    ['a time with an offset', /^(asked .*)Z$/m, '$1+00:00', 14],
    ['31 November', /^asked 2026-11-30/m, 'asked 2026-11-31', 14],
    ['a second 60', /^asked 2026-11-30T20:00:00Z$/m, 'asked 2026-11-30T19:59:60Z', 14],
    ['the year 2019', /^asked 2026/m, 'asked 2019', 14],
    ['from before asked', /^from 2026-11-30/m, 'from 2026-11-29', 15],
    ['from more than 7 days after asked', /^from 2026-11-30T20:00:00Z$/m, 'from 2026-12-07T20:00:01Z', 15],
    ['until < from', /^until .*$/m, 'until 2026-11-30T19:00:00Z', 16],
    ['until = from', /^until .*$/m, 'until 2026-11-30T20:00:00Z', 16],
    ['32 days', /^until .*$/m, 'until 2027-01-01T20:00:00Z', 16],
    ['a line too many', /$/, 'until 2026-12-01T08:00:00Z\n', 17],
    ['an unknown line', /^verb/m, 'colour blue\nverb', 7],
    ['a carriage return', 'domain eu-enclave', 'domain eu-enclave\r', 4],
    ['a NUL', 'domain eu-enclave', 'domain eu-enclave\0', 4],
    ['a tab', 'domain eu-enclave', 'domain\teu-enclave', 4],
    ['two spaces', 'domain eu-enclave', 'domain  eu-enclave', 4],
    ['a space at an end', 'domain eu-enclave', 'domain eu-enclave ', 4],
    ['a line that looks like a signature', /^domain/m, '\u2014 bela AAAA\ndomain', 4],
  ];
  test.each(rows)('with %s is refused, with its line', (_, from, to, line) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    const error = thrown(() => parseWarrant(changed));
    expect(error.code).toBe('warrant_invalid');
    expect(error.issues[0]!.line).toBe(line);
  });

  test('without its last line feed, or longer than 32 KiB, or of nothing, is refused', () => {
    expect(thrown(() => parseWarrant(text.slice(0, -1))).message).toContain('is it cut?');
    const long = text.replace(/^scopes .*$/m, `scopes seal:${'a'.repeat(33_000)}`);
    expect(thrown(() => parseWarrant(long)).message).toContain('longer than 32768 bytes');
    expect(codeOf(() => parseWarrant(new Uint8Array(32_769)))).toBe('warrant_invalid');
    expect(codeOf(() => parseWarrant(''))).toBe('warrant_invalid');
    expect(codeOf(() => parseWarrant(Uint8Array.of(0xff, 0x0a)))).toBe('warrant_invalid');
    expect(codeOf(() => parseWarrant(7 as unknown as string))).toBe('wrong_type');
  });

  test('no message repeats what the text says', () => {
    for (const [, from, to] of rows) {
      const { message } = thrown(() => parseWarrant(text.replace(from, to)));
      expect(message).not.toMatch(/TICKET|chris|eu-enclave|20817|colour/);
    }
  });
});

describe('other texts', () => {
  const refusal = writeRefusal({ warrant: digest, officer: 'bela', at: NOW, why: 'Schon im März erledigt.' });
  const uses = [
    { index: 0, sha256: digest },
    { index: 812, sha256: '1'.repeat(64) },
  ];
  const ratification = writeRatification({ warrant: digest, uses, why: 'An ambulance was on its way.' });
  const clock = writeClock({ domain: 'eu-enclave', at: NOW, why: 'The gateway was off for two days.' });

  test('are written as the page has them, and read back', () => {
    expect(refusal.text).toBe(
      `trefoil refusal v1\nwarrant sha256:${digest}\nofficer bela\nat 2026-11-30T20:00:00Z\nwhy Schon im März erledigt.\n`,
    );
    expect(ratification.text).toBe(
      `trefoil ratification v1\nwarrant sha256:${digest}\nuse 0 sha256:${digest}\n` +
        `use 812 sha256:${'1'.repeat(64)}\nwhy An ambulance was on its way.\n`,
    );
    expect(clock.text).toBe(
      'trefoil clock v1\ndomain eu-enclave\nat 2026-11-30T20:00:00Z\nwhy The gateway was off for two days.\n',
    );
    expect(parseRefusal(refusal.text)).toEqual(refusal);
    expect(parseRatification(ratification.text)).toEqual(ratification);
    expect(parseClock(clock.text)).toEqual(clock);
  });

  const parsers = { refusal: parseRefusal, ratification: parseRatification, clock: parseClock };
  const texts = { refusal: refusal.text, ratification: ratification.text, clock: clock.text };
  const rows: readonly (readonly [kind: keyof typeof parsers, what: string, from: string | RegExp, to: string])[] = [
    ['refusal', 'the officer twice', 'officer bela', 'officer bela\nofficer bela'],
    ['refusal', 'no reason', /^why .*\n/m, ''],
    ['refusal', 'a reason of a dot', /^why .*$/m, 'why .'],
    ['refusal', 'a reason that is too long', /^why .*$/m, `why ${'abcd '.repeat(400)}e`],
    ['refusal', 'a reason in parts', 'März', 'Ma\u0308rz'],
    ['refusal', 'an escape sequence', 'März', '\u001b[2K'],
    ['refusal', 'a direction override', 'März', '\u202e'],
    ['refusal', 'a no-break space at its end', 'erledigt.', 'erledigt.\u00a0'],
    ['refusal', 'a tag character', 'März', '\u{e0041}'],
    ['refusal', 'a variation selector', 'März', 'M\ufe0frz'],
    ['refusal', 'free text in another line', 'officer bela', 'officer bél'],
    ['ratification', 'no use', /^use .*\n/gm, ''],
    ['ratification', 'uses in another order', /^(use 0.*\n)(use 812.*\n)/m, '$2$1'],
    ['ratification', 'a use twice', /^(use 812.*\n)/m, '$1$1'],
    ['ratification', 'a use without its digest', /^use 0 .*$/m, 'use 0'],
    ['ratification', 'a use at -1', /^use 0/m, 'use -1'],
    ['ratification', 'a use at 1000000000', /^use 812/m, 'use 1000000000'],
    ['clock', 'the year 2100', /^at 2026/m, 'at 2100'],
    ['clock', 'a line too many', /$/, 'why The gateway was off for two days.\n'],
  ];
  test.each(rows)('a %s with %s is refused', (kind, _, from, to) => {
    const changed = texts[kind].replace(from, to);
    expect(changed).not.toBe(texts[kind]);
    expect(codeOf(() => parsers[kind](changed))).toBe('warrant_invalid');
  });

  test('none is read as another', () => {
    for (const [kind, parse] of Object.entries({ warrant: parseWarrant, ...parsers })) {
      for (const [other, one] of Object.entries({ warrant: text, ...texts })) {
        if (kind !== other)
          expect(
            codeOf(() => parse(one)),
            `${other} as ${kind}`,
          ).toBe('warrant_invalid');
      }
    }
  });

  test('every line dropped, doubled and exchanged with the next is refused', () => {
    for (const [kind, one] of Object.entries({ warrant: text, ...texts })) {
      const parse = { warrant: parseWarrant, ...parsers }[kind as 'warrant'];
      const lines = one.trimEnd().split('\n');
      const changed = lines.flatMap((line, i) => [
        lines.toSpliced(i, 1),
        lines.toSpliced(i, 0, line),
        ...(i > 0 ? [lines.with(i - 1, line).with(i, lines[i - 1]!)] : []),
      ]);
      for (const now of changed) {
        // A ratification of one use less is another ratification, and signatures are over all of them.
        if (kind === 'ratification' && now.length < lines.length && now.join().includes('use')) {
          if (lines.filter((line) => !now.includes(line)).every((line) => line.startsWith('use'))) continue;
        }
        expect(
          codeOf(() => parse(`${now.join('\n')}\n`)),
          now.join('\n'),
        ).toBe('warrant_invalid');
      }
    }
  });
});
