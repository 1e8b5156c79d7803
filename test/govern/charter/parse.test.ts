/** What a charter is, and what is none. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCharter } from '../../../src/govern.ts';
import { newNoteKey, parseLogPolicy } from '../../../src/log.ts';
import { KEYS, LINES, numberOf, refusal, replaced, signedBy, TEXT, textOf } from './small-charter.ts';

const of = (lines: readonly string[]) => refusal(() => parseCharter(textOf(lines)));

describe('a charter', () => {
  const charter = parseCharter(TEXT);

  it('says who, for what, and how much', () => {
    expect(charter).toMatchObject({ version: 1, previous: null, domain: 'eu-enclave', subject: 'person' });
    expect(charter.sha256).toBe(createHash('sha256').update(TEXT).digest('hex'));
    expect(charter.text).toBe(TEXT);
    expect(charter.log.text).toBe(KEYS.log.verifierKey);
    expect(charter.answers?.text).toBe(KEYS.answers.verifierKey);
    expect([charter.isUnwitnessed, charter.isCaseShown]).toEqual([false, false]);
    expect([...charter.officers.keys()]).toEqual('anna bela carla lea chris dora eva fritz gerd'.split(' '));
    expect(charter.officers.get('anna')).toMatchObject({ handle: 'anna', roles: ['approver'] });
    expect(charter.desks.get('chris-desk')).toMatchObject({ of: 'chris', key: { text: KEYS.chrisDesk.verifierKey } });
    expect(charter.clients.get('etl-1')?.key.text).toBe(KEYS.etl.verifierKey);
    expect(charter.change).toEqual([{ count: 2, role: 'keeper' }]);
  });

  it('has purposes', () => {
    expect(charter.purposes.get('support.call-back')).toEqual({
      name: 'support.call-back',
      isGlass: false,
      verb: 'reveal',
      dpv: 'CustomerCare',
      scopes: ['vault:people/person.name', 'vault:people/person.phone'],
      approvals: [{ count: 1, role: 'approver' }],
      values: 50,
      subjects: 10,
      seconds: 43_200,
      witnessed: 3600,
      show: 604_800,
      isUnbound: false,
      ratify: null,
      atMost: null,
    });
    const { values, subjects, show, witnessed, verb } = charter.purposes.get('move')!;
    expect([values, subjects, show, witnessed, verb]).toEqual([null, null, null, 'before', 'rekey']);
    expect(charter.purposes.get('fraud.case')).toMatchObject({ isUnbound: true, dpv: null });
    expect(charter.purposes.get('safety-of-life')).toMatchObject({
      isGlass: true,
      approvals: [],
      witnessed: 300,
      ratify: { seconds: 259_200, demands: [{ count: 2, role: 'approver' }] },
      atMost: { each: 3, all: 5, seconds: 604_800 },
    });
  });

  it('has rates, protected people, alerts and openings', () => {
    expect(charter.rates).toEqual([
      ...['token:person.email', 'fpe:card.pan'].map((scope, i) => ({
        of: 'client',
        handle: 'etl-1',
        verb: 'protect',
        scope,
        count: [2_000_000, 100_000][i],
        seconds: 86_400,
        isCodeBook: false,
      })),
      { of: 'desk', handle: '*', verb: 'reveal', scope: '*', count: 200, seconds: 86_400, isCodeBook: false },
    ]);
    expect(charter.protected).toEqual({ sha256: '5f'.repeat(32), approvals: [{ count: 1, role: 'legal' }] });
    expect(charter.alerts).toEqual({
      subject: { count: 3, seconds: 2_592_000 },
      pair: { percent: 80, least: 10 },
      hours: { from: 6, to: 20 },
    });
    expect(charter.openings).toEqual({ count: 20, seconds: 2_592_000 });
  });

  it('contains a policy of C2SP as it is', () => {
    const grep = LINES.filter((line) => /^(log|witness|group|quorum) /.test(line));
    expect(charter.logPolicyText).toBe(textOf(grep));
    expect(parseLogPolicy(charter.logPolicyText).logs[0]!.text).toBe(KEYS.log.verifierKey);
    expect(charter.logPolicy.witnesses.map(({ name }) => name)).toEqual(['NCC', 'DPA']);
    expect(charter.logPolicy.forks()).toBeNull();
  });

  it('is read from a note, too, and as bytes', async () => {
    const note = await signedBy(TEXT, 'anna');
    expect(parseCharter(note).sha256).toBe(charter.sha256);
    expect(parseCharter(new TextEncoder().encode(note)).sha256).toBe(charter.sha256);
    expect(parseCharter(new TextEncoder().encode(TEXT)).sha256).toBe(charter.sha256);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(charter)).toBe(true);
    expect([...charter.purposes.values(), ...charter.rates, ...charter.officers.values()].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it('may be small', () => {
    const lines = [
      'trefoil charter v1',
      'version 1',
      'domain d',
      LINES[4]!,
      'quorum none',
      LINES[16]!,
      'change 1:keeper',
    ];
    const small = parseCharter(textOf(lines));
    expect([small.isUnwitnessed, small.subject, small.answers, small.openings]).toEqual([true, null, null, null]);
    expect(small.alerts).toEqual({ subject: null, pair: null, hours: null });
    expect(parseCharter(textOf(replaced('protected', LINES[29]!).toSpliced(22, 0, 'case shown'))).isCaseShown).toBe(
      true,
    );
  });
});

describe('bad input', () => {
  it.each([
    ['an unknown word', LINES.toSpliced(10, 0, 'officers anna'), 11],
    ['an unknown word at the end', [...LINES, 'end'], LINES.length + 1],
    ['no line change', LINES.slice(0, -1), LINES.length],
    ['no line domain', replaced('domain'), 3],
    ['no quorum', replaced('quorum'), numberOf('quorum')],
    ['two lines version', LINES.toSpliced(1, 0, 'version 1'), 3],
    ['two lines log', replaced('answers', `log ${KEYS.answers.verifierKey}`), numberOf('answers')],
    ['two lines change', [...LINES, 'change 2:keeper'], LINES.length + 1],
    ['a line out of order', replaced('subject').toSpliced(2, 0, 'subject person'), 3],
    ['a client before a desk', replaced('client').toSpliced(numberOf('desk') - 1, 0, LINES[21]!), numberOf('desk') + 1],
    ['rate before purpose', LINES.toSpliced(22, 0, 'rate desk * reveal * 1 per 1d'), 24],
    ['rate of nobody', replaced('rate desk', 'rate officer anna reveal * 1 per 1d'), numberOf('rate desk')],
    ['case hidden', LINES.toSpliced(22, 0, 'case hidden'), 23],
    ['case shown, and more', LINES.toSpliced(22, 0, 'case shown always'), 23],
    ['another version of the format', replaced('trefoil', 'trefoil charter v2'), 1],
    ['a warrant', replaced('trefoil', 'trefoil warrant v1'), 1],
    ['valid YAML', ['trefoil: 1', 'domain: eu-enclave'], 1],
    ['nothing', [], 1],
    ['a comment', LINES.toSpliced(3, 0, '# who is known by what'), 4],
    ['an empty domain', replaced('domain', 'domain'), 3],
    ['a domain of two words', replaced('domain', 'domain eu enclave'), 3],
    ['an upper-case domain', replaced('domain', 'domain EU'), 3],
    ['version 0', replaced('version', 'version 0'), 2],
    ['version 01', replaced('version', 'version 01'), 2],
    ['version 1.0', replaced('version', 'version 1.0'), 2],
    ['version 1e1', replaced('version', 'version 1e1'), 2],
    ['version 1000000000', replaced('version', 'version 1000000000'), 2],
    ['version 2 without previous', replaced('version', 'version 2'), 2],
    ['version 1 with previous', LINES.toSpliced(2, 0, `previous sha256:${'0'.repeat(64)}`), 3],
    ['previous in upper case', replaced('version', 'version 2', `previous sha256:${'A'.repeat(64)}`), 3],
    ['previous without its algorithm', replaced('version', 'version 2', `previous ${'0'.repeat(64)}`), 3],
    ['previous of 63 digits', replaced('version', 'version 2', `previous sha256:${'0'.repeat(63)}`), 3],
  ])('%s', (_, lines, line) => expect(of(lines)).toEqual(['charter_invalid', line]));

  const purpose = LINES[22]!;
  const at = numberOf('purpose');
  it.each([
    ['purpose twice', [purpose, purpose], at + 1],
    ['a purpose named like a glass', [purpose.replace('support.call-back', 'safety-of-life')], numberOf('glass')],
    ['another verb', [purpose.replace('reveal', 'open')], at],
    ['a scope without its kind', [purpose.replace('vault:people/person.name', 'person.name')], at],
    ['a scope twice', [purpose.replace('people/person.phone', 'people/person.name')], at],
    ['an empty scope', [purpose.replace('person.name,', 'person.name,,')], at],
    ['no approval', [purpose.replace('1:approver', '0:approver')], at],
    ['approvals none', [purpose.replace('1:approver', 'none')], at],
    ['an ambiguous demand', [purpose.replace('1:approver', '1')], at],
    ['a role twice', [purpose.replace('1:approver', '1:approver,1:approver')], at],
    ['values 0', [purpose.replace('values 50', 'values 0')], at],
    ['values 1e9', [purpose.replace('values 50', 'values 1e9')], at],
    ['values 1000001', [purpose.replace('values 50', 'values 1000001')], at],
    ['values any with subjects', [purpose.replace('values 50', 'values any')], at],
    ['subjects 0', [purpose.replace('subjects 10', 'subjects 0')], at],
    ['subjects 1001', [purpose.replace('subjects 10', 'subjects 1001')], at],
    ['subjects any', [purpose.replace('subjects 10', 'subjects any')], at],
    ['a show without subjects', [purpose.replace(' subjects 10', '')], at],
    ['hours 0', [purpose.replace('hours 12', 'hours 0')], at],
    ['hours 745', [purpose.replace('hours 12', 'hours 745')], at],
    ['hours in words', [purpose.replace('hours 12', 'hours 12h')], at],
    ['witnessed sometimes', [purpose.replace('witnessed 1h', 'witnessed later')], at],
    ['witnessed 0m', [purpose.replace('witnessed 1h', 'witnessed 0m')], at],
    ['witnessed 60s', [purpose.replace('witnessed 1h', 'witnessed 60s')], at],
    ['show never-before 90d', [purpose.replace('show 7d', 'show never-before 90d')], at],
    ['a word more', [`${purpose} unbound please`], at],
    ['a word less', [purpose.replace(' hours 12', '')], at],
    ['another order', [purpose.replace('hours 12 witnessed 1h', 'witnessed 1h hours 12')], at],
    ['dpv in lower case', [purpose.replace('dpv:CustomerCare', 'dpv:customer-care')], at],
    ['dpv twice', [purpose.replace('dpv:CustomerCare', 'dpv:CustomerCare dpv:CustomerCare')], at],
    ['m > n of a role', [purpose.replace('1:approver', '4:approver')], at],
    ['m > n of all roles', [purpose.replace('1:approver', '1:auditor')], at],
  ])('of a purpose: %s', (_, lines, line) =>
    expect(of(replaced(purpose, ...lines))).toEqual(['charter_invalid', line]),
  );

  const glass = LINES[25]!;
  it.each([
    ['another verb', glass.replace('verb reveal', 'verb erase')],
    ['values any', glass.replace('values 20', 'values any')],
    ['no subjects', glass.replace(' subjects 5', '')],
    ['witnessed no', glass.replace('witnessed 5m', 'witnessed no')],
    ['no ratification', glass.replace(' ratify 3d 2:approver', '')],
    ['ratified by none', glass.replace('2:approver', 'none')],
    ['ratified by more than there are', glass.replace('2:approver', '4:approver')],
    ['at most of whom', glass.replace('at-most 3 5', 'at-most 3')],
    ['at most 3 of one and 2 of all', glass.replace('at-most 3 5', 'at-most 3 2')],
    ['at most 0', glass.replace('at-most 3 5', 'at-most 0 5')],
    ['no window', glass.replace(' per 7d', '')],
  ])('of glass: %s', (_, line) => expect(of(replaced('glass', line))).toEqual(['charter_invalid', numberOf('glass')]));

  it.each([
    ['officer', 'officer anna approver'],
    ['officer', `officer anna note ${KEYS.anna.verifierKey}`],
    ['officer', `officer Anna approver note ${KEYS.anna.verifierKey}`],
    ['officer', `officer anna approver,approver note ${KEYS.anna.verifierKey}`],
    ['officer', `officer anna approver, note ${KEYS.anna.verifierKey}`],
    ['officer', `officer anna approver ${KEYS.anna.verifierKey}`],
    ['officer', `officer anna approver note ${KEYS.anna.verifierKey} note`],
    ['officer', `officer anna approver note ${KEYS.anna.verifierKey.toUpperCase()}`],
    ['officer', `officer anna approver note ${newNoteKey('w.example', { algorithm: 'cosignature/v1' }).verifierKey}`],
    ['officer', `officer anna approver note ${KEYS.anna.privateKey}`],
    ['officer bela', `officer anna approver note ${KEYS.bela.verifierKey}`],
    ['desk', `desk anna of chris note ${KEYS.chrisDesk.verifierKey}`],
    ['desk', `desk chris-desk of ghost note ${KEYS.chrisDesk.verifierKey}`],
    ['desk', `desk chris-desk of chris-desk note ${KEYS.chrisDesk.verifierKey}`],
    ['desk', `desk chris-desk of chris note ${KEYS.chrisDesk.verifierKey} note ${newNoteKey('x.example').verifierKey}`],
    ['desk', `desk chris-desk for chris note ${KEYS.chrisDesk.verifierKey}`],
    ['desk', `desk chris-desk of chris ${KEYS.chrisDesk.verifierKey}`],
    ['client', `client chris-desk note ${KEYS.etl.verifierKey}`],
    ['client', `client * note ${KEYS.etl.verifierKey}`],
    ['client', 'client etl-1 note'],
    ['answers', `answers ${newNoteKey('w.example', { algorithm: 'cosignature/v1' }).verifierKey}`],
    ['answers', `answers ${KEYS.answers.verifierKey} https://log.example`],
  ])('of people and keys, in place of %s: %s', (start, line) => {
    expect(of(replaced(start, line))).toEqual(['charter_invalid', numberOf(start)]);
  });

  it.each([
    ['rate desk', 'rate desk ghost reveal * 1 per 1d'],
    ['rate desk', 'rate desk etl-1 reveal * 1 per 1d'],
    ['rate desk', 'rate desk * protect * 1 per 1d'],
    ['rate desk', 'rate desk * reveal person.name 1 per 1d'],
    ['rate desk', 'rate desk * reveal * 0 per 1d'],
    ['rate desk', 'rate desk * reveal * 1 in 1d'],
    ['rate desk', 'rate desk * reveal * 1 per 1d code-book'],
    ['rate client', 'rate client chris-desk protect * 1 per 1d'],
    ['rate client', 'rate client etl-1 reveal * 1 per 1d'],
    ['rate client', 'rate client etl-1 project * 1 per 1d'],
    ['rate client', 'rate client etl-1 protect token:person.email 1 per 1d codebook'],
    ['rate client etl-1 protect fpe', 'rate client etl-1 protect token:person.email 9 per 1d'],
    ['protected', `protected sha256:${'5f'.repeat(32)} approvals 1:legal`],
    ['protected', `protected commit sha256:${'5f'.repeat(32)} approvals +1:legal`],
    ['protected', `protected commit sha256:${'5f'.repeat(32)} approvals 2:legal`],
    ['alert subject', 'alert person 3 warrants per 30d'],
    ['alert subject', 'alert subject 3 warrants in 30d'],
    ['alert subject', 'alert subject 3 per 30d'],
    ['alert pair', 'alert pair 0% of 10'],
    ['alert pair', 'alert pair 101% of 10'],
    ['alert pair', 'alert pair 80 of 10'],
    ['alert pair', 'alert pair 80% of 0'],
    ['alert hours', 'alert hours 20-06'],
    ['alert hours', 'alert hours 6-20'],
    ['alert hours', 'alert hours 06-25'],
    ['alert hours', 'alert hours 24-24'],
    ['openings', 'openings 20'],
    ['openings', 'openings 0 per 30d'],
    ['openings', 'openings 20 per 9999d'],
    ['change', 'change 2:approver'],
    ['change', 'change 2:keeper,1:legal'],
    ['change', 'change 0:keeper'],
    ['change', 'change 4:keeper'],
    ['change', 'change 2 keeper'],
  ])('of limits and oversight, in place of %s: %s', (start, line) => {
    expect(of(replaced(start, line))).toEqual(['charter_invalid', numberOf(start)]);
  });

  it.each([
    ['a purpose', ['protected', 'alert subject']],
    ['protected people', ['purpose support', 'purpose fraud', 'glass', 'alert subject']],
    ['an alert', ['purpose support', 'purpose fraud', 'glass', 'protected']],
  ])('people counted without a line subject, by %s', (_, others) => {
    const lines = LINES.filter((line) => !['subject', ...others].some((start) => line.startsWith(start)));
    expect(of(lines)[0]).toBe('charter_invalid');
  });

  it.each([
    ['quorum naming a later group', ['quorum', 'quorum inside']],
    ['m > n of a group', ['group', 'group outside 3 NCC DPA']],
    ['a group of somebody unknown', ['group', 'group outside all NCC BSI']],
    ['a witness with the key of a log', ['witness DPA', `witness DPA ${newNoteKey('w.example').verifierKey}`]],
    ['a log with the key of a witness', ['log', `log ${KEYS.ncc.verifierKey}`]],
    ['a second quorum name', ['quorum', 'quorum outside NCC']],
  ])('of the policy: %s', (_, [start, line]) => {
    expect(of(replaced(start!, line!))).toEqual(['charter_invalid', numberOf(start!)]);
  });
});

describe('one public key stands once in a charter', () => {
  const renamed = (privateName: string, key: keyof typeof KEYS) => {
    // The same seed under another name, as somebody would do who wants to be two people.
    const seed = createHash('sha256').update(`charter test ${privateName}`).digest();
    const algorithm = key === 'ncc' || key === 'dpa' ? 'cosignature/v1' : 'ed25519';
    return newNoteKey('another.example', { algorithm, random: () => seed }).verifierKey;
  };
  it.each([
    [
      'two names one key, of two officers',
      'officer bela',
      `officer bela approver note ${renamed('anna.dpo.example', 'anna')}`,
    ],
    ['of an officer and a desk', 'desk', `desk chris-desk of chris note ${renamed('anna.dpo.example', 'anna')}`],
    ['of an officer and a client', 'client', `client etl-1 note ${renamed('anna.dpo.example', 'anna')}`],
    [
      'of the log and an officer',
      'officer bela',
      `officer bela approver note ${renamed('log.example/eu-enclave/2027', 'log')}`,
    ],
    [
      'of a witness and an officer',
      'officer bela',
      `officer bela approver note ${renamed('ncc.example/witness', 'anna')}`,
    ],
    [
      'of the answers and an officer',
      'officer bela',
      `officer bela approver note ${renamed('log.example/answers', 'answers')}`,
    ],
    ['of the log and the answers', 'answers', `answers ${renamed('log.example/eu-enclave/2027', 'log')}`],
    [
      'of one officer twice',
      'officer bela',
      `officer bela approver note ${KEYS.bela.verifierKey} note ${renamed('bela.dpo.example', 'bela')}`,
    ],
  ])('%s', (_, start, line) => expect(of(replaced(start, line))).toEqual(['charter_invalid', numberOf(start)]));

  it('small-order key', () => {
    // The neutral point, under which anybody makes signatures.
    const name = 'anna.dpo.example';
    const typed = Buffer.concat([Buffer.of(1), Buffer.of(1), Buffer.alloc(31)]);
    const hash = createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8);
    const line = `officer anna approver note ${name}+${hash}+${typed.toString('base64')}`;
    expect(of(replaced('officer anna', line))).toEqual(['charter_invalid', numberOf('officer anna')]);
  });
});

describe('the text', () => {
  it.each([
    ['CRLF', TEXT.replaceAll('\n', '\r\n'), 1],
    ['one carriage return', TEXT.replace('domain eu-enclave\n', 'domain eu-enclave\r\n'), 3],
    ['a tab', TEXT.replace('domain eu-enclave', 'domain\teu-enclave'), 3],
    ['two spaces', TEXT.replace('domain eu-enclave', 'domain  eu-enclave'), 3],
    ['a space at the end', TEXT.replace('domain eu-enclave', 'domain eu-enclave '), 3],
    ['a space at the beginning', TEXT.replace('domain eu-enclave', ' domain eu-enclave'), 3],
    ['a look-alike in a handle', TEXT.replace('officer anna', 'officer \u0430nna'), numberOf('officer anna')],
    ['a look-alike in a role', TEXT.replace('anna approver', 'anna appr\u043ever'), numberOf('officer anna')],
    ['a character that turns the line', TEXT.replace('eu-enclave', 'eu\u202e-enclave'), 3],
    ['a zero-width space', TEXT.replace('eu-enclave', 'eu\u200b-enclave'), 3],
    ['a line separator', TEXT.replace('eu-enclave\n', 'eu-enclave\u2028'), 3],
    ['NUL', TEXT.replace('eu-enclave', 'eu\0enclave'), 3],
    ['a byte order mark', `\ufeff${TEXT}`, 1],
    ['a line that looks like a signature', TEXT.replace('subject person', '— bela AAAA'), 4],
    ['no line feed at its end', TEXT.slice(0, -1), LINES.length],
  ])('%s', (_, text, line) => expect(refusal(() => parseCharter(text))).toEqual(['charter_invalid', line]));

  it('33 KiB', () => {
    const many = Array.from({ length: 400 }, (_, i) => `rate desk * reveal seal:${'s'.repeat(40)}${i} 1 per 1d`);
    const text = textOf(LINES.toSpliced(numberOf('protected') - 1, 0, ...many));
    expect(text.length).toBeGreaterThan(32_768);
    expect(refusal(() => parseCharter(text))).toEqual(['charter_invalid']);
    const fewer = textOf(LINES.toSpliced(numberOf('protected') - 1, 0, ...many.slice(0, 300)));
    expect(parseCharter(fewer).rates).toHaveLength(303);
  });

  it('bytes that are not UTF-8', () => {
    const bytes = new TextEncoder().encode(TEXT);
    bytes[30] = 0xff;
    expect(refusal(() => parseCharter(bytes))).toEqual(['charter_invalid']);
  });

  it('an empty line in the middle: what follows is no signature', () => {
    expect(refusal(() => parseCharter(TEXT.replace('subject person\n', '\n')))[0]).toBe('note_invalid');
  });

  it('an error names no name and no number of the charter', () => {
    const marked = ['zzsecretzz'];
    for (const at of LINES.keys()) {
      for (const mark of marked) {
        for (const place of [
          `${LINES[at]} ${mark}`,
          LINES[at]!.replace(/[^ ]+$/, mark),
          LINES[at]!.replace(/^[^ ]+ [^ ]+/, mark),
        ]) {
          try {
            parseCharter(textOf(LINES.with(at, place)));
          } catch (error) {
            expect(JSON.stringify((error as { issues: unknown }).issues)).not.toContain(mark);
          }
        }
      }
    }
  });
});
