/**
 * Every exported function of every public module, and every verb of its results, with hostile values in every place. A
 * call must return or throw an error of ours; errors that hostile getters and proxies throw may pass through. No
 * message contains the marker that hostile values are made of.
 *
 * An export without a row in the table fails the test.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as age from 'age-encryption';
import * as shamir from 'shamir-secret-sharing';
import { afterAll, describe, expect, it } from 'vitest';
import { type KeyWrapper, sealKeyFile, splitIdentity } from '../src/custody.ts';
import { alphabet, ff1, ff1Text } from '../src/ff1.ts';
import { ff3, ff3Text } from '../src/ff3.ts';
import { card, clear, digits, enumOf, type Format, pattern, seq, text } from '../src/format.ts';
import {
  drawSample,
  extractBuilder,
  notePartySigner,
  type PartySigner,
  parseCharter,
  parseWarrant,
  reportBuilder,
  reportOf,
  sshPartySigner,
  subjectPseudonyms,
  writeClock,
  writeProtected,
  writeRatification,
  writeRefusal,
} from '../src/govern.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  keyset,
  mask,
  policy,
  projectTokens,
  seal,
  shiftDate,
  type TokenOptions,
  TrefoilError,
  token,
  utf8Column,
} from '../src/index.ts';
import { makeRejectSealer } from '../src/io/rejects.ts';
import { cryptoPan, ipcryptDeterministic, ipcryptNd, ipcryptNdx, ipcryptPfx } from '../src/ip.ts';
import { openKeys } from '../src/keys/domain-keys.ts';
import { addDomain, addKey, promoteKey } from '../src/keys.ts';
import {
  commitment,
  cosigner,
  type Log,
  leafHash,
  logAt,
  newNoteKey,
  noteSigner,
  type openLog,
  parseLogPolicy,
  parseSeen,
  readEntry,
  type Signer,
  signNote,
  subjectSealer,
  treeEdge,
  verifierKey,
  verifyLog,
  witnessMemory,
  writeCheckpoint,
  writeEntry,
  writeLogProof,
} from '../src/log.ts';
import { logFolder, readLogFolder } from '../src/node.ts';
import { parsePolicy, project, rekey } from '../src/policy.ts';
import { readDate, readEpoch, trim } from '../src/prepare.ts';
import { revealAccess, secretAccess } from '../src/reveal.ts';
import { memoryStore, vault } from '../src/vault.ts';
import { privateKey, sshsig } from './govern/officers/sshsig.ts';
import {
  made as madeWarrant,
  NOW,
  REQUEST,
  SIGNERS,
  signed as signedText,
  CHARTER as WARRANT_CHARTER,
} from './govern/warrant/shared.ts';
import { HostileError, hostileValues, MARKER } from './hostile.ts';
import { keysetJson, testRoot } from './reference/tree.ts';

type Fn = (...args: never[]) => unknown;

/** One function with valid arguments. Each argument is replaced by hostile values in turn. */
interface Call {
  readonly name: string;
  readonly fn: Fn;
  readonly args: () => readonly unknown[];
  /** Names in arguments are places (fields of a policy, paths of files) and may be in a message. */
  readonly places?: boolean;
  /** The text of its messages is the caller's. */
  readonly echoes?: boolean;
  /** Positions that take the name of a file: no text is put there, because it would be opened. */
  readonly files?: readonly number[];
  /** The function refuses these arguments themselves, too. */
  readonly refuses?: boolean;
}

const ring = keyset.parse(keysetJson(testRoot('hostile')));
const keys = ring.domain('eu');
const pinned = ring.domain('eu', { keyCheck: keys.keyCheck });

const tokens = token({ scope: 'a', prepare: trim }).bind(keys);
const seals = seal({ scope: 'a' }).bind(keys, revealAccess);
const integers = seal({ scope: 'a', value: 'integer' }).bind(keys, revealAccess);
const fpes = fpe({ scope: 'a', format: card({ clear: { first: 6 } }) }).bind(pinned, revealAccess);
const patterns = fpe({ scope: 'a', format: pattern('A999999') }).bind(pinned, revealAccess);
const sealed = seals.protect('x');
const CARD = '4111 1111 1111 1111';

const sheet = policy({
  a: token({ scope: 'a' }),
  b: seal({ scope: 'b' }),
  c: fpe({ scope: 'c', format: digits() }),
  d: drop,
  e: keep,
  f: constant({ value: 1 }),
  g: mask({ first: 1 }),
  h: coarsen({ number: 10 }),
  i: coarsen({ date: 'year' }),
  j: coarsen({ ip: { v4: 24, v6: 48 } }),
  k: coarsen({ prefix: 1 }),
  l: seal({ scope: 'l', value: 'integer' }),
  m: { n: keep },
  o: each({ p: seal({ scope: 'p' }) }),
  q: each(keep),
});
const bound = sheet.bind(pinned, revealAccess);
const row = {
  a: 'x',
  b: 'x',
  c: '123456',
  d: 1,
  e: 1,
  f: 1,
  g: 'x',
  h: 1,
  i: '2024-01-01',
  j: '192.0.2.1',
  k: 'x',
  l: 1,
  m: { n: 1 },
  o: [{ p: 'x' }],
  q: [1],
};
const flat = policy({ a: token({ scope: 'a' }), e: keep });
const file = {
  trefoil: 1,
  domain: 'eu',
  keyCheck: { ...keys.keyCheck },
  unnamed: 'error',
  fields: {
    a: { rule: 'token', scope: 'a', prepare: ['trim'] },
    c: { rule: 'fpe', scope: 'c', format: { type: 'digits', min: 6 } },
  },
};

const folder = mkdtempSync(join(tmpdir(), 'trefoil-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'in.csv'), 'a,e\nx,1\n');
writeFileSync(join(folder, 'bare.csv'), 'x,1\n');
let outputs = 0;

const verbs = (
  name: string,
  of: object,
  args: Readonly<Record<string, () => readonly unknown[]>>,
  refuses = '',
): Call[] => {
  // A verb without arguments in this table is a mistake, as is an export without a row.
  expect(Object.keys(of).sort()).toEqual(Object.keys(args).sort());
  return Object.entries(args).map(([verb, make]) => ({
    name: `${name}.${verb}`,
    fn: (of as Record<string, Fn>)[verb]!,
    args: make,
    refuses: verb === refuses,
  }));
};
const two = (value: unknown) => ({ protect: () => [value], protectMany: () => [[value, value]] });
const four = (value: unknown, back: unknown) => ({ ...two(value), reveal: () => [back], revealMany: () => [[back]] });
/** The same for rules whose values are looked up under every key. */
const five = (value: unknown, back: unknown) => ({ ...four(value, back), candidates: () => [value] });
/** Two epochs of one lineage: the tokens of the first are renewed to the second. */
const FIRST = addDomain(addKey(keyset.generate()), 'b', { of: 'eu' });
const SECOND = promoteKey(FIRST, FIRST.ids[1]!);
const EPOCHS = [FIRST, SECOND].map((set) => set.domain('eu'));
/** A rule under the second key, and a token of the first. */
const renewed = (options: TokenOptions) => {
  const rule = token(options);
  return { rule, verbs: rule.bind(EPOCHS[1]!), made: rule.bind(EPOCHS[0]!).protect('x') };
};
const tokenVerbs = (made: unknown) => ({
  ...two('x'),
  matches: () => ['x', made],
  candidates: () => ['x'],
  renew: () => [made, { from: EPOCHS[0]!.keyId }],
  renewMany: () => [[made, made], { from: EPOCHS[0]!.keyId }],
});
const LABELLED = renewed({ scope: 'a', label: 'x' });
const UUIDS = renewed({ scope: 'a', form: 'uuid' });
const PROJECTION = projectTokens(LABELLED.rule, { from: EPOCHS[0]!, to: SECOND.domain('b') });
const rules = {
  token: token({ scope: 'a' }),
  seal: seal({ scope: 'a' }),
  fpe: fpe({ scope: 'a', format: text('abcdefghij') }),
};
const binds = (name: keyof typeof rules): Call => ({
  name: `${name}.bind`,
  fn: rules[name].bind as Fn,
  args: () => [pinned, revealAccess],
});

const stream = (make: (...args: never[]) => TransformStream): Fn =>
  (async (chunk: unknown, ...args: never[]) => {
    const transform = make(...args);
    const writer = transform.writable.getWriter();
    const done = (async () => {
      const reader = transform.readable.getReader();
      while (!(await reader.read()).done);
    })();
    const wrote = (async () => {
      await writer.write(chunk);
      await writer.close();
    })();
    const ends = await Promise.allSettled([wrote, done, writer.closed]);
    // After `limit` records the writable side is closed, which is the writer's error and not ours.
    const failed = ends.find((end) => end.status === 'rejected' && end.reason?.code !== 'ERR_INVALID_STATE');
    if (failed?.status === 'rejected') throw failed.reason;
  }) as Fn;

/** `null` if the value is not a function. */
type Row = (fn: Fn) => readonly Call[] | null | Promise<readonly Call[]>;
const call =
  (args: () => readonly unknown[], more: Partial<Call> = {}): Row =>
  (fn) => [{ name: fn.name, fn, args, ...more }];
const value: Row = () => null;
const step = (text: string): Row => call(() => [text]);

/** A format: its constructor, its verbs that are not enumerable, and a rule with it. */
const formatRow =
  (args: () => readonly unknown[], example: string): Row =>
  (fn) => {
    const format = (fn as (...args: readonly unknown[]) => Format)(...args());
    const hidden = Object.getOwnPropertyNames(format).filter((name) => !Object.keys(format).includes(name));
    expect(hidden.sort()).toEqual(['rank', 'size', 'strength', 'test', 'unrank']);
    const { type } = format;
    const rule = fpe({ scope: 'a', format, allowCodebook: 'x' }).bind(pinned, revealAccess);
    const out = rule.protect(example);
    return [
      { name: type, fn, args },
      { name: `${type}.test`, fn: format.test as Fn, args: () => [example] },
      { name: `${type}.rank`, fn: format.rank as Fn, args: () => [example] },
      { name: `${type}.unrank`, fn: format.unrank as Fn, args: () => [1, example] },
      { name: `${type}.unrank of a bigint`, fn: format.unrank as Fn, args: () => [1n] },
      { name: `${type}.strength`, fn: format.strength as Fn, args: () => [] },
      ...verbs(`fpe of ${type}`, rule, five(example, out)),
    ];
  };

const WRAPPED_KEY = new Uint8Array(16);
const CONTEXT = { trefoil: 'keyset', name: 'a', region: 'eu' };
const IDENTITY = await age.generateIdentity();
const RECIPIENT = await age.identityToRecipient(IDENTITY);
const sealedFile = await sealKeyFile(keysetJson(testRoot('hostile')), { age, recipients: [RECIPIENT] });
const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1';

/** A server of Vault that always answers with the same ciphertext and key. */
const answer = async () =>
  new Response(JSON.stringify({ data: { ciphertext: `vault:v1:${'A'.repeat(40)}`, plaintext: btoa('0'.repeat(16)) } }));

/** A maker of key wrappers, and the verbs of what it makes. */
const wrapperRow =
  (args: () => readonly unknown[], wrapped: string): Row =>
  (fn) => {
    const { wrap, unwrap } = (fn as unknown as (...args: readonly unknown[]) => KeyWrapper)(...args());
    const call = { signal: new AbortController().signal };
    const bytes = new TextEncoder().encode(wrapped);
    return [
      { name: fn.name, fn, args },
      { name: `${fn.name}.wrap`, fn: wrap as Fn, args: () => [WRAPPED_KEY, { ...CONTEXT }, { ...call }] },
      { name: `${fn.name}.unwrap`, fn: unwrap as Fn, args: () => [bytes, { ...CONTEXT }, { ...call }] },
    ];
  };

const SPLIT = await splitIdentity({ age, shamir, shares: 3, threshold: 2 });

const CUSTODY: Readonly<Record<string, Row>> = {
  sealKeyFile: call(() => [keysetJson(testRoot('hostile')), { age, recipients: [RECIPIENT], timeout: 100 }]),
  openKeyFile: call(() => [sealedFile, { age, identities: [IDENTITY], timeout: 100 }]),
  contextBytes: call(() => [{ ...CONTEXT }]),
  splitIdentity: call(() => [{ age, shamir, shares: 3, threshold: 2, present: ['Ada'] }]),
  combineShares: call(() => [[...SPLIT.shares], { age, shamir, ceremony: { ...SPLIT.ceremony } }]),
  checkShare: call(() => [SPLIT.shares[0], { ...SPLIT.ceremony }]),
  vaultTransit: wrapperRow(
    () => [{ address: 'https://v.example', key: 'k', token: 't', mount: 'm', namespace: 'n', fetch: answer }],
    `vault:v1:${'A'.repeat(40)}`,
  ),
  awsKms: wrapperRow(
    () => [
      {
        client: {
          encrypt: async () => ({ KeyId: ARN, CiphertextBlob: WRAPPED_KEY }),
          decrypt: async () => ({ KeyId: ARN, Plaintext: WRAPPED_KEY }),
        },
        keyId: ARN,
      },
    ],
    'x',
  ),
};

const NOTE_KEY = newNoteKey('anna.example');
const NOTE = await signNote('text\n', [noteSigner(NOTE_KEY.privateKey)]);
const COSIGNER_KEY = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
const CHECKPOINT = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';

/** A maker of signers, and the verb of what it makes. */
const signerRow =
  (args: () => readonly [string, ...object[]], text: string): Row =>
  (fn) => {
    const { sign } = (fn as unknown as (...args: readonly unknown[]) => Signer)(...args());
    return [
      { name: fn.name, fn, args },
      { name: `${fn.name}.sign`, fn: sign as Fn, args: () => [new TextEncoder().encode(text)] },
    ];
  };

const WARRANT = madeWarrant();
const WARRANT_NOTE = await signedText(WARRANT.text, ['chris', 'anna']);
const REFUSAL = writeRefusal({ warrant: '0'.repeat(64), officer: 'anna', at: NOW, why: 'The ticket was closed.' }).text;
const RATIFICATION = writeRatification({
  warrant: '0'.repeat(64),
  uses: [{ index: 1, sha256: '1'.repeat(64) }],
  why: 'An ambulance was on its way.',
}).text;
const CLOCK = writeClock({ domain: 'eu-enclave', at: NOW, why: 'The gateway was off for two days.' }).text;
const WARRANT_OPTIONS = () => ({
  charter: WARRANT_CHARTER,
  dossier: WARRANT.dossier,
  now: NOW,
  extra: [{ count: 1, role: 'approver' }],
});
const ABOUT = () => ({ charter: WARRANT_CHARTER, warrant: { ...parseWarrant(WARRANT.text) } });
const SIGNING = () => ({ charter: WARRANT_CHARTER, signer: { ...SIGNERS.bela! } });

const WARRANTS: Readonly<Record<string, Row>> = {
  newWarrant: call(() => [
    { ...REQUEST },
    { charter: WARRANT_CHARTER, now: NOW, random: (n: number) => new Uint8Array(n) },
  ]),
  parseWarrant: call(() => [WARRANT.text]),
  parseDossier: call(() => [WARRANT.dossier]),
  writeDossier: call(() => [JSON.parse(WARRANT.dossier)]),
  parseRefusal: call(() => [REFUSAL]),
  writeRefusal: call(() => [{ warrant: '0'.repeat(64), officer: 'anna', at: NOW, why: 'The ticket was closed.' }]),
  parseRatification: call(() => [RATIFICATION]),
  writeRatification: call(() => [
    { warrant: '0'.repeat(64), uses: [{ index: 1, sha256: '1'.repeat(64) }], why: 'An ambulance was on its way.' },
  ]),
  parseClock: call(() => [CLOCK]),
  writeClock: call(() => [{ domain: 'eu-enclave', at: NOW, why: 'The gateway was off for two days.' }]),
  verifyWarrant: call(() => [WARRANT_NOTE, WARRANT_OPTIONS()], { refuses: true }),
  warrantInWords: call(() => [WARRANT_NOTE, { charter: WARRANT_CHARTER, dossier: WARRANT.dossier, extra: [] }]),
  signWarrant: call(() => [WARRANT_NOTE, { ...SIGNING(), dossier: WARRANT.dossier, now: NOW }]),
  signRefusal: call(() => [REFUSAL, { ...ABOUT(), ...SIGNING() }], { refuses: true }),
  signRatification: call(() => [RATIFICATION, { ...ABOUT(), ...SIGNING() }], { refuses: true }),
  verifyRefusal: call(() => [REFUSAL, ABOUT()], { refuses: true }),
  verifyRatification: call(() => [RATIFICATION, ABOUT()], { refuses: true }),
  verifyClock: call(() => [CLOCK, { charter: WARRANT_CHARTER }], { refuses: true }),
};

const LEAF = new Uint8Array(32);
const TRUST = parseLogPolicy(`log ${NOTE_KEY.verifierKey}\nquorum none\n`);
const ANNAS = await signNote(CHECKPOINT.replace('log.example', 'anna.example'), [noteSigner(NOTE_KEY.privateKey)]);
const ONE_ENTRY = await signNote(
  writeCheckpoint({ origin: 'anna.example', size: 1, root: leafHash(new Uint8Array(1)) }),
  [noteSigner(NOTE_KEY.privateKey)],
);
const TLOG_PROOF = writeLogProof({ index: 0, hashes: [], checkpoint: ONE_ENTRY, extra: null });
const SEEN = {
  trefoil: 'seen-v1',
  origin: 'anna.example',
  size: 0,
  root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  edge: [],
  at: null,
  checkpoint: ANNAS,
  cosigned: [],
  open: [],
};
const logSource = {
  read: async (path: string) => (path === 'checkpoint' ? new TextEncoder().encode(ANNAS) : null),
};
const readLeaves = (nodes: readonly unknown[]) => nodes.map(() => LEAF);

const TREE: Readonly<Record<string, Row>> = {
  leafHash: call(() => [new Uint8Array(3)]),
  nodeHash: call(() => [LEAF, LEAF]),
  parseCheckpoint: call(() => [CHECKPOINT]),
  writeCheckpoint: call(() => [{ origin: 'log.example', size: 1, root: LEAF, extensions: ['x'] }]),
  tilePath: call(() => [0, 1, 256]),
  bundleBytes: call(() => [[new Uint8Array(3)]]),
  parseBundle: call(() => [Uint8Array.of(0, 1, 7), 1]),
  treeEdge: (fn) => [
    { name: 'treeEdge', fn, args: () => [{ size: 1, partial: [LEAF] }] },
    { name: 'treeEdge.append', fn: treeEdge().append as Fn, args: () => [LEAF] },
  ],
  inclusionProof: call(() => [readLeaves, 0, 2]),
  consistencyProof: call(() => [readLeaves, 1, 2]),
  checkInclusion: call(() => [LEAF, 0, 2, LEAF, [LEAF]]),
  checkConsistency: call(() => [1, 2, LEAF, LEAF, [LEAF]]),
  hashesOf: call(() => [{ ...logSource }, 1]),
  logAt: (fn) => {
    const options = { fetch: async () => new Response('x'), timeout: 100 };
    const { read } = logAt('https://log.example/', options);
    return [
      { name: 'logAt', fn, args: () => ['https://log.example/', { ...options }] },
      { name: 'logAt.read', fn: read as Fn, args: () => ['checkpoint', 10] },
      {
        name: 'logAt.read of an answer',
        fn: ((answer: never) => logAt('https://log.example/', { fetch: async () => answer }).read('x', 9)) as Fn,
        args: () => [new Response('x')],
      },
    ];
  },
  parseLogPolicy: call(() => [`log ${NOTE_KEY.verifierKey}\nquorum none\n`]),
  openCheckpoint: call(() => [ANNAS, TRUST]),
  parseLogProof: call(() => [TLOG_PROOF]),
  writeLogProof: call(() => [{ index: 0, hashes: [LEAF], checkpoint: ONE_ENTRY, extra: LEAF }]),
  checkProof: call(() => [TLOG_PROOF, new Uint8Array(1), TRUST]),
  parseSeen: (fn) => [
    { name: 'parseSeen', fn, args: () => [JSON.stringify(SEEN)] },
    { name: 'parseSeen of JSON', fn: ((inner: unknown) => parseSeen(asJson(inner))) as Fn, args: () => [{ ...SEEN }] },
  ],
  verifyLog: (fn) => [
    {
      name: 'verifyLog',
      fn,
      args: () => [
        { ...logSource },
        {
          policy: TRUST,
          seen: { ...SEEN },
          entries: 'log-v1',
          entry: () => {},
          tiles: 'all',
          kept: { ...logSource },
          ask: null,
          fetch: async () => new Response('x'),
          timeout: 100,
          patience: 0,
        },
      ],
    },
    {
      name: 'verifyLog of an answer',
      fn: ((bytes: never) => verifyLog({ read: async () => bytes }, { policy: TRUST })) as Fn,
      args: () => [new TextEncoder().encode(ANNAS)],
    },
  ],
};

/** A charter and its note, without witnesses and with one keeper. */
const CHARTER_TEXT =
  'trefoil charter v1\nversion 1\ndomain eu-enclave\n' +
  `log ${newNoteKey('log.example').verifierKey}\nquorum none\nofficer eva keeper note ${NOTE_KEY.verifierKey}\nchange 1:keeper\n`;
const CHARTER = parseCharter(CHARTER_TEXT);
const CHARTER_NOTE = await signNote(CHARTER_TEXT, [noteSigner(NOTE_KEY.privateKey)]);

const CHARTERS: Readonly<Record<string, Row>> = {
  parseCharter: call(() => [CHARTER_NOTE]),
  openCharter: (fn) => [
    { name: 'openCharter', fn, args: () => [CHARTER_NOTE, { sha256: CHARTER.sha256 }] },
    { name: 'openCharter after another', fn, args: () => [CHARTER_NOTE, { previous: CHARTER }], refuses: true },
  ],
  checkCharter: call(() => [CHARTER, { spaces: [{ scope: 'fpe:x', size: 10n }] }]),
  charterChanges: call(() => [CHARTER, CHARTER]),
};

/** Governed keys over a sequencer that has a charter and writes nothing. */
const ACCESS: Readonly<Record<string, Row>> = {
  openSequencer: call(() => [
    {
      verifierKey: CHARTER.log.text,
      entries: async function* () {},
      append: async () => ({ index: 0, checkpoint: '', entry: new Uint8Array(1) }),
      cosigned: async () => '',
    },
    {
      firstCharter: CHARTER.sha256,
      charter: CHARTER_NOTE,
      sealer: { ...subjectSealer(new Uint8Array(32)) },
      host: 'gateway-1',
      now: () => 1,
      random: (length: number) => new Uint8Array(length),
      patience: 1,
    },
  ]),
  parseProtected: call(() => [writeProtected(['0123456789abcdef'])]),
  writeProtected: call(() => [['0123456789abcdef'], { random: (length: number) => new Uint8Array(length) }]),
  subjectPseudonyms: (fn) => {
    const person = keyset.generate().domain('eu-enclave');
    const made = token({ scope: 'person', label: 'cust' }).bind(person).protect('4711');
    return [
      { name: fn.name, fn, args: () => [person, 'person', { fromKey: person.keyId }] },
      { name: 'subjectPseudonyms()', fn: subjectPseudonyms(person, 'person') as Fn, args: () => [made] },
    ];
  },
  govern: call(() => [
    keyset.generate().domain('eu-enclave'),
    {
      sequencer: { charter: () => CHARTER, admit: async () => {}, use: async () => ({}), deny: () => {} },
      protectedPeople: { sha256: CHARTER.sha256, size: 0, has: () => false },
      now: () => 0,
      random: (length: number) => new Uint8Array(length),
    },
  ]),
  warrantAccess: call(() => [CHARTER_NOTE, { dossier: '{}', desk: { ...noteSigner(NOTE_KEY.privateKey) } }]),
};

const LOGGED = [writeEntry({ kind: 'charter', note: CHARTER_NOTE }, 1_796_126_400)];
const REPORTED = () => ({
  firstCharter: CHARTER.sha256,
  openSubject: subjectSealer(LEAF).open,
  from: 1_796_000_000,
  to: 1_797_000_000,
  now: 1_796_200_000,
});
const STATE = () => ({
  origin: 'log.example',
  size: 1,
  cosigned: [{ name: 'NCC', time: 1_796_126_400, size: 1 }],
  silent: ['DPA'],
  witnessed: 1,
});
const EXTRACTED = () => ({
  pseudonyms: ['0123456789abcdef'],
  openSubject: subjectSealer(LEAF).open,
  firstCharter: CHARTER.sha256,
  now: 1_796_200_000,
});

const REPORTS: Readonly<Record<string, Row>> = {
  reportOf: call(() => [[...LOGGED], REPORTED(), STATE()]),
  reportBuilder: (fn) => {
    const { add, finish } = reportBuilder(REPORTED());
    add(0, LOGGED[0]!);
    return [
      { name: fn.name, fn, args: () => [REPORTED()] },
      { name: `${fn.name}.add`, fn: reportBuilder({}).add as Fn, args: () => [0, LOGGED[0]!] },
      { name: `${fn.name}.finish`, fn: finish as Fn, args: () => [STATE()] },
    ];
  },
  reportText: call(() => [reportOf(LOGGED, REPORTED())]),
  extractBuilder: (fn) => [
    { name: fn.name, fn, args: () => [EXTRACTED()] },
    { name: `${fn.name}.add`, fn: extractBuilder(EXTRACTED()).add as Fn, args: () => [0, LOGGED[0]!] },
  ],
  drawSample: (fn) => [
    { name: fn.name, fn, args: () => [new Uint8Array(32), new Uint8Array(32), 2] },
    { name: `${fn.name}.see`, fn: drawSample(new Uint8Array(32), new Uint8Array(32), 2).see as Fn, args: () => [7] },
  ],
};

/** A folder for a log, which is made by `openLog`. */
const newLogFolder = () => {
  const at = mkdtempSync(join(folder, 'log-'));
  return logFolder(join(at, 'log'), { head: join(at, 'head'), sync: false });
};
const USE = {
  kind: 'use',
  warrant: 'ab'.repeat(32),
  n: 1,
  scopes: { 'seal:person.name': 1 },
  subjects: [subjectSealer(LEAF).seal('0123456789abcdef')],
  bound: true,
  request: 'ab'.repeat(32),
  commit: 'ab'.repeat(32),
};

const WRITER: Readonly<Record<string, Row>> = {
  writeEntry: call(() => [{ ...USE }, 1_796_126_400]),
  readEntry: (fn) => [
    { name: 'readEntry', fn, args: () => [new TextEncoder().encode('{"trefoil":"log-v1","kind":"beat","at":1}')] },
    {
      name: 'readEntry of JSON',
      fn: ((entry: unknown) => readEntry(new TextEncoder().encode(asJson(entry)))) as Fn,
      args: () => [{ trefoil: 'log-v1', kind: 'done', at: 1, entry: 0, opened: 1, failed: 0, refused: 0 }],
    },
  ],
  entryReader: (fn) => [
    {
      name: 'entryReader',
      fn: ((...args: never[]) => (fn() as (...args: never[]) => unknown)(...args)) as Fn,
      args: () => [0, new TextEncoder().encode('{"trefoil":"log-v1","kind":"beat","at":1}')],
    },
  ],
  commitment: call(() => [{ rows: [1] }, { random: (length: number) => new Uint8Array(length) }]),
  checkOpening: (fn) => {
    const { commit, opening } = commitment({ rows: [1] });
    return [
      { name: 'checkOpening', fn, args: () => [commit, opening] },
      { name: 'checkOpening of an entry', fn, args: () => [{ commit }, opening] },
    ];
  },
  subjectSealer: (fn) => {
    const { seal: sealSubject, open } = subjectSealer(LEAF);
    return [
      { name: 'subjectSealer', fn, args: () => [LEAF, { random: (length: number) => new Uint8Array(length) }] },
      { name: 'subjectSealer.seal', fn: sealSubject as Fn, args: () => ['0123456789abcdef'] },
      { name: 'subjectSealer.open', fn: open as Fn, args: () => [sealSubject('0123456789abcdef')] },
    ];
  },
  openLog: async (fn) => {
    const open = fn as unknown as typeof openLog;
    const signer = noteSigner(NOTE_KEY.privateKey);
    const log = await open(newLogFolder(), { signer, create: true, now: () => 1 });
    const { commit, opening } = commitment({});
    await log.append({ kind: 'erase', commit }, { opening });
    return [
      {
        name: 'openLog',
        fn: (async (...args: never[]) =>
          (await (open as Fn as (...args: never[]) => Promise<Log>)(...args)).close()) as Fn,
        args: () => [
          newLogFolder(),
          {
            signer: { ...signer },
            create: true,
            entries: 'bytes',
            witnesses: { ...TRUST },
            fetch: async () => new Response('x'),
            now: () => 1,
            random: (length: number) => new Uint8Array(length),
          },
        ],
      },
      { name: 'openLog.append', fn: log.append as Fn, args: () => [{ kind: 'erase', commit }, { opening }] },
      { name: 'openLog.prove', fn: log.prove as Fn, args: () => [0] },
      { name: 'openLog.cosigned', fn: log.cosigned as Fn, args: () => [0, 0], refuses: true },
      { name: 'openLog.opening', fn: log.opening as Fn, args: () => [0] },
      { name: 'openLog.destroyOpening', fn: log.destroyOpening as Fn, args: () => [0] },
    ];
  },
};

/** A witness that answers everything with 404. */
const placeOfWitness = () => ({ name: 'W', verifier: verifierKey(COSIGNER_KEY.verifierKey), url: 'http://w.example' });
const callWitness = () => ({ fetch: async () => new Response('', { status: 404 }), timeout: 100 });

const WITNESS: Readonly<Record<string, Row>> = {
  cosign: call(
    () => [
      ANNAS,
      0,
      () => [LEAF],
      placeOfWitness(),
      { ...callWitness(), log: verifierKey(NOTE_KEY.verifierKey), signal: new AbortController().signal },
    ],
    { refuses: true, echoes: true },
  ),
  latestOf: call(() => [placeOfWitness(), verifierKey(NOTE_KEY.verifierKey), callWitness()]),
  witness: call(() => [
    {
      signer: { ...cosigner(COSIGNER_KEY.privateKey) },
      state: { ...witnessMemory() },
      logs: [verifierKey(NOTE_KEY.verifierKey)],
      prefix: '/w',
      report: () => {},
    },
  ]),
  witnessMemory: (fn) => {
    const { latest, replace } = witnessMemory();
    return [
      { name: 'witnessMemory', fn, args: () => [] },
      { name: 'witnessMemory.latest', fn: latest as Fn, args: () => ['log.example'] },
      { name: 'witnessMemory.replace', fn: replace as Fn, args: () => ['log.example', null, 'text'] },
    ];
  },
};

const LOG: Readonly<Record<string, Row>> = {
  ...TREE,
  ...WRITER,
  ...WITNESS,
  verifierKey: call(() => [NOTE_KEY.verifierKey]),
  newNoteKey: call(() => [
    'anna.example',
    { algorithm: 'ed25519', random: (length: number) => new Uint8Array(length) },
  ]),
  noteSigner: signerRow(() => [NOTE_KEY.privateKey], 'text\n'),
  cosigner: signerRow(() => [COSIGNER_KEY.privateKey, { now: () => 1000 }], CHECKPOINT),
  parseNote: call(() => [NOTE]),
  openNote: call(() => [NOTE, [verifierKey(NOTE_KEY.verifierKey)]]),
  signNote: call(() => ['text\n', [{ ...noteSigner(NOTE_KEY.privateKey) }]]),
};

const CLOCK_TEXT = 'trefoil clock v1\ndomain eu\n';
const SSH_KEY = privateKey('ssh-ed25519');
const SSH_LINE = SSH_KEY.line;
const SSH_SIGNATURE = Uint8Array.from(sshsig(SSH_KEY, CLOCK_TEXT, 'clock@trefoil'));
const signs = (fn: Fn, signer: PartySigner): Call => ({
  name: `${fn.name}.sign`,
  fn: signer.sign as Fn,
  args: () => [CLOCK_TEXT, 'clock@trefoil'],
});

const GOVERN: Readonly<Record<string, Row>> = {
  notePartySigner: (fn) => [
    { name: fn.name, fn, args: () => [NOTE_KEY.privateKey] },
    signs(fn, notePartySigner(NOTE_KEY.privateKey)),
  ],
  sshPartySigner: (fn) => [
    { name: fn.name, fn, args: () => ['anna', SSH_LINE, async () => SSH_SIGNATURE] },
    signs(
      fn,
      sshPartySigner('anna', SSH_LINE, async () => SSH_SIGNATURE),
    ),
    {
      name: 'sshPartySigner.sign with an answer',
      fn: (async (answer: never) =>
        sshPartySigner('anna', SSH_LINE, async () => answer).sign(CLOCK_TEXT, 'clock@trefoil')) as Fn,
      args: () => [SSH_SIGNATURE],
    },
  ],
  sshKey: call(() => [SSH_LINE, { touch: false, verified: false }]),
  addSignature: call(() => [CLOCK_TEXT, NOTE.split('\n').at(-2)]),
};

const KEY32 = Uint8Array.from({ length: 32 }, (_, i) => i);

/** A cipher of addresses to addresses. */
const addressRow = (fn: Fn, name: string, made: object, key: number): readonly Call[] => [
  { name, fn, args: () => [KEY32.slice(0, key), { keepSpecial: true }] },
  ...verbs(name, made, {
    encrypt: () => ['192.0.2.1'],
    decrypt: () => ['2001:db8::1'],
    encryptMany: () => [['192.0.2.1', '2001:db8::1']],
    decryptMany: () => [['2001:db8::1', '192.0.2.1']],
    encryptBytes: () => [new Uint8Array(4)],
    decryptBytes: () => [new Uint8Array(16)],
  }),
];

/** A cipher of addresses to more than addresses. */
const tweakedRow = (fn: Fn, name: string, made: object, key: number, tweak: number): readonly Call[] => [
  { name, fn, args: () => [KEY32.slice(0, key)] },
  ...verbs(name, made, {
    encrypt: () => ['192.0.2.1', new Uint8Array(tweak)],
    decrypt: () => ['0'.repeat(2 * (tweak + 16))],
    encryptMany: () => [['192.0.2.1', '2001:db8::1']],
    decryptMany: () => [['0'.repeat(2 * (tweak + 16))]],
    encryptToBytes: () => ['192.0.2.1', new Uint8Array(tweak)],
    decryptFromBytes: () => [new Uint8Array(tweak + 16)],
  }),
];

const RULES: Readonly<Record<string, Row>> = {
  token: (fn) => [
    {
      name: 'token',
      fn,
      args: () => [
        {
          scope: 'a',
          read: readDate('DD.MM.YYYY'),
          prepare: [trim],
          form: 'labelled',
          label: 'x',
          onToken: 'error',
          missing: [''],
          optional: true,
          why: 'x',
        },
      ],
    },
    {
      name: 'token of another form',
      fn,
      args: () => [{ scope: 'a', form: 'hex', length: 20, population: 9, maxCollisionProbability: 0.1, prf: 'blake3' }],
    },
    {
      name: 'token.protectMany of UTF-8',
      fn: tokens.protectMany as Fn,
      args: () => [{ ...utf8Column(['x', null]) }],
    },
    binds('token'),
    ...verbs('token', LABELLED.verbs, tokenVerbs(LABELLED.made)),
    ...verbs('uuid token', UUIDS.verbs, tokenVerbs(UUIDS.made)),
    ...verbs('token with a key of its own', tokens, {
      ...two('x'),
      matches: () => ['x', tokens.protect('x')],
      candidates: () => ['x'],
      renew: () => [null, { from: EPOCHS[0]!.keyId }],
      renewMany: () => [[null], {}],
    }).filter(({ name }) => !/renew/.test(name)),
  ],
  projectTokens: (fn) => [
    { name: 'projectTokens', fn, args: () => [LABELLED.rule, { from: EPOCHS[0]!, to: SECOND.domain('b') }] },
    ...verbs('projection', PROJECTION, {
      project: () => [LABELLED.made, { from: EPOCHS[0]!.keyId }],
      projectMany: () => [[LABELLED.made, null], { from: EPOCHS[0]!.keyId }],
    }),
  ],
  seal: (fn) => [
    { name: 'seal', fn, args: () => [{ scope: 'a', value: 'text', missing: [''], optional: true, why: 'x' }] },
    binds('seal'),
    ...verbs('seal', seals, five('x', sealed)),
    ...verbs('integer seal', integers, five(1, integers.protect(1))),
  ],
  fpe: (fn) => [
    { name: 'fpe', fn, args: () => [{ scope: 'a', format: digits(), missing: [''], optional: true, why: 'x' }] },
    {
      name: 'fpe of few values',
      fn,
      args: () => [{ scope: 'a', format: enumOf(['a', 'b']), allowCodebook: 'two, and everybody knows' }],
    },
    binds('fpe'),
    ...verbs('fpe', fpes, five(CARD, CARD)),
    ...verbs('pattern fpe', patterns, five('K013377', 'K013377')),
  ],
  keep: value,
  drop: value,
  constant: call(() => [{ value: 1, optional: true, why: 'x' }]),
  mask: call(() => [{ first: 1, last: 1, with: '*', optional: true, why: 'x' }]),
  coarsen: (fn) =>
    [
      { date: 'year', read: readDate('YYYYMMDD') },
      { number: 10, min: 20, max: 90 },
      { prefix: 2, merge: { '00': ['03', '05'] } },
      { ip: { v4: 24, v6: 48 } },
    ].map((bucket) => ({
      name: 'coarsen',
      fn,
      args: () => [{ ...bucket, optional: true, why: 'x' }],
    })),
  shiftDate: (fn) => {
    const bound = shiftDate({ scope: 'a', subject: 'b', days: 30, prepareSubject: trim }).bind(keys);
    const epochs = shiftDate({ scope: 'a', subject: 'b', days: 30, read: readEpoch('seconds') }).bind(keys);
    return [
      {
        name: 'shiftDate',
        fn,
        args: () => [{ scope: 'a', subject: 'b', days: 30, prepareSubject: trim, optional: true, why: 'x' }],
      },
      { name: 'shiftDate.protect', fn: bound.protect as Fn, args: () => ['2024-02-29', { subject: 'x' }] },
      { name: 'shiftDate.protect, read', fn: epochs.protect as Fn, args: () => [1_711_872_900, { subject: 'x' }] },
      { name: 'shiftDate.protectMany', fn: bound.protectMany as Fn, args: () => [['2024-02-29'], { subjects: ['x'] }] },
    ];
  },
  optional: call(() => [keep]),
  mark: call(() => [keep, { optional: true, role: 'other', missing: ['-'], why: 'x' }]),
};

/** The vault rule, and its verbs over a store in memory. */
const VAULT: Row = async (fn) => {
  const options = { scope: 'a', store: 'm', label: 'x', ttl: 7, onErased: 'new' as const, why: 'x' };
  const open = await vault(options).open(keys, { m: memoryStore() }, revealAccess);
  const owned = await vault({ ...options, subject: 'id' }).open(keys, { m: memoryStore() }, revealAccess);
  const given = await open.protect('x');
  const drain = async (...args: unknown[]) => {
    let lines = '';
    for await (const line of open.export(...(args as []))) lines += line;
    return lines;
  };
  const lines = await drain();
  const parts = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const importing = vault(options).import;
  const line = (which: number) => ({
    name: `vault.import of line ${which + 1}`,
    fn: ((said: unknown) =>
      importing(keys, { m: memoryStore() }, [
        parts.map((part, i) => asJson(i === which ? said : part)).join('\n'),
      ])) as Fn,
    args: () => [parts[which]],
  });
  const swept = await vault(options).open(keys, { m: memoryStore() }, revealAccess);
  return [
    { name: 'vault', fn, args: () => [{ ...options, subject: 'id', missing: [], optional: true }] },
    {
      name: 'vault.open',
      fn: vault(options).open as Fn,
      args: () => [keys, { m: memoryStore() }, revealAccess],
    },
    { name: 'vault.protect', fn: open.protect as Fn, args: () => ['x'] },
    { name: 'vault.protect of a subject', fn: owned.protect as Fn, args: () => ['x', { subject: 's' }] },
    { name: 'vault.protectMany', fn: owned.protectMany as Fn, args: () => [['x'], { subjects: ['s'] }] },
    { name: 'vault.lookup', fn: open.lookup as Fn, args: () => ['x'] },
    { name: 'vault.exists', fn: open.exists as Fn, args: () => [given] },
    { name: 'vault.expire', fn: swept.expire as Fn, args: () => [0] },
    { name: 'vault.export', fn: drain as Fn, args: () => [{ onBroken: () => {} }] },
    {
      name: 'vault.import',
      fn: ((as: never, source: never) => importing(as, { m: memoryStore() }, source)) as Fn,
      args: () => [keys, [lines]],
    },
    ...[0, 1, parts.length - 1].map(line),
    { name: 'vault.verify', fn: open.verify as Fn, args: () => [{ tokens: [given] }] },
    { name: 'vault.rekey', fn: open.rekey as Fn, args: () => [{ tokens: [given] }] },
    { name: 'vault.reveal', fn: open.reveal as Fn, args: () => [given] },
    { name: 'vault.revealMany', fn: open.revealMany as Fn, args: () => [[given]] },
    { name: 'vault.forget', fn: owned.forget as Fn, args: () => [given], refuses: true },
    { name: 'vault.shred', fn: owned.shred as Fn, args: () => ['s'] },
  ];
};

const ROTATION: Readonly<Record<string, Row>> = {
  addDomain: call(() => [ring, 'b', { of: 'eu' }]),
  addKey: call(() => [ring, { newLineage: true, renewable: true }]),
  promoteKey: call(() => [FIRST, FIRST.ids[1]]),
  retireKey: call(() => [
    SECOND,
    FIRST.primary,
    { at: '2027-01-31', domains: ['eu'], keep: [{ domain: 'eu', path: [['kind', 'token']] }] },
  ]),
};

const KEYSET: Row = () => [
  { name: 'keyset.generate', fn: keyset.generate, args: () => [] },
  { name: 'keyset.parse', fn: keyset.parse, args: () => [keysetJson(testRoot('hostile'))] },
  {
    name: 'keyset.parse of JSON',
    fn: ((inner: unknown) => keyset.parse(asJson(inner))) as Fn,
    args: () => [JSON.parse(keysetJson(testRoot('hostile')))],
  },
  {
    name: 'keyset.parse of a key',
    fn: ((key: unknown) => keyset.parse(asJson({ version: 'keyset-v1', keys: [key] }))) as Fn,
    args: () => [JSON.parse(keysetJson(testRoot('hostile'))).keys[0]],
  },
  { name: 'keyset.domain', fn: ring.domain as Fn, args: () => ['eu', { keyCheck: { ...keys.keyCheck } }] },
  {
    name: 'keyset.domain with checks',
    fn: ((keyCheck: never) => ring.domain('eu', { keyCheck })) as Fn,
    args: () => [{ ...keys.keyCheck }],
  },
  { name: 'keyset.export', fn: ring.export as Fn, args: () => [secretAccess] },
];

function asJson(inner: unknown): string {
  try {
    return JSON.stringify(inner) ?? 'undefined';
  } catch {
    return '{';
  }
}

const owned = policy({ a: token({ scope: 'a', label: 'x' }), e: keep }, { domain: 'eu' });
const ofRecipient = policy({ a: token({ scope: 'a', label: 'x' }), e: keep }, { domain: 'b' });
const moves = { from: SECOND.domain('eu'), to: SECOND.domain('b'), as: ofRecipient };
const ours = owned.bind(SECOND.domain('eu')).protect({ a: 'x', e: 1 });

const POLICY: Readonly<Record<string, Row>> = {
  keyNeeds: call(() => [[owned], { verbs: ['protect'], rejects: true }]),
  narrow: call(() => [ring, [owned], { verbs: ['protect', 'reveal'], rejects: true }]),
  rekey: (fn) => [
    { name: 'rekey', fn, args: () => [owned, { from: EPOCHS[1], to: EPOCHS[1] }, revealAccess] },
    ...verbs('rekey', rekey(owned, { from: EPOCHS[1]!, to: EPOCHS[1]! }), {
      rekey: () => [ours],
      rekeyMany: () => [[ours], { onReject: () => {} }],
    }),
  ],
  project: (fn) => [
    { name: 'project', fn, args: () => [owned, moves, revealAccess] },
    ...verbs('project', project(owned, moves), {
      project: () => [ours],
      projectMany: () => [[ours], { onReject: () => {} }],
    }),
  ],
  policy: (fn) => [
    {
      name: 'policy',
      fn,
      args: () => [
        { a: keep, b: { c: token({ scope: 'a' }) } },
        { domain: 'eu', keyCheck: { ...keys.keyCheck }, unnamed: 'drop' },
      ],
      places: true,
    },
    { name: 'policy.bind', fn: sheet.bind as Fn, args: () => [pinned, revealAccess] },
    {
      name: 'policy.protect of a field',
      fn: ((fields: object) => bound.protect({ ...row, ...fields } as never)) as Fn,
      args: () => [{ ...row }],
    },
    {
      name: 'policy.reveal of a field',
      fn: ((fields: object) => bound.reveal({ ...bound.protect(row), ...fields } as never)) as Fn,
      args: () => [{ ...bound.protect(row) }],
    },
    ...verbs(
      'policy',
      bound,
      {
        protect: () => [{ ...row }],
        protectMany: () => [[{ ...row }], { onReject: () => {} }],
        protectColumns: () => [{ a: ['x'], e: [1] }],
        reveal: () => [{ ...bound.protect(row) }],
        revealMany: () => [[{ ...bound.protect(row) }], { onReject: () => {} }],
      },
      'protectColumns',
    ),
    {
      name: 'policy.protectMany, nothing rejected',
      fn: bound.protectMany as Fn,
      args: () => [[{ ...row }, { ...row }]],
    },
    {
      name: 'policy.protectColumns of a flat policy',
      fn: flat.bind(keys).protectColumns as Fn,
      args: () => [{ a: ['x'], e: [1] }],
    },
    {
      name: 'policy.protectColumns of UTF-8',
      fn: flat.bind(keys).protectColumns as Fn,
      args: () => [{ a: { ...utf8Column(['x']) }, e: Float64Array.of(1) }],
    },
  ],
  each: (fn) => [
    { name: 'each', fn, args: () => [keep] },
    {
      name: 'each in a policy',
      fn: ((inner: never) => policy({ a: each(inner) })) as Fn,
      args: () => [{ b: keep }],
      places: true,
    },
  ],
  parsePolicy: call(() => [file, () => ({ line: 1, column: 1 })], { places: true }),
  check: call(() => [file, () => ({ line: 1, column: 1 })], { places: true }),
  explain: call(() => [[sheet, sheet], { names: ['a', 'b'] }]),
};

/** Places inside a policy file, each a call, so that hostile values reach every depth. */
const FILE: readonly Call[] = [
  [
    'rule',
    (rule: unknown) => ({ ...file, fields: { a: rule } }),
    () => ({
      rule: 'token',
      scope: 'a',
      read: 'DD.MM.YYYY',
      prepare: 'trim',
      form: 'labelled',
      label: 'x',
      onToken: 'pass',
      missing: [''],
      optional: true,
      why: 'x',
    }),
  ],
  [
    'shiftDate',
    (rule: unknown) => ({ ...file, fields: { a: rule, b: 'keep' } }),
    () => ({ rule: 'shiftDate', scope: 'a', subject: 'b', days: 30, prepareSubject: ['trim'] }),
  ],
  [
    'coarsen',
    (rule: unknown) => ({ ...file, fields: { a: rule } }),
    () => ({ rule: 'coarsen', ip: { v4: 24, v6: 48 }, merge: { offices: ['192.0.2.0/24'] } }),
  ],
  [
    'format',
    (format: unknown) => ({ ...file, fields: { a: { rule: 'fpe', scope: 'a', format } } }),
    () => ({ type: 'card', clear: { first: 6 }, min: 13, max: 19 }),
  ],
  [
    'text',
    (format: unknown) => ({ ...file, fields: { a: { rule: 'fpe', scope: 'a', format } } }),
    () => ({ type: 'text', alphabet: 'abcdefghij', length: 9 }),
  ],
  [
    'pattern',
    (format: unknown) => ({ ...file, fields: { a: { rule: 'fpe', scope: 'a', format } } }),
    () => ({ type: 'pattern', pattern: 'A999999' }),
  ],
  ...(
    [
      { type: 'regex', regex: '[a-f]{2,9}' },
      { type: 'enumOf', values: ['a', 'b'] },
      { type: 'integer', min: 1, max: '99999' },
      { type: 'decimal', min: 1, max: '99999.5', places: 2 },
      { type: 'date', from: '1900-01-01', to: '2029-12-31' },
      { type: 'dateTime', from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' },
      { type: 'uuid' },
      { type: 'card', luhn: 'any', brands: ['visa'], clear: { first: 6, last: 4 }, length: 16 },
      { type: 'iban', countries: ['DE'] },
      { type: 'phone', min: 5 },
      { type: 'email', domain: 'hashed' },
      { type: 'ip', prefixPreserving: true },
      { type: 'ipv4', prefixPreserving: true },
      { type: 'ipv6', prefixPreserving: true },
      { type: 'caseKept', minSize: 1000 },
      { type: 'seq', parts: [{ type: 'clear', of: { type: 'digits', length: 3 } }, '-', { type: 'digits' }] },
      {
        type: 'oneOf',
        formats: [
          { type: 'digits', length: 8 },
          { type: 'clear', of: 'unknown' },
        ],
      },
    ] as const
  ).map((format) => [
    format.type,
    (made: unknown) => ({ ...file, fields: { a: { rule: 'fpe', scope: 'a', format: made, allowCodebook: 'x' } } }),
    () => format,
  ]),
  [
    'clear in a oneOf',
    (of: unknown) => {
      const format = {
        type: 'oneOf',
        formats: [
          { type: 'text', alphabet: '\u{1f600}\u{1f601}' },
          { type: 'clear', of },
        ],
      };
      return { ...file, fields: { a: { rule: 'fpe', scope: 'a', format } } };
    },
    () => ({ type: 'seq', parts: [{ type: 'clear', of: { type: 'digits', length: 3 } }, { type: 'digits' }] }),
  ],
  [
    'allowCodebook',
    (allowCodebook: unknown) => ({
      ...file,
      fields: { a: { rule: 'fpe', scope: 'a', format: { type: 'enumOf', values: ['a', 'b'] }, allowCodebook } },
    }),
    () => 'x',
  ],
  ['constant', (rule: unknown) => ({ ...file, fields: { a: rule } }), () => ({ rule: 'constant', value: 1 })],
  [
    'mask',
    (rule: unknown) => ({ ...file, fields: { a: rule } }),
    () => ({ rule: 'mask', first: 1, last: 1, with: '*' }),
  ],
  [
    'path',
    (path: unknown) => ({ ...file, fields: { [typeof path === 'string' ? path : 'a']: 'keep' } }),
    () => 'a.b[]',
  ],
].map(([name, wrap, args]) => ({
  name: `parsePolicy, ${name}`,
  fn: ((inner: unknown) => parsePolicy((wrap as (inner: unknown) => unknown)(inner))) as Fn,
  args: () => [(args as () => unknown)()],
  places: true,
}));

const readers = (name: 'Csv' | 'Ndjson' | 'Tsv'): Readonly<Record<string, Row>> => {
  const token = tokens.protect('x');
  const [text, safe] = {
    // Without a header line, because the options name the columns.
    Csv: ['x,1\n', `${token},1\n`],
    Ndjson: ['{"a":"x","e":1}\n', `{"a":"${token}","e":1}\n`],
    Tsv: ['x\t1\n', `${token}\t1\n`],
  }[name];
  const options = () => ({
    onProgress: () => {},
    onReject: () => {},
    onSample: () => {},
    batchSize: 10,
    maxRecord: 1000,
    limit: 10,
    ...(name === 'Csv' && { delimiter: ',', quoting: 'all' }),
    ...(name !== 'Ndjson' && { header: ['a', 'e'] }),
  });
  const flatKeys = () => flat.bind(pinned, revealAccess);
  const moving = () => rekey(owned, { from: EPOCHS[1]!, to: EPOCHS[1]! });
  const older = safe!.replace(token, LABELLED.made);
  return {
    [`rekey${name}`]: call(() => [[older], moving(), options()]),
    [`rekey${name}Stream`]: (fn) => [
      { name: fn.name, fn: stream(fn as never), args: () => [new TextEncoder().encode(older), moving(), options()] },
    ],
    [`protect${name}`]: call(() => [[text], flatKeys(), options()]),
    [`reveal${name}`]: call(() => [[safe], flatKeys(), options()]),
    [`protect${name}Stream`]: (fn) => [
      { name: fn.name, fn: stream(fn as never), args: () => [new TextEncoder().encode(text), flatKeys(), options()] },
    ],
    [`reveal${name}Stream`]: (fn) => [
      { name: fn.name, fn: stream(fn as never), args: () => [new TextEncoder().encode(safe), flatKeys(), options()] },
    ],
  };
};

const files: Row = call(
  () => [
    join(folder, 'bare.csv'),
    join(folder, `out-${outputs++}.csv`),
    flat.bind(pinned, revealAccess),
    {
      format: 'csv',
      header: ['a', 'e'],
      force: true,
      limit: 1,
      workers: 1,
      resume: false,
      maxRejects: '100%',
      inputCompression: 'none',
      outputCompression: 'none',
      onReject: () => {},
    },
  ],
  { places: true, files: [0, 1] },
);

const folders: Row = call(
  () => [[join(folder, 'in.csv')], join(folder, `out-${outputs++}`), flat.bind(pinned, revealAccess), { force: true }],
  { places: true, files: [0, 1] },
);

const kept = policy({ a: keep, e: keep });
const movedFile: Row = call(
  () => [
    join(folder, 'in.csv'),
    join(folder, `out-${outputs++}.csv`),
    rekey(kept, { from: keys, to: keys }),
    { force: true, workers: 1 },
  ],
  { places: true, files: [0, 1] },
);
const movedFolder: Row = call(
  () => [[join(folder, 'in.csv')], join(folder, `out-${outputs++}`), rekey(kept, { from: keys, to: keys }), {}],
  { places: true, files: [0, 1] },
);

const sealer = makeRejectSealer(openKeys(pinned), new Uint8Array(16));
writeFileSync(
  join(folder, 'rejects.ndjson'),
  sealer.head({ format: 'csv', delimiter: ',', newline: '\n' }, ['a', 'e']),
);
const rejects: Row = call(() => [join(folder, 'rejects.ndjson'), pinned, revealAccess], { places: true, files: [0] });

const TABLE: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  errors: {
    TrefoilError: () => [
      {
        name: 'new TrefoilError',
        fn: ((...args: unknown[]) => Reflect.construct(TrefoilError, args)) as Fn,
        args: () => [[{ code: 'wrong_type', message: 'x' }], 1],
        echoes: true,
      },
    ],
    formatIssue: call(() => [{ code: 'wrong_type', message: 'x', field: 'a', row: 1, line: 1, column: 1, file: 'x' }], {
      echoes: true,
    }),
    fail: call(() => ['wrong_type', 'x', { field: 'a' }], { echoes: true, refuses: true }),
    kindOf: call(() => ['wrong_type']),
    MAX_ISSUES: value,
  },
  format: {
    digits: formatRow(() => [{ min: 6, max: 9 }], '123456'),
    text: formatRow(() => ['abcdefghij', { length: 9 }], 'abcdefghi'),
    card: formatRow(
      () => [{ clear: { first: 6, last: 0 }, luhn: 'valid', brands: ['visa', 'mastercard'], min: 13, max: 19 }],
      CARD,
    ),
    pattern: formatRow(() => ['A999999'], 'K013377'),
    regex: formatRow(() => ['[A-Z]{1,2}[0-9]{6,7}'], 'K013377'),
    enumOf: formatRow(() => [['a', 'b', 'c']], 'b'),
    integer: formatRow(() => [{ min: 0, max: '4294967295' }], '42'),
    decimal: formatRow(() => [{ min: 0, max: '99999.99', places: 2 }], '12.50'),
    date: formatRow(() => [{ from: '1900-01-01', to: '2029-12-31' }], '2024-02-29'),
    dateTime: formatRow(() => [{ from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' }], '2024-02-29 12:30:00Z'),
    uuid: formatRow(() => [{}], '01890a5d-ac96-774b-bcce-b302099a8057'),
    iban: formatRow(() => [{ countries: ['DE', 'NO'] }], 'DE89 3704 0044 0532 0130 00'),
    phone: formatRow(() => [{ min: 7 }], '+44 20 7946 0958'),
    email: formatRow(() => [{ domain: 'enciphered' }], 'ada.lovelace@example.com'),
    ip: formatRow(() => [{ prefixPreserving: false }], '::ffff:192.0.2.1'),
    ipv4: formatRow(() => [{ prefixPreserving: false }], '192.0.2.1'),
    ipv6: formatRow(() => [{ prefixPreserving: true }], '2001:db8::1'),
    caseKept: formatRow(() => [{ minSize: 1000 }], 'Zoë O’Brien'),
    seq: formatRow(() => [clear(digits({ length: 3 })), '-', digits({ length: 7 })], '030-1234567'),
    oneOf: formatRow(() => [digits({ length: 8 }), pattern('AA999999'), clear('unknown')], 'AB123456'),
    clear: (fn) => [
      { name: 'clear', fn, args: () => [digits({ length: 3 })] },
      { name: 'clear of a text', fn, args: () => ['unknown'] },
      {
        name: 'clear in a seq',
        fn: ((of: never) => seq(clear(of), digits({ length: 7 }))) as Fn,
        args: () => [digits({ length: 3 })],
      },
    ],
  },
  ff1: {
    ff1: (fn) => [
      { name: 'ff1', fn, args: () => [new Uint8Array(16), 10, { minDomain: 100 }] },
      ...verbs('ff1', ff1(new Uint8Array(16), 10), {
        encrypt: () => [[1, 2, 3, 4, 5, 6], new Uint8Array(8)],
        decrypt: () => [[1, 2, 3, 4, 5, 6], new Uint8Array(8)],
        encryptMany: () => [
          [
            [1, 2, 3, 4, 5, 6],
            [1, 2, 3, 4, 5, 6, 7],
          ],
          [new Uint8Array(7), new Uint8Array(0)],
        ],
        decryptMany: () => [[Uint8Array.of(1, 2, 3, 4, 5, 6)], new Uint8Array(8)],
      }),
    ],
    ff1Text: (fn) => [
      { name: 'ff1Text', fn, args: () => [new Uint8Array(16), '0123456789', { minDomain: 100 }] },
      ...['0123456789', '\u{1f600}\u{1f601}0123456'].flatMap((symbols) =>
        verbs('ff1Text', ff1Text(new Uint8Array(16), symbols), {
          encrypt: () => ['0123456', new Uint8Array(8)],
          decrypt: () => ['0123456', new Uint8Array(8)],
          encryptMany: () => [
            ['0123456', '65432100'],
            [new Uint8Array(7), new Uint8Array(0)],
          ],
          decryptMany: () => [['0123456'], new Uint8Array(8)],
        }),
      ),
    ],
    alphabet: (fn) => [
      { name: 'alphabet', fn, args: () => ['0123456789abcdef'] },
      { name: 'alphabet.parse', fn: alphabet('0123456789').parse as Fn, args: () => ['0123'] },
      { name: 'alphabet.format', fn: alphabet('0123456789').format as Fn, args: () => [[0, 1, 2]] },
    ],
  },
  ff3: {
    ff3: (fn) => [
      { name: 'ff3', fn, args: () => [new Uint8Array(16), 10, { minDomain: 100 }] },
      ...verbs('ff3', ff3(new Uint8Array(16), 10), {
        decrypt: () => [[1, 2, 3, 4, 5, 6], new Uint8Array(8)],
        decryptMany: () => [
          [
            [1, 2, 3, 4, 5, 6],
            [1, 2, 3, 4, 5, 6],
          ],
          [new Uint8Array(7), new Uint8Array(8)],
        ],
      }),
      {
        name: 'ff3.decryptMany under one tweak',
        fn: ff3(new Uint8Array(16), 10).decryptMany as Fn,
        args: () => [[[1, 2, 3, 4, 5, 6]], new Uint8Array(8)],
      },
    ],
    ff3Text: (fn) => [
      {
        name: 'ff3Text',
        fn,
        args: () => [new Uint8Array(16), '0123456789', { separators: '- ', minDomain: 100 }],
      },
      ...verbs('ff3Text', ff3Text(new Uint8Array(16), '0123456789', { separators: '-' }), {
        decrypt: () => ['123-456', new Uint8Array(8)],
        decryptMany: () => [
          ['123-456', null],
          [new Uint8Array(7), null],
        ],
      }),
      {
        name: 'ff3Text.decryptMany under one tweak',
        fn: ff3Text(new Uint8Array(16), '0123456789').decryptMany as Fn,
        args: () => [['123456', '123456'], new Uint8Array(8)],
      },
    ],
  },
  ip: {
    cryptoPan: (fn) => addressRow(fn, 'cryptoPan', cryptoPan(KEY32), 32),
    ipcryptPfx: (fn) => addressRow(fn, 'ipcryptPfx', ipcryptPfx(KEY32, { keepSpecial: true }), 32),
    ipcryptDeterministic: (fn) => addressRow(fn, 'ipcryptDeterministic', ipcryptDeterministic(KEY32.slice(0, 16)), 16),
    ipcryptNd: (fn) => tweakedRow(fn, 'ipcryptNd', ipcryptNd(KEY32.slice(0, 16)), 16, 8),
    ipcryptNdx: (fn) => tweakedRow(fn, 'ipcryptNdx', ipcryptNdx(KEY32), 32, 16),
    SPECIAL_RANGES: value,
  },
  index: {
    ...RULES,
    TrefoilError: value,
    formatIssue: value,
    keyset: KEYSET,
    each: POLICY.each!,
    policy: POLICY.policy!,
    inspect: call(() => ['x']),
    inspectSealed: call(() => [sealed]),
    tokenPattern: value,
    planLength: call(() => [{ population: 1000, maxCollisionProbability: 0.1, form: 'hex' }]),
    utf8Column: call(() => [['x', null]]),
    utf8Texts: call(() => [{ ...utf8Column(['x', null]) }]),
  },
  keys: { keyset: KEYSET, ...ROTATION },
  custody: CUSTODY,
  log: LOG,
  govern: { ...GOVERN, ...CHARTERS, ...WARRANTS, ...ACCESS, ...REPORTS },
  testing: { testKeyset: call(() => ['snapshots']) },
  policy: POLICY,
  prepare: {
    nfc: step('x'),
    nfkc: step('x'),
    trim: step('x'),
    casefold: step('x'),
    digitsOnly: step('12'),
    emailAddress: step('a@b.cd'),
    emailAddressExact: step('a@b.cd'),
    phoneE164: step('+49 30 901820'),
    ipAddress: step('::ffff:192.0.2.7'),
    readDate: step('DD.MM.YYYY'),
    readEpoch: step('seconds'),
    readNumber: step('1.234,5'),
    readPhone: step('DE'),
    phone: step('+49 (0)30 901820'),
    wholeNumber: step('10017.0'),
  },
  reveal: { revealAccess: value, secretAccess: value },
  csv: readers('Csv'),
  ndjson: readers('Ndjson'),
  tsv: readers('Tsv'),
  vault: { vault: VAULT, memoryStore: call(() => []) },
  'vault-contract': { contractCases: call(() => [async () => {}]) },
  'vault-sqlite': {
    sqliteStore: call(() => [
      { exec: () => {}, prepare: () => ({ run: () => ({ changes: 0 }), get: () => undefined, all: () => [] }) },
      { busyTimeout: 10 },
    ]),
  },
  'vault-postgres': {
    postgresStore: call(() => [
      {
        query: async () => ({ rows: [] }),
        connect: async () => ({ query: async () => ({ rows: [] }), release: () => {} }),
      },
      { schema: 'x' },
    ]),
  },
  duckdb: {
    register: call(() => [
      { registerScalarFunction: () => {} },
      { policy: policy({ a: keep }), keys: pinned, access: revealAccess },
    ]),
  },
  node: {
    protectFile: files,
    revealFile: files,
    protectFiles: folders,
    revealFiles: folders,
    rekeyFile: movedFile,
    rekeyFiles: movedFolder,
    openRejects: rejects,
    logFolder: call(() => ['/nowhere/log', { head: '/nowhere/head', sync: false }], { places: true }),
    readLogFolder: (fn) => {
      const { read } = readLogFolder('/nowhere/log');
      return [
        { name: 'readLogFolder', fn, args: () => ['/nowhere/log'] },
        { name: 'readLogFolder.read', fn: read as Fn, args: () => ['checkpoint', 10] },
      ];
    },
    witnessFolder: call(() => [join(folder, randomUUID()), { key: COSIGNER_KEY.verifierKey, create: true }], {
      places: true,
      files: [0],
    }),
  },
};

const source = fileURLToPath(new URL('../src/', import.meta.url));
const modules = readdirSync(source)
  .filter((name) => name.endsWith('.ts') && name !== 'cli.ts')
  .map((name) => name.slice(0, -3));

/** Whether an error is one that the library made, or the caller's own. */
function fits(error: unknown): boolean {
  if (error instanceof TrefoilError || error instanceof HostileError) return true;
  if (!(error instanceof TypeError || error instanceof RangeError)) return false;
  // If a proxy was revoked, or a class was passed in place of a function, the error comes from the caller's value.
  return /^"[A-Za-z0-9]+" /.test(error.message) || /\bproxy\b|^Class constructor/i.test(error.message);
}

/** Everything that an error shows. */
function shown(error: Error): string {
  const issues = error instanceof TrefoilError ? error.issues : [];
  const json = JSON.stringify(issues, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner));
  return [error.message, error.stack?.split('\n    at ')[0], json].join('\n');
}

async function run({ fn, places, echoes }: Call, args: readonly unknown[], what: string): Promise<void> {
  try {
    const result = fn(...(args as never[]));
    if (result instanceof Promise) await result;
    else if (Object.prototype.toString.call(result) === '[object AsyncGenerator]') {
      for await (const _ of result as AsyncIterable<unknown>);
    }
  } catch (error) {
    if (!fits(error)) throw new Error(`${what}: not an error of ours`, { cause: error });
    if (error instanceof HostileError || echoes) return;
    // A name in a policy is a place. Messages about arguments contain it, and issues have it in a field of its own.
    if (places && what.includes('marked name')) return;
    // A name that the policy does not have is shown as a field, and nowhere else in the issue.
    if (what.includes('marked name') && error instanceof TrefoilError) {
      for (const { code, field, element, ...rest } of error.issues) {
        const named = code === 'unnamed_field' ? rest : { ...rest, field, element };
        if (JSON.stringify(named).includes(MARKER)) throw new Error(`${what}: an issue contains the marker`);
      }
      return;
    }
    const text =
      places && error instanceof TrefoilError
        ? error.issues.map((issue) => issue.message).join('\n')
        : shown(error as Error);
    if (text.includes(MARKER)) throw new Error(`${what}: the message contains the marker: ${text.slice(0, 300)}`);
  }
}

const isPlain = (inner: unknown): inner is Record<string, unknown> =>
  typeof inner === 'object' &&
  inner !== null &&
  Object.getPrototypeOf(inner) === Object.prototype &&
  Object.keys(inner).length > 0;

/** The arguments with a hostile value in one place: each argument, each member of a plain one, each first element. */
function* attacks({ args, files: paths = [] }: Call): Generator<readonly [string, readonly unknown[]]> {
  const count = args().length;
  const good = args();
  for (const [name, hostile] of hostileValues()) {
    for (let at = 0; at < Math.max(count, 1); at++) {
      if (paths.includes(at) && typeof hostile === 'string') continue;
      yield [`${name} as argument ${at + 1}`, args().map((arg, i) => (i === at ? hostile : arg))];
      const member = good[at];
      if (Array.isArray(member)) {
        yield [
          `${name} in argument ${at + 1}`,
          args().map((arg, i) => (i === at ? [hostile, ...(arg as unknown[])] : arg)),
        ];
      }
      if (!isPlain(member)) continue;
      for (const key of Object.keys(member)) {
        yield [
          `${name} as ${key} of argument ${at + 1}`,
          args().map((arg, i) => (i === at ? { ...(arg as object), [key]: hostile } : arg)),
        ];
        if (!isPlain(member[key])) continue;
        for (const inner of Object.keys(member[key])) {
          yield [
            `${name} as ${key}.${inner}`,
            args().map((arg, i) =>
              i === at ? { ...(arg as object), [key]: { ...(member[key] as object), [inner]: hostile } } : arg,
            ),
          ];
        }
      }
    }
    if (paths.length === 0) yield [`${name} everywhere`, new Array<unknown>(Math.max(count, 1)).fill(hostile)];
    yield [`${name} as one argument more`, [...args(), hostile]];
  }
}

describe.each(modules)('%s', async (name) => {
  const exports = (await import(/* @vite-ignore */ join(source, `${name}.ts`))) as Record<string, unknown>;
  const table = TABLE[name] ?? {};

  it('every export has a row', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(exports).sort());
  });

  const calls: Call[] = [];
  for (const [exported, row] of Object.entries(table)) calls.push(...((await row(exports[exported] as Fn)) ?? []));
  if (name === 'policy') calls.push(...FILE);

  for (const made of calls) {
    it(`${made.name} accepts valid arguments`, async () => {
      const takes = async () => void (await made.fn(...(made.args() as never[])));
      if (made.refuses) await expect(takes()).rejects.toThrow(TrefoilError);
      else await takes();
    });
    it(`${made.name} with hostile values`, async () => {
      let count = 0;
      for (const [what, args] of attacks(made)) {
        await run(made, args, what);
        count++;
      }
      expect(count).toBeGreaterThan(80);
    });
  }
});
