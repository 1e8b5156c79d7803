/** A gateway over a real log in a folder, reached without a network, with desks and a client. */
import { createHash } from 'node:crypto';
import { digits } from '../../src/format.ts';
import { type GatewayOptions, gateway, gatewayKeys, requestSigner } from '../../src/gateway.ts';
import { openCharter } from '../../src/govern/charter/succession.ts';
import type { Sequencer } from '../../src/govern/ledger/sequencer.ts';
import { openSequencer } from '../../src/govern/ledger/sequencer.ts';
import { newWarrant, type WarrantRequest } from '../../src/govern/warrant/ask.ts';
import { warrantAccess } from '../../src/govern.ts';
import { fpe, keep, keyset, policy, seal, token } from '../../src/index.ts';
import type { DomainKeys } from '../../src/keys/domain-keys.ts';
import { type Log, type LogStore, newNoteKey, noteSigner, openLog, readEntry } from '../../src/log.ts';
import { charterText as baseText, KEYS, NOW, place, REQUEST, SEALER, signed } from '../govern/ledger/shared.ts';

export { KEYS, NOW, SEALER };

export const ANSWERS = newNoteKey('answers.example', {
  random: () => createHash('sha256').update('gateway test answers').digest(),
});
export const ORIGIN = 'http://127.0.0.1:7380';

/** The charter of these tests. */
export function charterText(more: readonly string[] = []): string {
  const lines = baseText().split('\n');
  lines.splice(lines.indexOf('quorum none'), 0, `answers ${ANSWERS.verifierKey}`);
  // The line of answers stands after that of the log.
  const at = lines.findIndex((line) => line.startsWith('log '));
  lines.splice(
    lines.findIndex((line) => line.startsWith('answers ')),
    1,
  );
  lines.splice(at + 1, 0, `answers ${ANSWERS.verifierKey}`);
  const purpose = lines.findIndex((line) => line.startsWith('purpose '));
  lines.splice(
    purpose,
    0,
    'purpose bulk.copy verb reveal scopes fpe:person.code,seal:person.name approvals 1:approver values any hours 12 ' +
      'witnessed no show never unbound',
  );
  const rate = lines.findIndex((line) => line.startsWith('rate '));
  lines.splice(
    rate,
    0,
    'rate client etl protect seal:person.name 50 per 1h',
    'rate client etl protect token:person 3000 per 1h',
  );
  lines.splice(lines.length - 2, 0, ...more);
  return lines.filter((line) => !line.startsWith('rate desk')).join('\n');
}

export const TEXT = charterText();
export const FIRST = createHash('sha256').update(TEXT).digest('hex');
export const CHARTER_NOTE = await signed(TEXT, ['eva'], 'charter@trefoil');
export const CHARTER = openCharter(CHARTER_NOTE, { sha256: FIRST });

export const keysHere = keyset.generate().domain('eu-enclave');
export const people = policy(
  {
    id: token({ scope: 'person', label: 'cust' }),
    name: seal({ scope: 'person.name' }),
    city: keep,
  },
  { subject: 'id' },
);
export const coded = policy(
  {
    id: token({ scope: 'person', label: 'cust' }),
    name: seal({ scope: 'person.name' }),
    code: fpe({ scope: 'person.code', format: digits({ length: 9 }) }),
  },
  { keyCheck: keysHere.keyCheck },
);
export const rowOf = (number: number) => ({ id: String(number), name: `Person Number ${number}`, city: 'Oslo' });
export const rows = [1, 2, 3].map(rowOf);
export const safe = people.bind(keysHere).protectMany(rows);

export interface Setting {
  readonly clock: { now: number };
  readonly log: Log;
  readonly sequencer: Sequencer;
  readonly handle: (request: Request) => Promise<Response>;
  readonly fetch: typeof globalThis.fetch;
  readonly errors: unknown[];
  readonly there: (name?: string, more?: object) => Promise<DomainKeys>;
  readonly kinds: () => Promise<string[]>;
}

/** A `fetch` that calls a gateway in this process. */
export function fetchOf(handle: (request: Request) => Promise<Response>): typeof globalThis.fetch {
  return async (input, init) => handle(new Request(input as string, init));
}

export async function setting({
  store = place().store(),
  create = true,
  clock = { now: NOW },
  options = {},
  keys = keysHere,
}: {
  store?: LogStore;
  create?: boolean;
  clock?: { now: number };
  options?: Partial<GatewayOptions>;
  keys?: DomainKeys;
} = {}): Promise<Setting> {
  const now = () => clock.now * 1000;
  const log = await openLog(store, { signer: noteSigner(KEYS.log!.privateKey), create, now });
  const sequencer = await openSequencer(log, {
    firstCharter: FIRST,
    sealer: SEALER,
    host: 'gateway-1',
    now,
    ...(create ? { charter: CHARTER_NOTE } : {}),
  });
  const errors: unknown[] = [];
  const handle = gateway({
    keys,
    sequencer,
    answers: requestSigner(ANSWERS.privateKey),
    url: ORIGIN,
    now,
    report: (error) => errors.push(error),
    ...options,
  });
  const fetch = fetchOf(handle);
  return {
    clock,
    log,
    sequencer,
    handle,
    fetch,
    errors,
    there: (name = 'chris-desk', more = {}) =>
      gatewayKeys(ORIGIN, {
        domain: 'eu-enclave',
        keyCheck: keysHere.keyCheck,
        answers: ANSWERS.verifierKey,
        signer: requestSigner(KEYS[name]!.privateKey),
        fetch,
        now,
        ...more,
      }),
    kinds: async () => {
      const found: string[] = [];
      for await (const bytes of log.entries()) found.push(readEntry(bytes).event!.kind);
      return found;
    },
  };
}

/** The access of a warrant that all who have to have signed. */
export async function access(request: Partial<WarrantRequest> = {}, by = ['chris', 'anna'], now = NOW) {
  const { note, dossier } = await papers(request, by, now);
  return warrantAccess(note, { dossier, desk: noteSigner(KEYS['chris-desk']!.privateKey) });
}

export async function papers(request: Partial<WarrantRequest> = {}, by = ['chris', 'anna'], now = NOW) {
  const { warrant, dossier } = newWarrant(
    { ...REQUEST, values: 4, subjects: [{ token: safe[0]!.id }, { text: '2' }], ...request },
    { charter: CHARTER, now },
  );
  return { note: await signed(warrant.text, by, 'warrant@trefoil'), dossier, sha256: warrant.sha256 };
}

/** A warrant about whole tables. */
export const BULK: Partial<WarrantRequest> = {
  purpose: 'bulk.copy',
  scopes: ['fpe:person.code', 'seal:person.name'],
  values: null,
  subjects: null,
};
