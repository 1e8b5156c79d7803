/**
 * The vectors of the specifications are read from the pages in docs/spec and compared with the outputs of the library.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeList } from '../src/core/bytes.ts';
import { engineName, formatEngine, indexOf, sizeOf } from '../src/format/engine.ts';
import {
  card,
  caseKept,
  clear,
  date,
  digits,
  email,
  type Format,
  iban,
  integer,
  ip,
  ipv4,
  pattern,
  phone,
  regex,
  seq,
  text,
  uuid,
} from '../src/format.ts';
import { fpe, keyset, policy, seal, type TokenOptions, token } from '../src/index.ts';
import { bitPermutation, digitPermutation } from '../src/kernel/ff1/body-permutation.ts';
import { shorten } from '../src/keys/branches.ts';
import { child, domainNode, keyCheckValue, ruleNode, shownKeyId } from '../src/keys/derive.ts';
import { writeKeyText } from '../src/keys/key-texts.ts';
import { testKey } from '../src/keys/test-keys.ts';
import { KINDS } from '../src/log/entry/kinds.ts';
import { journalOf } from '../src/log/writer/journal.ts';
import {
  bundleBytes,
  checkInclusion,
  checkOpening,
  commitment,
  entryReader,
  newNoteKey,
  noteSigner,
  signNote,
  subjectSealer,
  treeEdge,
  writeCheckpoint,
  writeEntry,
} from '../src/log.ts';
import { narrow } from '../src/policy.ts';
import { periodOf } from '../src/prepare/civil-period.ts';
import { emailAddress, trim } from '../src/prepare.ts';
import { secretAccess } from '../src/reveal.ts';
import { testKeyset } from '../src/testing.ts';
import { decode, encode } from '../src/wire/base32.ts';
import { crc20 } from '../src/wire/check-characters.ts';
import { bytes, hex } from './helpers/hex.ts';

/** The rows of the tables of a page: the second column by the first. */
function vectors(page: string): ReadonlyMap<string, string> {
  const source = readFileSync(new URL(`../docs/spec/${page}.md`, import.meta.url), 'utf8');
  const section = source.slice(source.indexOf('## Vectors'));
  const rows = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)];
  return new Map(rows.map(([, name, value]): [string, string] => [name!, value!.replaceAll('`', '')]));
}

const page = vectors('keyset-v1');
const root = bytes(page.get('root key')!);
const node = domainNode(root, 'eu-enclave');
const parsed = keyset.parse(
  JSON.stringify({ version: 'keyset-v1', keys: [{ id: 'spec', primary: true, secret: page.get('`secret`') }] }),
);
const keys = parsed.domain('eu-enclave');

describe('keyset-v1', () => {
  it('has the nodes, the key id and the key check of the page', () => {
    expect(hex(decode(page.get('`secret`')!.slice('trefoil-root-1_'.length, -4))!)).toBe(page.get('root key'));
    expect(hex(encodeList(['domain', 'eu-enclave']))).toBe(page.get('info of the domain'));
    expect(hex(node)).toBe(page.get('domain'));
    expect(shownKeyId(node)).toBe(page.get('shown key id'));
    expect(keyCheckValue(node)).toBe(page.get('key check value'));
    expect(keys.keyCheck).toEqual({ [page.get('shown key id')!]: page.get('key check value') });
  });

  const source = readFileSync(new URL('../docs/spec/keyset-v1.md', import.meta.url), 'utf8');
  const second = createHash('sha256').update('trefoil frozen test root 2').digest();
  const lined = [...source.matchAll(/^\| (.+) \| `(.+)` \| `([0-9a-f]{64})` \| `(.{5})` \| `(.{16})` \|$/gm)];
  it('has the lineages of the page', () => {
    expect(lined).toHaveLength(7);
    for (const [, name, domain, own, id, check] of lined) {
      const region = name!.includes('region') ? { region: 'eu' } : {};
      const isFirst = name === 'first';
      const use = name!.includes('base alone') ? { use: 'base' } : {};
      const of = domain === 'partner-b' ? 'eu-enclave' : null;
      expect(hex(domainNode(isFirst ? root : second, domain!, of, region.region ?? null))).toBe(own);
      const file = {
        version: 'keyset-v1',
        keys: [
          { id: 'base', primary: isFirst, secret: writeKeyText('secret', root), ...region, ...use },
          { id: 'epoch-2', base: 'base', primary: !isFirst, secret: writeKeyText('secret', second), ...region },
        ],
        domains: { 'partner-b': { of: 'eu-enclave' } },
      };
      const opened = keyset.parse(JSON.stringify(file), region).domain(domain!);
      expect(opened.keyId).toBe(id);
      expect(opened.keyCheck[id!]).toBe(check);
    }
  });

  it('has the branches of the page', () => {
    const steps = (...parameters: (string | object)[]) => ['parameters', ...parameters];
    const branch = (kind: string, parameters: (string | object)[], name: string) => ({
      domain: 'eu-enclave',
      path: [['kind', kind], ['scope', 'person.email'], parameters],
      node: page.get(name),
    });
    const permutation = branch('token permutation', steps('bits', '128'), 'branch of `epoch-2`');
    const names = { b32: encode(encodeList(['emailAddress'])) };
    const tokens = branch('token', steps('hmac-sha256', names, 'equal values'), 'branch of `base`');
    const shown = { 'eu-enclave': { id: 'p9t4e', check: 'vft0wk0jcye6h455' } };
    const shownOfBase = { 'eu-enclave': { id: 's0nr0', check: 'aybrrwdf0sv5jjp6' } };
    const file = {
      version: 'keyset-v1',
      narrowed: { verbs: ['protect'], soft: [] },
      keys: [
        { id: 'epoch-2', primary: true, base: 'base', branches: [permutation], shown },
        { id: 'base', use: 'base', branches: [tokens], shown: shownOfBase },
      ],
    };
    const branchCheck = page.get('branch check')!;
    const read = keyset.parse(JSON.stringify(file)).domain('eu-enclave', { branchCheck });
    expect(read.branchCheck).toBe(branchCheck);
    const third = createHash('sha256').update('trefoil frozen test root 3').digest();
    expect(hex(child(third, 'node check', []))).toBe(page.get('child(secret of `third`, "node check")'));
    const region = 'eu';
    const full = {
      version: 'keyset-v1',
      narrowed: { verbs: ['protect', 'rekey'], soft: ['seal:person.name'] },
      keys: [
        { id: 'epoch-2', primary: true, base: 'base', region, branches: [permutation], shown },
        { id: 'base', use: 'base', region, branches: [tokens] },
        { id: 'third', base: 'gone', region, secret: writeKeyText('secret', third) },
        { id: 'gone', region, check: { 'eu-enclave': 'aybrrwdf0sv5jjp6' } },
      ],
      domains: { 'partner-b': { of: 'eu-enclave' } },
    };
    expect(keyset.parse(JSON.stringify(full), { region }).domain('eu-enclave').branchCheck).toBe(
      page.get('second branch check'),
    );
    const bytesOf = (text: string) => decode(text.slice('trefoil-node-1_'.length, -4))!;
    expect(hex(child(bytesOf(permutation.node!), 'node check', []))).toBe(
      page.get('child(branch of `epoch-2`, "node check")'),
    );
    const [[, digest]] = shorten([['name', 'x'.repeat(65)]]) as unknown as [[string, { readonly digest: Uint8Array }]];
    expect(hex(digest.digest)).toBe(page.get('digest of a name of 65 letters `x`'));
    // The branches are those that narrowing finds.
    const whole = keyset.parse(
      JSON.stringify({
        version: 'keyset-v1',
        keys: [
          { id: 'epoch-2', primary: true, base: 'base', secret: writeKeyText('secret', second) },
          { id: 'base', use: 'base', secret: writeKeyText('secret', root) },
        ],
      }),
    );
    const mail = policy({ m: token({ scope: 'person.email', prepare: emailAddress }) }, { domain: 'eu-enclave' });
    expect(narrow(whole, mail, { verbs: ['protect'] }).branchCheck).toBe(branchCheck);
  });

  const testKeys = [...source.matchAll(/^\| `(\S+)` \| `([0-9a-f]{64})` \| `(trefoil-root-1_\S+)` \|$/gm)];
  const inDomains = [...source.matchAll(/^\| `(\S+)` \| `(test\S*)` \| `(\S{5})` \| `(\S{16})` \| `(\S{35})` \|$/gm)];
  it('has the test keys of the page', () => {
    expect(testKeys).toHaveLength(3);
    expect(inDomains).toHaveLength(4);
    for (const [, name, key, secret] of testKeys) {
      expect(hex(testKey(name!))).toBe(key);
      expect(JSON.parse(testKeyset(name!).export(secretAccess)).keys[0].secret).toBe(secret);
    }
    for (const [, name, domain, id, check, result] of inDomains) {
      const opened = testKeyset(name!).domain(domain!);
      expect(opened.keyCheck).toEqual({ [id!]: check });
      expect(token({ scope: 'person' }).bind(opened).protect('10017')).toBe(result);
    }
  });
});

describe('renewal-v1', () => {
  const rows = vectors('renewal-v1');
  const source = readFileSync(new URL('../docs/spec/renewal-v1.md', import.meta.url), 'utf8');
  const roots = ['', ' 2', ' 3'].map((more) => createHash('sha256').update(`trefoil frozen test root${more}`).digest());
  /** The keys of the page, the named one primary. */
  const lineage = (name: string, domain: string) =>
    keyset
      .parse(
        JSON.stringify({
          version: 'keyset-v1',
          keys: ['first', 'second', 'third'].map((id, i) => ({
            id,
            primary: id === name,
            ...(i > 0 && { base: 'first' }),
            secret: writeKeyText('secret', roots[i]!),
          })),
          domains: { 'partner-b': { of: 'eu-enclave' } },
        }),
      )
      .domain(domain);
  const options = { scope: 'person.email', prepare: emailAddress } as const;
  const value = 'Ada@Example.com';

  it('has the permutations of the page', () => {
    const own = domainNode(roots[1]!, 'eu-enclave');
    expect(hex(encodeList(['kind', 'token permutation']))).toBe(rows.get('info of the kind'));
    for (const [name, unit, size] of [
      ['128 bits', 'bits', 128],
      ['122 bits', 'bits', 122],
      ['60 bits', 'bits', 60],
      ['12 digits', 'digits', 12],
    ] as const) {
      const parameters = [unit, String(size)];
      const info = rows.get(`info of the parameters, ${name}`);
      if (info !== undefined) expect(hex(encodeList(['parameters', ...parameters]))).toBe(info);
      const node = ruleNode(own, 'token permutation', 'person.email', parameters);
      expect(hex(node)).toBe(rows.get(`node of the permutation, ${name}`));
      if (unit === 'digits') {
        expect(digitPermutation(node, size).encrypt(rows.get(`*x*, ${name}`)!)).toBe(rows.get(`*y*, ${name}`));
      } else if (size > 60) {
        const x = BigInt(`0x${rows.get(size === 128 ? '*x*, 128 bits' : '*x*, 122 bits, as a number')}`);
        const y = BigInt(`0x${rows.get(size === 128 ? '*y*, 128 bits' : '*y*, 122 bits, as a number')}`);
        const words = new DataView(new ArrayBuffer(16));
        words.setBigUint64(0, (x << BigInt(128 - size)) >> 64n);
        words.setBigUint64(8, (x << BigInt(128 - size)) & (2n ** 64n - 1n));
        const four = Int32Array.from([0, 4, 8, 12], (at) => words.getInt32(at));
        bitPermutation(node, size).encrypt(four, 0, 1);
        const whole = four.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
        expect(whole >> BigInt(128 - size)).toBe(y);
      }
    }
  });

  it('has the tokens of the keys and recipients of the page', () => {
    const listed = [
      ...source.matchAll(/^\| (\w+) \| `(\S+)` \| `(.{5})` \| `(.{16})` \| `(mail_\w+)` \| `(.{36})` \|$/gm),
    ];
    expect(listed).toHaveLength(5);
    for (const [, name, domain, id, check, labelled, uuidToken] of listed) {
      const opened = lineage(name!, domain!);
      expect([opened.keyId, opened.keyCheck[id!]]).toEqual([id, check]);
      expect(
        token({ ...options, label: 'mail' })
          .bind(opened)
          .protect(value),
      ).toBe(labelled);
      expect(
        token({ ...options, form: 'uuid' })
          .bind(opened)
          .protect(value),
      ).toBe(uuidToken);
    }
  });

  const forms = [...source.matchAll(/^\| `(\w+)` \| (\d+) \| `(\S+)` \| `(\S+)` \|$/gm)].map((row) => row.slice(1));
  it('has 21 forms and lengths', () => {
    expect(forms).toHaveLength(21);
  });
  it.each(forms)('%s of %s characters', (form, length, second, third) => {
    const rule = token({
      ...options,
      form: form as TokenOptions['form'] & string,
      ...(form !== 'uuid' && { length: Number(length), population: 2, maxCollisionProbability: 0.5 }),
      ...(form === 'labelled' && { label: 'mail' }),
    });
    const [old, now] = [lineage('second', 'eu-enclave'), lineage('third', 'eu-enclave')];
    expect(rule.bind(old).protect(value)).toBe(second);
    expect(rule.bind(now).protect(value)).toBe(third);
    expect(rule.bind(now).renew(second!, { from: old.keyId })).toBe(third);
  });
});

describe('token-v1', () => {
  const rows = vectors('token-v1');
  it('has the node of the page', () => {
    const parameters = ['hmac-sha256', encodeList(['emailAddress']), 'equal values'];
    expect(hex(encodeList(['parameters', ...parameters]))).toBe(rows.get('info of the parameters'));
    expect(hex(ruleNode(node, 'token', 'person.email', parameters))).toBe(rows.get('node'));
  });
  it('has the tokens of the page', () => {
    const options = { scope: 'person.email', prepare: emailAddress } as const;
    const value = 'Ada@Example.com';
    expect(emailAddress(value)).toBe(rows.get('*m*'));
    expect(encode(bytes(rows.get('*t*')!), 128)).toBe(rows.get('*body*'));
    expect(
      token({ ...options, label: 'mail' })
        .bind(keys)
        .protect(value),
    ).toBe(rows.get('labelled'));
    expect(token(options).bind(keys).protect(value)).toBe(rows.get('labelled, no label'));
    expect(
      token({ ...options, form: 'bare' })
        .bind(keys)
        .protect(value),
    ).toBe(rows.get('bare'));
    expect(`0x${crc20(`mail_s0nr0${rows.get('*body*')}`).toString(16)}`).toBe(rows.get('CRC of `mail_s0nr0` ‖ *body*'));
  });
  it('has the node of the page for blake3', () => {
    const parameters = ['blake3', encodeList(['emailAddress']), 'equal values'];
    expect(hex(encodeList(['parameters', ...parameters]))).toBe(rows.get('`blake3`: info of the parameters'));
    expect(hex(ruleNode(node, 'token', 'person.email', parameters))).toBe(rows.get('`blake3`: node'));
  });

  const source = readFileSync(new URL('../docs/spec/token-v1.md', import.meta.url), 'utf8');
  const contexts = [...source.matchAll(/^\| (`.+`) \| (`.+`) \| (none|`trim`) \| (.+) \| `(s0nr0\w+)` \|$/gm)];
  it('has the key of the page for contexts', () => {
    const parameters = ['hmac-sha256', encodeList([]), encodeList(['per', 'tenant'])];
    expect(hex(encodeList(['per', 'tenant']))).toBe(rows.get('`per`: the third parameter'));
    expect(hex(ruleNode(node, 'token', 'account', parameters))).toBe(rows.get('`per`: node'));
    expect(hex(encodeList(['acme', '10017']))).toBe(rows.get('`per`: *m*'));
    expect(contexts).toHaveLength(9);
  });
  it.each(contexts.map((row) => row.slice(1)))(
    'per %s, contexts %s, steps %s, value %s',
    (names, values, steps, value, result) => {
      const listed = (texts: string) => texts.split(', ').map((text) => text.replaceAll('`', ''));
      const per = listed(names!).map((name, i) => (i === 0 ? `record.${name}` : { field: 'other', name }));
      const rule = token({ scope: 'account', per, ...(steps === 'none' ? {} : { prepare: trim }) }).bind(keys);
      const text = value === '100 times `x`' ? 'x'.repeat(100) : value!.replaceAll('`', '');
      expect(rule.protect(text, { per: listed(values!) })).toBe(result);
      expect(rule.protectMany([text], { per: listed(values!).map((context) => [context]) })).toEqual([result]);
      expect(rule.matches(text, result!, { per: listed(values!) })).toBe(true);
    },
  );
  const periods = [
    ...source.matchAll(/^\| `(\w+)` \| `(day|week|month|quarter|year)` \| `(\S+)` \| `(\S+)` \| `(s0nr0\w+)` \|$/gm),
  ];
  it('has the key of the page for periods', () => {
    const parameters = ['hmac-sha256', encodeList([]), encodeList(['period', 'seen'])];
    expect(hex(encodeList(['period', 'seen']))).toBe(rows.get('period: the third parameter'));
    const own = ruleNode(node, 'token', 'account', parameters);
    expect(hex(own)).toBe(rows.get('period: node'));
    expect(hex(child(own, 'period', ['2024-03']))).toBe(rows.get('period: child(node, "period", "2024-03")'));
    expect(periods).toHaveLength(7);
  });
  it.each(periods.map((row) => row.slice(1)))('per %s, %s, date %s: %s', (name, unit, date, text, result) => {
    const rule = token({ scope: 'account', per: { [unit!]: 'on', name: name! } as unknown as { month: string } }).bind(
      keys,
    );
    expect(rule.protect('10017', { per: date })).toBe(result);
    expect(periodOf(unit as 'month', date!)).toBe(text);
  });

  it('has the token of the page after a part in clear', () => {
    const made = token({ scope: 'patient', after: 'Patient/' }).bind(keys).protect('Patient/7f3a');
    expect(source).toContain(`\`${made}\``);
    expect(made.slice('Patient/'.length)).toBe(token({ scope: 'patient' }).bind(keys).protect('7f3a'));
  });

  const forms = [...rows].flatMap(([name, result]) => {
    const match = /^`(hmac-sha256|blake3)`, `(\w+)`, (\d+)$/.exec(name);
    return match === null ? [] : [[match[1], match[2], Number(match[3]), result] as const];
  });
  it('has a row for the longest, two others and the shortest of each form, under both functions', () => {
    expect(forms).toHaveLength(2 * (5 * 4 + 1));
  });
  it.each(forms)('%s, %s, %i', (prf, form, length, result) => {
    const [, , longest] = forms.find(([, name]) => name === form)!;
    const short = length === longest ? {} : { length, population: 2, maxCollisionProbability: 0.5 };
    const label = form === 'labelled' ? { label: 'mail' } : {};
    const options = { scope: 'person.email', prepare: emailAddress, form, prf, ...short, ...label };
    const rule = token(options as TokenOptions).bind(keys);
    expect(rule.protect('Ada@Example.com')).toBe(result);
    expect(rule.protectMany(['Ada@Example.com'])).toEqual([result]);
    expect(rule.matches('ada@example.com', result)).toBe(true);
  });
});

describe('fpe-v1', () => {
  it('has the ciphertexts of the page', () => {
    const source = readFileSync(new URL('../docs/spec/fpe-v1.md', import.meta.url), 'utf8');
    const results = [
      fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) })
        .bind(keys)
        .protect('4111 1111 1111 1111'),
      fpe({ scope: 'car', format: pattern('A999999') })
        .bind(keys)
        .protect('K013377'),
      fpe({ scope: 'person.ref', format: digits() }).bind(keys).protect('012345678'),
      fpe({ scope: 'plate', format: text('ABCDEFGHJKLMNPRSTUVWXYZ0123456789') })
        .bind(keys)
        .protect('AB1234'),
      fpe({ scope: 'phone.line', format: pattern('999-9999') })
        .bind(keys)
        .protect('555-0123'),
    ];
    const written = [...source.matchAll(/^\| .*`([^`]+)` \|$/gm)].map((match) => match[1]);
    for (const result of results) expect(written).toContain(result);
  });
});

describe('fpe-v1, every engine and kind of format', () => {
  const source = readFileSync(new URL('../docs/spec/fpe-v1.md', import.meta.url), 'utf8');
  const section = source.slice(source.indexOf('Each engine, and each kind of format'));
  const rows = [
    ...section.matchAll(
      /^\| (.+?) \| `(.+?)` \| `(.+?)` \| ([a-z0-9-]+) \| .+? \| (\d+) of (\d+) \| (\d+) \| `(.+?)` \|$/gm,
    ),
  ];
  const formats: Readonly<Record<string, Format>> = {
    'card.any': card({ clear: { first: 6, last: 4 }, luhn: 'any', length: 16 }),
    'card.pan4': card({ clear: { first: 6, last: 4 }, length: 16 }),
    'card.tok': card({ clear: { first: 6 }, luhn: 'invalid' }),
    ward: digits({ length: 5 }),
    born: date({ from: '1900-01-01', to: '2019-12-31' }),
    salary: integer({ min: 0, max: 99_999 }),
    id: uuid(),
    client: ip(),
    'client.v6': ip(),
    'client ipcrypt-pfx': ip({ prefixPreserving: true }),
    ip: ipv4(),
    'ip ipcrypt-pfx': ipv4({ prefixPreserving: true }),
    passport: regex('[A-Z]{1,2}[0-9]{6,7}'),
    iban: iban(),
    phone: phone(),
    name: caseKept(),
    mail: email(),
    cust: seq(clear(text('ABCDEFGHIJKLMNOPQRSTUVWXYZ', { length: 2 })), '-', digits({ length: 7 })),
  };

  it('has a row for each', () => {
    expect(rows).toHaveLength(Object.keys(formats).length);
  });

  it.each(rows.map((row) => row.slice(1)))('%s, scope %s', (_, scope, value, engine, index, size, out, result) => {
    const format = formats[engine === 'ipcrypt-pfx' ? `${scope} ${engine}` : scope!]!;
    const facts = formatEngine('format', format);
    const parts = facts.split(value!);
    expect(engineName(facts, sizeOf(facts, parts))).toBe(engine);
    expect(`${sizeOf(facts, parts)}`).toBe(size);
    expect(format.rank(value!)).toBe(BigInt(index!));
    expect(fpe({ scope: scope!, format }).bind(keys).protect(value)).toBe(result);
    expect(indexOf(facts, (facts.enciphered ?? facts).split(result!))).toEqual(
      typeof sizeOf(facts, parts) === 'number' ? Number(out) : BigInt(out!),
    );
  });
});

describe('seal-v1', () => {
  it('has the node and the sealed value of the page', () => {
    const rows = vectors('seal-v1');
    expect(hex(ruleNode(node, 'seal', 'person.name', ['aes-256-siv', 'buckets-1']))).toBe(rows.get('node'));
    expect(seal({ scope: 'person.name' }).bind(keys).protect('Zoë Müller')).toBe(rows.get('result'));
  });
});

describe('log-v1', () => {
  const source = readFileSync(new URL('../docs/spec/log-v1.md', import.meta.url), 'utf8');
  const rows = vectors('log-v1');
  const seeded = (text: string) => createHash('sha256').update(`log-v1 vectors ${text}`).digest();

  it('has the sealed subjects of the page', () => {
    expect(hex(seeded('shard key'))).toBe(rows.get('shard key'));
    expect(encode(seeded('pseudonym').subarray(0, 10))).toBe(rows.get('pseudonym'));
    for (const i of [0, 1, 2]) {
      const random = (length: number) => new Uint8Array(seeded(`random ${i}`).subarray(0, length));
      expect(hex(random(6))).toBe(rows.get(`*R* ${i}`));
      const sealer = subjectSealer(seeded('shard key'), { random });
      expect(sealer.seal(rows.get('pseudonym')!)).toBe(rows.get(`sealed ${i}`));
      expect(sealer.open(rows.get(`sealed ${i}`)!)).toBe(rows.get('pseudonym'));
    }
  });

  it('has the commitment of the page', () => {
    const random = () => seeded('nonce');
    const made = commitment(JSON.parse(rows.get('details')!), { random });
    expect(hex(random())).toBe(rows.get('nonce'));
    expect(made).toEqual({ commit: rows.get('commit'), opening: rows.get('opening') });
    expect(JSON.stringify(checkOpening(made.commit, made.opening))).toBe(rows.get('details'));
  });

  const hexOf = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
  const entries = [...source.matchAll(/^\| (\d+) \| `(\{.*\})` \| `([0-9a-f]{64})` \|$/gm)];
  it('has the entries of the page, one of every kind', () => {
    const read = entryReader();
    const kinds = new Set<string>();
    for (const [, index, text, leaf] of entries) {
      const entry = read(Number(index), new TextEncoder().encode(text));
      kinds.add(entry.kind);
      expect(new TextDecoder().decode(writeEntry(entry.event!, entry.at))).toBe(text);
      expect(createHash('sha256').update('\0').update(text!).digest('hex')).toBe(leaf);
    }
    expect(entries).toHaveLength(19);
    expect([...kinds].sort()).toEqual(Object.keys(KINDS).sort());
  });

  it('has the log of the page: its key, its checkpoint and a proof', async () => {
    const random = () => new Uint8Array(seeded('log seed'));
    const made = newNoteKey('log.example/2027', { random });
    expect(made.privateKey).toBe(rows.get('private key'));
    expect(made.verifierKey).toBe(rows.get('verifier key'));
    const tree = treeEdge();
    for (const [, , , leaf] of entries) tree.append(bytes(leaf!));
    const text = writeCheckpoint({ origin: 'log.example/2027', size: entries.length, root: tree.root() });
    const note = await signNote(text, [noteSigner(made.privateKey)]);
    expect(note.trimEnd().split('\n').join(' / ')).toBe(rows.get('checkpoint'));
    const hashes = rows
      .get('inclusion proof of entry 4')!
      .split(' ')
      .map((hash) => bytes(hexOf(hash)));
    expect(checkInclusion(bytes(entries[4]![3]!), 4, entries.length, tree.root(), hashes)).toBe(true);
  });

  it('has the journal of the page', () => {
    const tree = treeEdge();
    for (const [, , , leaf] of entries.slice(0, 16)) tree.append(bytes(leaf!));
    const base = { origin: 'log.example/2027', size: 16, root: tree.root() };
    expect(hex(base.root)).toBe(rows.get('root at 16'));
    const records = bundleBytes(entries.slice(16).map(([, , text]) => new TextEncoder().encode(text)));
    const journal = journalOf(seeded('journal key'));
    const written = journal.write(base, records, 3);
    expect(hex(written.slice(-32))).toBe(rows.get('tag of the journal'));
    expect(createHash('sha256').update(written).digest('hex')).toBe(rows.get('SHA-256 of the journal'));
    expect(journal.read(base, written)).toEqual({ records, count: 3 });
  });
});
