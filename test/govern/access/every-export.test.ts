/**
 * Every function that the package exports is tried with governed keys and plain `revealAccess`, or is listed as one
 * that takes no keys. The list comes from package.json: a new export fails here until somebody has looked at it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import { card } from '../../../src/format.ts';
import { subjectPseudonyms } from '../../../src/govern.ts';
import type { DomainKeys } from '../../../src/index.ts';
import { fpe, keep, keyset, policy, projectTokens, seal, shiftDate, token } from '../../../src/index.ts';
import { pinKeys } from '../../../src/keys/domain-keys.ts';
import * as node from '../../../src/node.ts';
import { explain, project, rekey } from '../../../src/policy.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { recording } from './recording-place.ts';

const SECRET = 'Ada Secret Lovelace';
const PAN = '4111111111111111';

const plain = keyset.generate().domain('eu-enclave');
const id = token({ scope: 'person', label: 'cust' });
const name = seal({ scope: 'person.name' });
const pan = fpe({ scope: 'card.pan', format: card() });
const held = vault({ scope: 'person.name', store: 'main' });
const people = policy({ id, name, city: keep }, { domain: 'eu-enclave', subject: 'id' });
const cards = policy({ name, pan }, { domain: 'eu-enclave', keyCheck: plain.keyCheck });
const storing = policy({ name: held });
const row = people.bind(plain).protect({ id: 1, name: SECRET, city: 'Oslo' });
const line = `${JSON.stringify(row)}\n`;
const tables = {
  csv: `id,name,city\n${row.id},${row.name},Oslo\n`,
  tsv: `id\tname\tcity\n${row.id}\t${row.name}\tOslo\n`,
};

const dir = mkdtempSync(join(tmpdir(), 'trefoil-exports-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A call. What it returns is searched for the secret, and what it throws is looked at. */
type Attempt = (keys: DomainKeys) => unknown;

/** All that governed keys bind without a warrant, in the hope that some verb forgets to ask. */
const bindings: readonly ((keys: DomainKeys) => unknown)[] = [
  (keys) => people.bind(keys, revealAccess),
  (keys) => people.open(keys, {}, revealAccess),
  (keys) => people.bind(keys),
  (keys) => people.open(keys, {}),
];

const withEach = (run: (bound: never) => unknown): readonly Attempt[] =>
  bindings.map((bind) => async (keys) => run((await bind(keys)) as never));

const collected = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString('utf8');
  return text;
};
const piped = (text: string, stream: unknown): Promise<string> =>
  new Response(new Response(text).body!.pipeThrough(stream as TransformStream<Uint8Array, Uint8Array>)).text();

type Streams = Readonly<Record<string, (...given: never) => unknown>>;
const streamsOf = async (format: string): Promise<Streams> =>
  format === 'csv'
    ? ((await import('../../../src/csv.ts')) as Streams)
    : format === 'tsv'
      ? ((await import('../../../src/tsv.ts')) as Streams)
      : ((await import('../../../src/ndjson.ts')) as Streams);

/** The attempts on a function of streams. */
const streaming = (verb: string, format: 'Csv' | 'Tsv' | 'Ndjson', isWeb: boolean): readonly Attempt[] =>
  withEach(async (bound) => {
    const of = format.toLowerCase();
    const text = of === 'ndjson' ? line : tables[of as 'csv'];
    const work = (await streamsOf(of))[`${verb}${format}${isWeb ? 'Stream' : ''}`]! as (...given: unknown[]) => unknown;
    if (isWeb) return piped(text, work(bound));
    return collected(work(text, bound) as AsyncIterable<Uint8Array>);
  });

let number = 0;
const filing = (verb: string): readonly Attempt[] =>
  withEach(async (bound) => {
    const [input, output] = [join(dir, `${++number}.csv`), join(dir, `${number}.out`)];
    writeFileSync(input, tables.csv);
    const work = (node as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[verb]!;
    const many = verb.endsWith('s');
    try {
      await work(many ? [input] : input, output, bound, { force: true });
    } finally {
      if (!many) writeFileSync(output, '', { flag: 'a' });
    }
    return many ? readFileSync(join(output, `${number}.csv`), 'utf8') : readFileSync(output, 'utf8');
  });

/** The verbs of an opened vault, each called with whatever it might reveal something for. */
const vaultVerbs = ['lookup', 'exists', 'reveal', 'revealMany', 'forget', 'shred', 'rekey', 'expire', 'export'];

async function vaultAttempt(keys: DomainKeys, verb: string): Promise<unknown> {
  const store = memoryStore();
  const made = await (await held.open(plain, { main: store })).protect(SECRET);
  const open = (await held.open(keys, { main: store })) as unknown as Record<string, (given: unknown) => unknown>;
  if (open[verb] === undefined) return held.open(keys, { main: store }, revealAccess);
  const out = open[verb]!(verb === 'lookup' ? SECRET : verb === 'rekey' || verb === 'export' ? undefined : made);
  return out;
}

/** The functions that take keys, or policies that are bound to them. */
const TAKES_KEYS: Readonly<Record<string, readonly Attempt[]>> = {
  policy: [
    (keys) => people.bind(keys, revealAccess).reveal(row),
    async (keys) => (await people.open(keys, {}, revealAccess)).reveal(row),
    (keys) => (people.bind(keys) as unknown as { reveal: (of: unknown) => unknown }).reveal(row),
    async (keys) => ((await people.open(keys, {})) as unknown as { reveal: (of: unknown) => unknown }).reveal(row),
    async (keys) => (await storing.open(keys, { main: memoryStore() }, revealAccess)).reveal({ name: '' as never }),
  ],
  seal: [
    (keys) => name.bind(keys, revealAccess).reveal(row.name),
    (keys) => (name.bind(keys) as unknown as { reveal: (of: unknown) => unknown }).reveal(row.name),
  ],
  fpe: [
    (keys) => pan.bind(pinKeys(keys, plain.keyCheck), revealAccess).reveal(pan.bind(plain).protect(PAN)),
    (keys) => cards.bind(keys, revealAccess).reveal(cards.bind(plain).protect({ name: 'x', pan: PAN })),
  ],
  token: [(keys) => (id.bind(keys) as unknown as { reveal: (of: unknown) => unknown }).reveal(row.id)],
  shiftDate: [
    (keys) =>
      (
        shiftDate({ scope: 'visit', subject: 'id', days: 10 }).bind(keys) as unknown as {
          reveal: (of: string) => unknown;
        }
      ).reveal('2026-01-01'),
  ],
  projectTokens: [
    (keys) => projectTokens(id, { from: keys, to: plain }),
    (keys) => projectTokens(id, { from: plain, to: keys }),
  ],
  project: [(keys) => project(people, { from: keys, to: plain }, revealAccess)],
  rekey: [
    (keys) => rekey(people, { from: keys, to: keys }, revealAccess).rekey(row),
    (keys) => rekey(people, { from: plain, to: keys }, revealAccess),
  ],
  explain: [() => explain(people)],
  subjectPseudonyms: [(keys) => subjectPseudonyms(keys, 'person')(row.id)],
  vault: vaultVerbs.map(
    (verb): Attempt =>
      (keys) =>
        vaultAttempt(keys, verb),
  ),
  register: [
    async (keys) => {
      const { DuckDBInstance } = await import('@duckdb/node-api');
      const { register } = await import('../../../src/duckdb.ts');
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      try {
        await register(connection as never, { policy: people, keys, access: revealAccess });
      } finally {
        connection.closeSync();
      }
    },
  ],
  openRejects: [
    async (keys) => {
      const [input, output] = [join(dir, 'bad.csv'), join(dir, 'bad.out.csv')];
      writeFileSync(input, `id,name,city\n1,${SECRET}\n`);
      await node.protectFile(input, output, people.bind(plain), { rejects: `${output}.rejects`, force: true });
      const { records } = await node.openRejects(`${output}.rejects`, keys, revealAccess);
      const found: unknown[] = [];
      for await (const record of records) found.push(record);
      return found;
    },
  ],
  ...Object.fromEntries(
    (['Csv', 'Tsv', 'Ndjson'] as const).flatMap((format) =>
      ['reveal', 'rekey', 'protect'].flatMap((verb) => [
        [`${verb}${format}`, streaming(verb, format, false)],
        [`${verb}${format}Stream`, streaming(verb, format, true)],
      ]),
    ),
  ),
  ...Object.fromEntries(
    ['revealFile', 'revealFiles', 'rekeyFile', 'rekeyFiles', 'protectFile', 'protectFiles'].map((verb) => [
      verb,
      filing(verb),
    ]),
  ),
};

/** The functions that take no domain keys and no policy that is bound to them, by subpath. */
const NO_KEYS: Readonly<Record<string, string>> = {
  '.': `utf8Column utf8Texts formatIssue TrefoilError each coarsen constant mask mark optional inspectSealed inspect
    planLength`,
  './errors': 'kindOf formatIssue TrefoilError fail',
  './format': `card caseKept clear oneOf seq date dateTime email enumOf iban ip ipv4 ipv6 decimal integer pattern phone
    regex digits text uuid`,
  './prepare': `readDate readEpoch readNumber readPhone casefold digitsOnly emailAddress emailAddressExact ipAddress nfc
    nfkc phone phoneE164 trim wholeNumber`,
  './keys': 'addDomain addKey promoteKey retireKey',
  // They take keysets, which are not governed: only keys of a domain can be.
  './policy': 'check parsePolicy keyNeeds narrow each',
  './node': 'logFolder readLogFolder witnessFolder',
  './vault': 'memoryStore',
  './vault-contract': 'contractCases',
  './vault-sqlite': 'sqliteStore',
  './vault-postgres': 'postgresStore',
  './custody': `openKeyFile sealKeyFile checkShare combineShares splitIdentity contextBytes awsKms vaultTransit`,
  './log': `leafHash nodeHash checkOpening commitment entryReader readEntry writeEntry subjectSealer bundleBytes
    parseBundle checkProof parseCheckpoint writeCheckpoint treeEdge logAt openCheckpoint parseLogPolicy parseLogProof
    writeLogProof checkConsistency checkInclusion consistencyProof inclusionProof hashesOf tilePath parseSeen verifyLog
    cosign latestOf witness witnessMemory openLog openNote parseNote signNote cosigner newNoteKey noteSigner
    verifierKey`,
  // Papers and people: nothing of it turns a value back.
  // Governing governed keys again is refused (policy.test.ts).
  './govern': `govern warrantAccess charterChanges checkCharter parseCharter openCharter notePartySigner sshPartySigner signedBy newWarrant
    parseClock writeClock parseDossier writeDossier parseRatification writeRatification parseRefusal writeRefusal
    readyToSign signRatification signRefusal signWarrant verifyWarrant verifyClock verifyRatification verifyRefusal
    parseWarrant warrantInWords signaturesOf addSignature sshKey openSequencer parseProtected writeProtected
    reportBuilder reportOf reportText extractBuilder drawSample`,
  // A gateway governs its keys itself, and refuses governed ones (test/gateway/reveal.test.ts).
  './gateway': 'gateway gatewayKeys recentRequests requestSigner',
  './ff1': 'ff1 alphabet ff1Text',
  './ff3': 'ff3 ff3Text',
  './ip': 'cryptoPan ipcryptDeterministic ipcryptNd ipcryptNdx ipcryptPfx',
  './testing': 'testKeyset',
};

/** The codes with which an attempt may end. */
const REFUSALS = new Set(['warrant_required', 'reveal_access_required']);

const { exports } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  exports: Readonly<Record<string, string | { readonly import?: { readonly default?: string } }>>;
};
const subpaths = Object.entries(exports).flatMap(([path, target]) =>
  typeof target === 'object' && target.import?.default?.endsWith('.js') === true ? [path] : [],
);

async function functionsOf(subpath: string): Promise<readonly string[]> {
  const file = subpath === '.' ? 'index' : subpath.slice(2);
  const source = new URL(`../../../src/${file}.ts`, import.meta.url);
  const found = (await import(/* @vite-ignore */ source.pathname)) as Readonly<Record<string, unknown>>;
  return Object.keys(found).filter((key) => typeof found[key] === 'function');
}

describe.each(subpaths)('the exports of %s', (subpath) => {
  it('are known here', async () => {
    const keyless = (NO_KEYS[subpath] ?? '').split(/\s+/);
    const unknown = (await functionsOf(subpath)).filter(
      (one) => !keyless.includes(one) && TAKES_KEYS[one] === undefined,
    );
    expect(unknown, 'try it with governed keys in TAKES_KEYS, or list it in NO_KEYS').toEqual([]);
  });
});

describe.each(Object.keys(TAKES_KEYS))('%s with governed keys and revealAccess', (called) => {
  it('reveals nothing', async () => {
    for (const attempt of TAKES_KEYS[called]!) {
      const { keys, events } = recording(plain);
      let shown: string;
      try {
        shown = inspect(await attempt(keys), { depth: 9, showHidden: true });
      } catch (error) {
        shown = inspect(error, { depth: 9 });
        if (error instanceof TrefoilError)
          expect([...REFUSALS, 'already_token', 'malformed_token']).toContain(error.code);
        else expect(error).toBeInstanceOf(TypeError);
      }
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain(PAN);
      expect(events).toEqual([]);
    }
  });
});

describe('the attempts', () => {
  it('would show the secret with keys that are not governed', async () => {
    const attempts = ['policy', 'seal', 'fpe', 'revealCsv', 'revealNdjsonStream', 'revealFile', 'openRejects'];
    for (const called of attempts) {
      const shown = inspect(await TAKES_KEYS[called]![0]!(plain), { depth: 9 });
      expect(shown.includes(SECRET) || shown.includes(PAN), called).toBe(true);
    }
  });
});
