/**
 * Attacks on warrants, by the names that the hostile reading of the design gave them. Each shows what an attacker
 * tries, and that it does not go through.
 */
import { describe, expect, test } from 'vitest';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import {
  newWarrant,
  parseDossier,
  parseRefusal,
  parseWarrant,
  signWarrant,
  verifyRefusal,
  verifyWarrant,
  warrantInWords,
  writeDossier,
  writeRefusal,
} from '../../../src/govern.ts';
import { writeEntry } from '../../../src/log.ts';
import { codeOf, thrown } from '../../helpers/errors.ts';
import { CHARTER, charterText, made, NOW, REQUEST, SIGNERS, signed } from './shared.ts';

const whole = made();
const options = { charter: CHARTER, dossier: whole.dossier, now: NOW };

describe('8: the text that is signed may read otherwise, and may not fit its log', () => {
  const odd = ['\u202e', '\u2028', '\u200b', '\u0430', '\u001b[2K', '\u00ad', '\ufeff', '\u{e0041}', 'é'];

  test('no line of a warrant takes a character that is shown otherwise, wherever it stands', () => {
    const lines = whole.text.trimEnd().split('\n');
    for (const character of odd) {
      for (const [i, line] of lines.entries()) {
        for (const at of [0, line.indexOf(' '), line.length]) {
          const changed = lines.with(i, line.slice(0, at) + character + line.slice(at)).join('\n');
          expect(codeOf(() => parseWarrant(`${changed}\n`))).toBe('warrant_invalid');
        }
      }
    }
  });

  test('a text with an empty line and a line of bela inside does not open with one signature', async () => {
    const bela = (await signed(whole.text, ['bela'])).trimEnd().split('\n').at(-1)!;
    const text = whole.text.replace(/^values/m, `\n${bela}\nvalues`);
    // No signer of ours signs it, and no reader takes it with the signatures of another text.
    await expect(SIGNERS.chris!.sign(text, 'warrant@trefoil')).rejects.toMatchObject({ code: 'note_invalid' });
    const lines = (await signed(whole.text, ['chris', 'anna'])).slice(whole.text.length);
    expect(codeOf(() => verifyWarrant(text + lines, options))).toBe('warrant_invalid');
  });

  test('a dossier with "subjects" twice is not read, and its escapes are shown as escapes', async () => {
    const twice = whole.dossier.replace('"subjects":', '"subjects":[{"text":"a"},{"text":"b"}],"subjects":');
    expect(codeOf(() => parseDossier(twice))).toBe('dossier_not_canonical');
    const hostile = '\u001b[2K\u001b[1A\u202eevil\u2066"\\\n';
    const { text, dossier } = made({ subjects: [{ text: hostile }, { text: 'раypal' }] });
    const shown = warrantInWords(await signed(text, ['chris']), { charter: CHARTER, dossier });
    expect(shown.join('\n')).toContain('text "\\u001b[2K\\u001b[1A\\u202eevil\\u2066\\"\\\\\\n"');
    expect(shown.join('\n')).toContain('text "раypal" (WORDS WITH LETTERS OF TWO SCRIPTS)');
    for (const line of shown) expect(line).toMatch(/^[\x20-\x7e\u0430\u0440]*$/u);
  });

  test('what is signed fits into an entry of a log: the longest reason, and 32 KiB of signatures', async () => {
    const why = `The "quoted" words${' "'.repeat(990)}.`;
    const { text } = writeRefusal({ warrant: '0'.repeat(64), officer: 'bela', at: NOW, why });
    const note = await signed(text, ['bela'], 'refusal@trefoil');
    expect(writeEntry({ kind: 'refusal', note }, NOW).length).toBeLessThan(65_535);
    expect(codeOf(() => parseRefusal(text.replace(/^why .*$/m, `why ${'"a" bc'.repeat(6000)}`)))).toBe(
      'warrant_invalid',
    );
    const strangers = `${await signed(whole.text, ['chris'])}${'— x.example AAAAAAAA\n'.repeat(2000)}`;
    await expect(signWarrant(strangers, { ...options, signer: SIGNERS.anna! })).rejects.toMatchObject({
      code: 'warrant_invalid',
    });
  });

  test('a dossier is read once: what was hashed is what is shown', () => {
    const bytes = new TextEncoder().encode(whole.dossier);
    const read = parseDossier(bytes);
    const { sha256, subjects } = read;
    bytes.fill(0x20);
    expect(read).toMatchObject({ sha256, subjects });
    expect(() => (read.subjects as unknown[]).push({ text: 'other' })).toThrow(TypeError);
  });
});

describe('17: a warrant\u2019s identity', () => {
  test('signature lines exchanged, doubled, and unknown ones added: one warrant, and one note in the log', async () => {
    const note = await signed(whole.text, ['chris', 'anna']);
    const { sha256, note: logged } = verifyWarrant(note, options);
    const lines = note
      .slice(whole.text.length + 1)
      .trimEnd()
      .split('\n');
    const forms = [
      lines.toReversed(),
      [...lines, ...lines],
      [...lines, '— stranger.example AAAAAAAA'],
      ['— stranger.example AAAAAAAA', ...lines.toReversed()],
    ].map((all) => `${whole.text}\n${all.join('\n')}\n`);
    forms.push(
      await signed(whole.text, ['bela', 'anna', 'chris']),
      await signed(whole.text, ['chris', 'finn', 'anna']),
    );
    for (const form of forms) {
      expect(form).not.toBe(note);
      expect(verifyWarrant(form, options)).toMatchObject({ sha256, note: logged });
    }
  });

  test('a refused warrant does not come back with one more line', async () => {
    const warrant = parseWarrant(whole.text);
    const { text } = writeRefusal({ warrant: warrant.sha256, officer: 'bela', at: NOW, why: 'The ticket was closed.' });
    const refusal = await signed(text, ['bela'], 'refusal@trefoil');
    const longer = `${await signed(whole.text, ['chris', 'anna'])}— stranger.example AAAAAAAA\n`;
    const again = verifyWarrant(longer, options);
    expect(verifyRefusal(refusal, { charter: CHARTER, warrant: again.warrant }).refusal.warrant).toBe(again.sha256);
  });

  test('two texts with one id are two warrants', () => {
    const other = whole.text.replace('values 4', 'values 5');
    const [a, b] = [parseWarrant(whole.text), parseWarrant(other)];
    expect(a.id).toBe(b.id);
    expect(a.sha256).not.toBe(b.sha256);
  });

  test('ids and salts are drawn anew each time', () => {
    const drawn = Array.from({ length: 50 }, () => newWarrant(REQUEST, { charter: CHARTER, now: NOW }));
    expect(new Set(drawn.map(({ warrant }) => warrant.id)).size).toBe(50);
    expect(new Set(drawn.map(({ warrant }) => warrant.dossier)).size).toBe(50);
  });
});

describe('18: approvals are ambiguous', () => {
  const legal = made({ purpose: 'legal.order', scopes: ['seal:person.name'] });
  const under = { ...options, dossier: legal.dossier };

  test('bela (approver and legal) does not count for both demands: 2 people where 3 were meant', async () => {
    const two = await signed(legal.text, ['chris', 'anna', 'bela']);
    const error = thrown(() => verifyWarrant(two, under));
    expect([error.code, error.message]).toEqual(['warrant_unsigned', 'signatures are missing: 1 of the role legal']);
    const three = await signed(legal.text, ['chris', 'anna', 'bela', 'dora']);
    expect(verifyWarrant(three, under).approvers.length).toBe(3);
  });

  test('three approvers without legal do not suffice', async () => {
    const three = await signed(legal.text, ['chris', 'anna', 'dora', 'finn']);
    expect(thrown(() => verifyWarrant(three, under)).message).toBe('signatures are missing: 1 of the role legal');
  });

  test('two keys of one person are one person', async () => {
    const twice = await signed(legal.text, ['chris', 'anna', 'anna 2', 'bela']);
    expect(codeOf(() => verifyWarrant(twice, under))).toBe('warrant_unsigned');
  });
});

describe('19: verb, kind, desk are not in what is signed', () => {
  test('an approved purpose of one verb is nothing for another', async () => {
    const request = { purpose: 'move.keys', scopes: ['seal:person.name'], values: null, subjects: null };
    const bulk = made(request);
    const note = await signed(bulk.text, ['chris', 'anna', 'bela']);
    const under = { ...options, dossier: bulk.dossier };
    expect(verifyWarrant(note, under).warrant.verb).toBe('rekey');
    const reveal = await signed(bulk.text.replace('verb rekey', 'verb reveal'), ['chris', 'anna', 'bela']);
    expect(codeOf(() => verifyWarrant(reveal, under))).toBe('warrant_exceeds');
  });

  test('rejects must be named: a purpose for a scope of seal does not open the rejects', async () => {
    const text = whole.text.replace(/^scopes .*$/m, 'scopes rejects:person.name');
    const note = await signed(text, ['chris', 'anna']);
    expect(codeOf(() => verifyWarrant(note, options))).toBe('warrant_exceeds');
    expect(() => made({ scopes: ['person.name'] })).toThrow(/scopes/);
  });

  test('the requester cannot name any key as desk', async () => {
    for (const desk of ['dora-desk', 'anna', 'other']) {
      const note = await signed(whole.text.replace('desk chris-desk', `desk ${desk}`), ['chris', 'anna']);
      expect(codeOf(() => verifyWarrant(note, options))).toBe('not_in_charter');
    }
  });

  test('an approver who holds the key of the desk', async () => {
    // A charter refuses one key in two places. A verifier that is handed such a charter refuses as well.
    const anna = CHARTER.officers.get('anna')!;
    const [first] = anna.keys as readonly [Extract<(typeof anna.keys)[0], { kind: 'note' }>];
    const desks = new Map([
      ...CHARTER.desks,
      ['chris-desk', { ...CHARTER.desks.get('chris-desk')!, key: first.verifier }],
    ]);
    const charter = Object.create(CHARTER, { desks: { value: desks } }) as typeof CHARTER;
    const note = await signed(whole.text, ['chris', 'anna']);
    expect(codeOf(() => verifyWarrant(note, { ...options, charter }))).toBe('self_approval');
  });
});

describe('20: time of check, time of use, and the clock', () => {
  test('a warrant cannot be approved now for use in two years', async () => {
    const later = whole.text
      .replace(/^from .*$/m, 'from 2028-11-30T20:00:00Z')
      .replace(/^until .*$/m, 'until 2028-12-01T08:00:00Z');
    expect(codeOf(() => parseWarrant(later))).toBe('warrant_invalid');
    expect(made({ from: NOW + 7 * 86_400 }).text).toContain('\nfrom 2026-12-07T20:00:00Z\n');
    expect(codeOf(() => made({ from: NOW + 7 * 86_400 + 1 }))).toBe('warrant_invalid');
  });

  test('our tools do not sign one that was asked for more than a day ago, or in the future', async () => {
    const week = made({ from: NOW + 6 * 86_400 });
    const note = await signed(week.text, ['chris']);
    const sign = (now: number) =>
      signWarrant(note, { charter: CHARTER, dossier: week.dossier, now, signer: SIGNERS.anna! });
    await expect(sign(NOW + 86_461)).rejects.toMatchObject({ code: 'warrant_expired' });
    await expect(sign(NOW - 61)).rejects.toMatchObject({ code: 'warrant_expired' });
    const both = await sign(NOW + 86_400);
    // It is valid when it begins, and not before.
    const under = { charter: CHARTER, dossier: week.dossier };
    expect(codeOf(() => verifyWarrant(both, { ...under, now: NOW }))).toBe('warrant_expired');
    expect(verifyWarrant(both, { ...under, now: NOW + 6 * 86_400 }).warrant.asked).toBe(NOW);
  });

  test('verifying again later tells what has passed meanwhile: time, and a newer charter', async () => {
    const note = await signed(whole.text, ['chris', 'anna']);
    expect(verifyWarrant(note, options).sha256).toBe(parseWarrant(note).sha256);
    expect(codeOf(() => verifyWarrant(note, { ...options, now: NOW + 13 * 3600 }))).toBe('warrant_expired');
    const charter = parseCharter(charterText({ version: 2 }));
    expect(codeOf(() => verifyWarrant(note, { ...options, charter }))).toBe('charter_outdated');
  });
});

describe('34: one key, one protocol', () => {
  test('a signature of one kind of text is none of another, also by a note key, because the first lines differ', async () => {
    const kinds = ['charter@trefoil', 'refusal@trefoil', 'ratification@trefoil', 'clock@trefoil'] as const;
    for (const kind of kinds) {
      await expect(SIGNERS.anna!.sign(whole.text, kind)).rejects.toMatchObject({ code: 'note_invalid' });
    }
  });
});

describe('14: a case number leads everybody with the ticket system to the person', () => {
  const hidden = parseCharter(charterText({ caseShown: false }));

  test('without "case shown", the warrant has a commitment, which the dossier opens', async () => {
    const { text, dossier } = made({}, 'one', hidden);
    expect(text).not.toContain('TICKET');
    const note = await signed(text, ['chris', 'anna']);
    const under = { charter: hidden, dossier, now: NOW };
    const verified = verifyWarrant(note, under);
    expect(verified.dossier.case).toBe('TICKET-20817');
    expect(verified.note).not.toContain('TICKET');
    // Another case in the dossier, with its digest corrected, does not open the commitment.
    const { salt, subjects, reason } = parseDossier(dossier);
    const other = writeDossier({ salt, case: 'TICKET-20818', subjects, reason });
    const changed = text.replace(/^dossier .*$/m, `dossier sha256:${parseDossier(other).sha256}`);
    const both = await signed(changed, ['chris', 'anna']);
    expect(thrown(() => verifyWarrant(both, { ...under, dossier: other })).message).toContain('another case');
  });

  test('the words show who signs as it is: an unsigned text has signatures of nobody', () => {
    const shown = warrantInWords(whole.text, { charter: CHARTER });
    expect(shown.join('\n')).toMatch(/signed by +nobody\n +missing +the requester; 1 of the role approver/);
  });
});
