/** Verifying a warrant: each step refuses with its code, in the order of the page, and before any signature is read. */
import { describe, expect, test } from 'vitest';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import {
  parseWarrant,
  type VerifyWarrantOptions,
  verifyClock,
  verifyRatification,
  verifyRefusal,
  verifyWarrant,
  writeClock,
  writeRatification,
  writeRefusal,
} from '../../../src/govern.ts';
import { codeOf, thrown } from '../../helpers/errors.ts';
import { CHARTER, charterText, keyOf, type Made, made, NOW, signed } from './shared.ts';

const whole = made();
const note = await signed(whole.text, ['chris', 'anna']);

const options = (more: Partial<VerifyWarrantOptions> = {}): VerifyWarrantOptions => ({
  charter: CHARTER,
  dossier: whole.dossier,
  now: NOW,
  ...more,
});

describe('a warrant that is valid', () => {
  test('says who asks, with which desk, for which purpose, and who counts', () => {
    const { requester, desk, purpose, approvers, warrant, sha256, dossier } = verifyWarrant(note, options());
    expect([requester.handle, desk.handle, purpose.name]).toEqual(['chris', 'chris-desk', 'support.call-back']);
    expect(approvers.map(({ handle }) => handle)).toEqual(['anna']);
    expect(warrant).toEqual(parseWarrant(note));
    expect(sha256).toBe(warrant.sha256);
    expect(dossier.subjects.length).toBe(2);
  });

  test('may be bytes, with a dossier of bytes', () => {
    const bytes = new TextEncoder().encode(note);
    const dossier = new TextEncoder().encode(whole.dossier);
    expect(verifyWarrant(bytes, options({ dossier })).note).toBe(verifyWarrant(note, options()).note);
  });

  test('is valid a minute before it begins and a minute after it ends, and not longer', () => {
    const at = (now: number) => () => verifyWarrant(note, options({ now }));
    const end = NOW + 12 * 3600;
    expect(at(NOW - 60)().sha256).toBe(at(end + 60)().sha256);
    expect(codeOf(at(NOW - 61))).toBe('warrant_expired');
    expect(codeOf(at(end + 61))).toBe('warrant_expired');
    expect(codeOf(at(Number.NaN))).toBe('warrant_expired');
    expect(codeOf(at(Number.POSITIVE_INFINITY))).toBe('warrant_expired');
  });
});

describe('each step has its code, and comes before any signature', () => {
  const other = parseCharter(charterText({ version: 2 }));
  const hidden = parseCharter(charterText({ caseShown: false }));

  /** What is changed in the text, or in the options, and the code. */
  type Row = readonly [
    what: string,
    from: string | RegExp,
    to: string,
    code: string,
    more: Partial<VerifyWarrantOptions>,
  ];
  const rows: readonly Row[] = [
    ['a line is wrong', 'values 4', 'values 0', 'warrant_invalid', {}],
    ['older charter', '', '', 'charter_outdated', { charter: other }],
    ['newer charter than the newest', 'charter 1 ', 'charter 2 ', 'charter_outdated', {}],
    ['another text of this version', /^(charter 1 sha256:).{64}$/m, `$1${'0'.repeat(64)}`, 'charter_outdated', {}],
    ['other domain', 'domain eu-enclave', 'domain us-enclave', 'warrant_invalid', {}],
    [
      'case not shown although the charter demands it',
      /^case .*$/m,
      `case commit sha256:${'0'.repeat(64)}`,
      'warrant_invalid',
      {},
    ],
    ['too early', '', '', 'warrant_expired', { now: NOW - 86_400 }],
    ['expired', '', '', 'warrant_expired', { now: NOW + 86_400 }],
    ['requester not in charter', 'requester chris', 'requester nobody', 'not_in_charter', {}],
    ['a desk as requester', 'requester chris', 'requester chris-desk', 'not_in_charter', {}],
    ['requester without the role', 'requester chris', 'requester anna', 'not_in_charter', {}],
    ['holder not in charter', 'desk chris-desk', 'desk other-desk', 'not_in_charter', {}],
    ['an officer as desk', 'desk chris-desk', 'desk chris', 'not_in_charter', {}],
    ['desk of another requester', 'desk chris-desk', 'desk dora-desk', 'not_in_charter', {}],
    ['purpose that does not exist', 'purpose support.call-back', 'purpose support.call', 'unknown_purpose', {}],
    ['a name of Object', 'purpose support.call-back', 'purpose constructor', 'unknown_purpose', {}],
    ['verb of another purpose', 'verb reveal', 'verb rekey', 'warrant_exceeds', {}],
    ['scope beyond the purpose', 'seal:person.name', 'seal:person.mail', 'warrant_exceeds', {}],
    ['kind beyond the purpose', 'seal:person.name', 'fpe:person.name', 'warrant_exceeds', {}],
    ['store beyond the purpose', 'vault:people/', 'vault:staff/', 'warrant_exceeds', {}],
    ['too many values', 'values 4', 'values 51', 'warrant_exceeds', {}],
    ['any values', 'values 4', 'values any', 'warrant_exceeds', {}],
    ['too many people', 'subjects 2', 'subjects 11', 'warrant_exceeds', {}],
    ['any people', 'subjects 2', 'subjects any', 'warrant_exceeds', {}],
    ['too many hours', /^until .*$/m, 'until 2026-12-01T08:00:01Z', 'warrant_exceeds', {}],
    ['subjects 3 and dossier with 2', 'subjects 2', 'subjects 3', 'dossier_wrong', {}],
    ['another dossier', /^dossier sha256:.*$/m, `dossier sha256:${'0'.repeat(64)}`, 'dossier_wrong', {}],
    ['another case', 'TICKET-20817', 'TICKET-20818', 'dossier_wrong', {}],
    ['dossier changed by a byte', '', '', 'dossier_wrong', { dossier: whole.dossier.replace('10017', '10018') }],
    ['dossier with a line feed', '', '', 'dossier_not_canonical', { dossier: `${whole.dossier}\n` }],
    ['case hidden although the warrant shows it', '', '', 'charter_outdated', { charter: hidden }],
  ];
  test.each(rows)('%s', async (_, from, to, code, more) => {
    const text = whole.text.replace(from, to);
    // The same refusal whether everybody has signed, nobody has, or a signature is broken: no key was touched.
    const all = await signed(text, ['chris', 'anna']);
    const broken = all.replace(/.{8}\n$/, 'AAAAAA==\n');
    for (const one of [all, text, broken]) expect(codeOf(() => verifyWarrant(one, options(more)))).toBe(code);
  });

  test('a reason that is none, in a dossier that fits', async () => {
    const dossier = whole.dossier.replace('The customer asks to be called back.', '..........');
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha256').update(dossier).digest('hex');
    const text = whole.text.replace(/^dossier .*$/m, `dossier sha256:${digest}`);
    const all = await signed(text, ['chris', 'anna']);
    expect(thrown(() => verifyWarrant(all, options({ dossier }))).message).toContain('reason');
  });

  test('a purpose about whole tables takes any people, and no number of them', async () => {
    const request = { purpose: 'move.keys', scopes: ['seal:person.name'], values: null, subjects: null };
    const bulk = made(request);
    const all = await signed(bulk.text, ['chris', 'anna', 'bela']);
    expect(verifyWarrant(all, options({ dossier: bulk.dossier })).warrant.subjects).toBe(null);
    const counted = bulk.text.replace('subjects any', 'subjects 2');
    expect(codeOf(() => verifyWarrant(counted, options({ dossier: bulk.dossier })))).toBe('warrant_exceeds');
  });
});

describe('signatures', () => {
  const codeBy = async (by: readonly string[], one: Made = whole, more: Partial<VerifyWarrantOptions> = {}) => {
    const all = await signed(one.text, by);
    return codeOf(() => verifyWarrant(all, options({ dossier: one.dossier, ...more })));
  };

  test('requester alone: nothing', async () => {
    const all = await signed(whole.text, ['chris']);
    const error = thrown(() => verifyWarrant(all, options()));
    expect([error.code, error.message]).toEqual(['warrant_unsigned', 'signatures are missing: 1 of the role approver']);
  });

  test('no signature, or approvers alone', async () => {
    expect(codeOf(() => verifyWarrant(whole.text, options()))).toBe('note_invalid');
    expect(await codeBy(['anna', 'bela'])).toBe('warrant_unsigned');
    const strangers = await signed(whole.text, ['anna']);
    const unknown = strangers.replace('anna.example', 'anne.example');
    expect(codeOf(() => verifyWarrant(unknown, options()))).toBe('warrant_unsigned');
  });

  test('officers without a role that counts', async () => {
    expect(await codeBy(['chris', 'eva'])).toBe('warrant_unsigned');
  });

  test('requester + 1 of 2 approvers: nothing', async () => {
    const legal = made({ purpose: 'legal.order', scopes: ['seal:person.name'] });
    expect(await codeBy(['chris', 'anna'], legal)).toBe('warrant_unsigned');
    expect(await codeBy(['chris', 'anna', 'finn'], legal)).toBe('warrant_unsigned');
    expect(await codeBy(['chris', 'anna', 'bela'], legal)).toBe('warrant_unsigned');
    const all = await signed(legal.text, ['chris', 'anna', 'bela', 'finn']);
    const { approvers } = verifyWarrant(all, options({ dossier: legal.dossier }));
    expect(approvers.map(({ handle }) => handle)).toEqual(['anna', 'bela', 'finn']);
  });

  test('approver twice by two keys counts once', async () => {
    const bulk = made({ purpose: 'move.keys', scopes: ['seal:person.name'], values: null, subjects: null });
    const all = await signed(bulk.text, ['chris', 'anna', 'anna 2']);
    const error = thrown(() => verifyWarrant(all, options({ dossier: bulk.dossier })));
    expect(error.message).toBe('signatures are missing: 1 of the role approver');
  });

  test('requester among approvers', async () => {
    const own = made({ requester: 'dora', desk: 'dora-desk' });
    expect(await codeBy(['dora'], own)).toBe('self_approval');
    const all = await signed(own.text, ['dora', 'anna']);
    const { approvers } = verifyWarrant(all, options({ dossier: own.dossier }));
    expect(approvers.map(({ handle }) => handle)).toEqual(['anna']);
  });

  test('known key, broken signature: the whole note is refused, although the others suffice', async () => {
    const all = await signed(whole.text, ['chris', 'anna', 'bela']);
    const lines = all.trimEnd().split('\n');
    const last = lines.at(-1)!;
    const at = last.length - 20;
    lines[lines.length - 1] = `${last.slice(0, at)}${last[at] === 'A' ? 'B' : 'A'}${last.slice(at + 1)}`;
    const error = thrown(() => verifyWarrant(`${lines.join('\n')}\n`, options()));
    expect([error.code, error.issues[0]!.line]).toEqual(['signature_invalid', lines.length]);
  });

  test('by the key of a desk, of the log, or of nobody count for nothing', async () => {
    const { notePartySigner } = await import('../../../src/govern/officers/party-signer.ts');
    const { addSignature } = await import('../../../src/govern/officers/signatures.ts');
    let all = await signed(whole.text, ['chris']);
    for (const name of ['chris-desk.example', 'log.example', 'nobody.example']) {
      const signer = notePartySigner(keyOf(name).privateKey);
      all = addSignature(all, await signer.sign(whole.text, 'warrant@trefoil'));
    }
    expect(codeOf(() => verifyWarrant(all, options()))).toBe('warrant_unsigned');
  });

  test('for break-glass nobody but the requester has to sign', async () => {
    const glass = made({ purpose: 'safety-of-life', scopes: ['seal:person.name'], seconds: 3600 });
    const all = await signed(glass.text, ['chris']);
    const { approvers, purpose } = verifyWarrant(all, options({ dossier: glass.dossier }));
    expect([approvers, purpose.isGlass]).toEqual([[], true]);
    expect(await codeBy(['anna'], glass)).toBe('warrant_unsigned');
  });

  test('malformed notes', async () => {
    const all = await signed(whole.text, ['chris', 'anna']);
    const rows: readonly (readonly [note: string | Uint8Array, code: string])[] = [
      [all.slice(0, -1), 'note_invalid'],
      [all.replaceAll('\n', '\r\n'), 'warrant_invalid'],
      [all.replace(/(— anna.example )/, '$1 '), 'note_invalid'],
      [all.replace('— anna.example', '— anna example'), 'note_invalid'],
      [all.replace('— anna.example', '— anna+example'), 'note_invalid'],
      // A signature of 63 bytes by a known key.
      [all.replace(/(— anna.example .{84}).*/, '$1AAAA'), 'signature_invalid'],
      [all.replace(/(— anna.example .*)\n/, '$1\0\n'), 'note_invalid'],
      [`${all}\n`, 'warrant_invalid'],
      [all.replace('\n\n', '\n \n'), 'warrant_invalid'],
      [new TextEncoder().encode(all).fill(0xff, 600), 'warrant_invalid'],
      [`${all}${'— x.example AAAAAAAA\n'.repeat(2000)}`, 'warrant_invalid'],
      [`${all}${'— x.example AAAAAAAA\n'.repeat(99)}`, 'note_invalid'],
    ];
    for (const [one, code] of rows) expect(codeOf(() => verifyWarrant(one, options()))).toBe(code);
    const many = `${all}${'— x.example AAAAAAAA\n'.repeat(17)}`;
    expect(verifyWarrant(many, options()).note).toBe(verifyWarrant(all, options()).note);
  });

  test('wrong arguments', () => {
    expect(() => verifyWarrant(note, options({ now: '0' as unknown as number }))).toThrow(TypeError);
    expect(() => verifyWarrant(note, options({ charter: {} as typeof CHARTER }))).toThrow(TypeError);
    expect(() => verifyWarrant(note, { ...options(), more: 1 } as VerifyWarrantOptions)).toThrow(TypeError);
  });
});

describe('demands for protected people', () => {
  const extra = [{ count: 1, role: 'legal' }];

  test('come on top, with another person', async () => {
    const two = await signed(whole.text, ['chris', 'anna']);
    const error = thrown(() => verifyWarrant(two, options({ extra })));
    expect(error.message).toBe('signatures are missing beyond those of the purpose: 1 of the role legal');
    // bela has both roles and counts for one of the two.
    const bela = await signed(whole.text, ['chris', 'bela']);
    expect(codeOf(() => verifyWarrant(bela, options({ extra })))).toBe('warrant_unsigned');
    const both = await signed(whole.text, ['chris', 'anna', 'bela']);
    const { approvers } = verifyWarrant(both, options({ extra }));
    expect(approvers.map(({ handle }) => handle)).toEqual(['anna', 'bela']);
  });

  test('who is protected cannot be tried out alone: the refusal is the same with and without', async () => {
    const alone = await signed(whole.text, ['chris']);
    const without = thrown(() => verifyWarrant(alone, options()));
    const withExtra = thrown(() => verifyWarrant(alone, options({ extra })));
    expect([withExtra.code, withExtra.message]).toEqual([without.code, without.message]);
  });
});

describe('refusals', () => {
  const warrant = parseWarrant(note);
  const refusalBy = async (officer: string, by = officer) => {
    const { text } = writeRefusal({ warrant: warrant.sha256, officer, at: NOW, why: 'The ticket was closed.' });
    return signed(text, [by], 'refusal@trefoil');
  };
  const about = { charter: CHARTER, warrant };

  test('by an officer who could approve, or a keeper', async () => {
    for (const officer of ['anna', 'bela', 'eva', 'finn', 'dora']) {
      const verified = verifyRefusal(await refusalBy(officer), about);
      expect(verified.officer.handle).toBe(officer);
    }
  });

  test('by somebody else, in the name of another, or of another warrant', async () => {
    const chris = await refusalBy('chris');
    expect(codeOf(() => verifyRefusal(chris, about))).toBe('not_in_charter');
    const stranger = (await refusalBy('anna')).replace('officer anna', 'officer nobody');
    expect(codeOf(() => verifyRefusal(stranger, about))).toBe('not_in_charter');
    const forged = await refusalBy('anna', 'bela');
    expect(codeOf(() => verifyRefusal(forged, about))).toBe('warrant_unsigned');
    const mine = await refusalBy('anna');
    const other = parseWarrant(made({}, 'two').text);
    expect(codeOf(() => verifyRefusal(mine, { charter: CHARTER, warrant: other }))).toBe('warrant_invalid');
  });

  test('the requester cannot refuse with a role of an approver, because they could not approve', async () => {
    const own = parseWarrant(made({ requester: 'dora', desk: 'dora-desk' }).text);
    const { text } = writeRefusal({ warrant: own.sha256, officer: 'dora', at: NOW, why: 'I changed my mind.' });
    const mine = await signed(text, ['dora'], 'refusal@trefoil');
    expect(codeOf(() => verifyRefusal(mine, { charter: CHARTER, warrant: own }))).toBe('not_in_charter');
  });
});

describe('ratifications', () => {
  const glass = made({ purpose: 'safety-of-life', scopes: ['seal:person.name'], seconds: 3600 });
  const warrant = parseWarrant(glass.text);
  const uses = [{ index: 811, sha256: '1'.repeat(64) }];
  const { text } = writeRatification({ warrant: warrant.sha256, uses, why: 'An ambulance was on its way.' });
  const about = { charter: CHARTER, warrant };

  test('are signed by those whom the purpose demands', async () => {
    const all = await signed(text, ['anna', 'chris', 'bela'], 'ratification@trefoil');
    const { ratifiers, note: logged } = verifyRatification(all, about);
    expect(ratifiers.map(({ handle }) => handle)).toEqual(['anna', 'bela']);
    expect(logged).not.toContain('chris.example');
  });

  test('never by the requester, or too few', async () => {
    const own = parseWarrant(
      made({
        purpose: 'safety-of-life',
        scopes: ['seal:person.name'],
        seconds: 3600,
        requester: 'dora',
        desk: 'dora-desk',
      }).text,
    );
    const mine = writeRatification({ warrant: own.sha256, uses, why: 'An ambulance was on its way.' }).text;
    const both = await signed(mine, ['anna', 'dora'], 'ratification@trefoil');
    expect(codeOf(() => verifyRatification(both, { charter: CHARTER, warrant: own }))).toBe('self_approval');
    const one = await signed(text, ['anna'], 'ratification@trefoil');
    expect(codeOf(() => verifyRatification(one, about))).toBe('warrant_unsigned');
  });

  test('of another warrant, or of one that is not break-glass', async () => {
    const all = await signed(text, ['anna', 'bela'], 'ratification@trefoil');
    const usual = parseWarrant(whole.text);
    expect(codeOf(() => verifyRatification(all, { charter: CHARTER, warrant: usual }))).toBe('warrant_invalid');
    const about = writeRatification({ warrant: usual.sha256, uses, why: 'An ambulance was on its way.' }).text;
    const both = await signed(about, ['anna', 'bela'], 'ratification@trefoil');
    expect(codeOf(() => verifyRatification(both, { charter: CHARTER, warrant: usual }))).toBe('warrant_invalid');
  });
});

describe('clock statements', () => {
  const { text } = writeClock({ domain: 'eu-enclave', at: NOW, why: 'The gateway was off for two days.' });

  test('are signed by as many keepers as change the charter', async () => {
    const all = await signed(text, ['eva', 'finn', 'anna'], 'clock@trefoil');
    expect(verifyClock(all, { charter: CHARTER }).keepers.map(({ handle }) => handle)).toEqual(['eva', 'finn']);
    const one = await signed(text, ['eva', 'anna'], 'clock@trefoil');
    expect(codeOf(() => verifyClock(one, { charter: CHARTER }))).toBe('warrant_unsigned');
    const other = await signed(text.replace('eu-', 'us-'), ['eva', 'finn'], 'clock@trefoil');
    expect(codeOf(() => verifyClock(other, { charter: CHARTER }))).toBe('warrant_invalid');
  });
});
