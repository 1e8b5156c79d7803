/** What a stranger, a desk or the network may try on a gateway. */
import { createPrivateKey, sign as nodeSign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signedRequest } from '../../src/gateway/http/signing.ts';
import { recentRequests, requestSigner } from '../../src/gateway.ts';
import { randomBytes } from '../../src/kernel/random.ts';
import { newNoteKey, type Signer } from '../../src/log.ts';
import { place } from '../govern/ledger/shared.ts';
import { rejection } from '../helpers/errors.ts';
import { access, KEYS, NOW, ORIGIN, papers, people, type Setting, safe, setting } from './shared.ts';

interface Sent {
  readonly name?: string;
  readonly body?: string | Uint8Array;
  readonly signer?: Signer;
  readonly at?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly drop?: readonly string[];
  /** Replaces the body after it was signed. */
  readonly swapped?: string;
}

const desk = requestSigner(KEYS['chris-desk']!.privateKey);

async function make({ name = 'facts', body = '{}', signer = desk, at = NOW, ...more }: Sent): Promise<Request> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const target = more.target ?? `${ORIGIN}/v1/${name}`;
  const message = { method: 'POST', target, body: bytes };
  const headers: Record<string, string> = {
    ...(await signedRequest(message, { signer, now: () => at * 1000, random: randomBytes })),
    ...more.headers,
  };
  for (const dropped of more.drop ?? []) delete headers[dropped];
  const sent = more.swapped === undefined ? bytes : new TextEncoder().encode(more.swapped);
  return new Request(`${ORIGIN}/v1/${name}`, { method: 'POST', headers, body: sent as Uint8Array<ArrayBuffer> });
}

async function send({ handle }: Pick<Setting, 'handle'>, sent: Sent) {
  const response = await handle(await make(sent));
  return { status: response.status, body: await response.json() };
}

const field = { rule: 'seal', scope: 'person.name' };
const POLICY = { subject: 'id', fields: { id: { rule: 'token', scope: 'person', label: 'cust' }, name: field } };
const COLUMNS = { id: [safe[0]!.id], name: [safe[0]!.name] };

async function presented(gate: Setting): Promise<string> {
  const { note, dossier, sha256 } = await papers();
  expect(await send(gate, { name: 'warrants', body: JSON.stringify({ note, dossier }) })).toMatchObject({
    status: 200,
  });
  return sha256;
}

describe('the signature of a request', () => {
  it('is needed, once, under a key of the charter, over this very content and address', async () => {
    const gate = await setting();
    const good = await make({});
    expect((await gate.handle(good.clone())).status).toBe(200);
    const input = good.headers.get('signature-input')!;
    const value = good.headers.get('signature')!;
    const stranger = requestSigner(newNoteKey('desk.example').privateKey);
    const tries: Sent[] = [
      { drop: ['signature'] },
      { drop: ['signature-input'] },
      { drop: ['content-digest'] },
      { signer: stranger },
      { signer: requestSigner(KEYS.eva!.privateKey) },
      { swapped: '{ }' },
      { target: 'http://other.example/v1/facts' },
      { target: `${ORIGIN}/v1/reveal` },
      { headers: { 'signature-input': `${input}, other=("@method");created=1`, signature: `${value}, other=:AA==:` } },
      { headers: { 'signature-input': input.replace('"@method" ', '') } },
      { headers: { 'signature-input': input.replace('trefoil-gateway-v1', 'trefoil-gateway-v2') } },
      { headers: { 'signature-input': `${input};alg="ed25519"` } },
      { headers: { 'signature-input': input.replace(/;nonce="[^"]*"/, '') } },
      { headers: { signature: value.replace('trefoil=', 'other=') } },
      { headers: { 'content-digest': 'sha-256=:AAAA:' } },
    ];
    for (const one of tries) {
      const { status, body } = await send(gate, one);
      expect([status, body.code], JSON.stringify(one)).toEqual([401, 'request_unsigned']);
    }
    await gate.log.close();
  });

  it('is used once, also when the clocks differ and after a restart', async () => {
    const store = place();
    const gate = await setting({ store: store.store() });
    const once = await make({ at: NOW + 30 });
    expect((await gate.handle(once.clone())).status).toBe(200);
    gate.clock.now += 89;
    const again = await gate.handle(once.clone());
    expect([again.status, (await again.json()).code]).toEqual([409, 'request_replayed']);
    gate.clock.now = NOW;
    const warrant = await presented(gate);
    const body = JSON.stringify({ warrant, policy: POLICY, columns: COLUMNS });
    const ahead = await make({ name: 'reveal', body, at: NOW + 40 });
    expect((await gate.handle(ahead.clone())).status).toBe(200);
    await gate.log.close();
    const clock = { now: NOW + 20 };
    const read = await setting({ store: store.store(), create: false, clock });
    const seen = await recentRequests(read.log.entries(), clock.now);
    expect(seen.size).toBe(1);
    await read.log.close();
    const next = await setting({ store: store.store(), create: false, clock, options: { seen } });
    const replayed = await next.handle(ahead.clone());
    expect([replayed.status, (await replayed.json()).code]).toEqual([409, 'request_replayed']);
    // A request from before the restart is refused by its time.
    expect((await send(next, { at: NOW + 19 })).body.code).toBe('request_expired');
    expect((await next.kinds()).filter((kind) => kind === 'use')).toHaveLength(1);
    await next.log.close();
  });

  it('has a time within a minute', async () => {
    const gate = await setting({ clock: { now: NOW - 600 } });
    gate.clock.now = NOW;
    for (const [at, status] of [
      [NOW - 61, 401],
      [NOW + 61, 401],
      [NOW - 60, 200],
      [NOW + 60, 200],
    ] as const) {
      expect((await send(gate, { at })).status, String(at - NOW)).toBe(status);
    }
    await gate.log.close();
  });
});

describe('a body', () => {
  const marker = 'Qx7SecretMarker';

  it('is refused by a status, a code and words of our own', async () => {
    const gate = await setting();
    const warrant = await presented(gate);
    const reveal = (more: object) => JSON.stringify({ warrant, policy: POLICY, columns: COLUMNS, ...more });
    const many = (count: number) => ({ id: Array(count).fill(safe[0]!.id), name: Array(count).fill(safe[0]!.name) });
    const cases: readonly (readonly [string, number, string])[] = [
      ['', 400, 'request_invalid'],
      [`[${JSON.stringify(marker)}]`, 400, 'request_invalid'],
      [`{"${marker}":1}`, 400, 'request_invalid'],
      [`{"warrant":"${warrant}","warrant":"${warrant}"}`, 400, 'request_invalid'],
      [reveal({ warrant: marker }), 400, 'request_invalid'],
      [reveal({ warrant: '0'.repeat(64) }), 404, 'warrant_invalid'],
      [reveal({ [marker]: 1 }), 400, 'request_invalid'],
      [reveal({ columns: many(1001) }), 413, 'request_invalid'],
      [reveal({ columns: many(0) }), 400, 'request_invalid'],
      [reveal({ columns: { id: [marker], name: [] } }), 400, 'request_invalid'],
      [reveal({ columns: { id: [[marker]], name: [marker] } }), 400, 'request_invalid'],
      [reveal({ policy: { ...POLICY, fields: { name: { rule: marker } } } }), 400, 'unknown_rule'],
      [reveal({ policy: { ...POLICY, [marker]: 1 } }), 400, 'request_invalid'],
      [
        reveal({ policy: { ...POLICY, fields: { ...POLICY.fields, name: { ...field, scope: 'person.phone' } } } }),
        403,
        'warrant_exceeds',
      ],
      [reveal({ columns: { id: [safe[2]!.id], name: [safe[2]!.name] } }), 403, 'other_subject'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await send(gate, { name: 'reveal', body });
      expect([answer.status, answer.body.code], body.slice(0, 300)).toEqual([status, code]);
      expect(JSON.stringify(answer.body)).not.toContain(marker);
    }
    const compressed = await send(gate, { headers: { 'content-encoding': 'gzip' } });
    expect([compressed.status, compressed.body.code]).toEqual([400, 'request_invalid']);
    const large = await send(gate, { body: new Uint8Array(8 * 1024 * 1024 + 1).fill(32) });
    expect([large.status, large.body.code]).toEqual([413, 'request_invalid']);
    expect(await gate.kinds()).not.toContain('use');
    const text = await (await gate.handle(new Request(`${ORIGIN}/metrics`))).text();
    expect(text).not.toContain(marker);
    for (const name of ['chris', 'etl', safe[0]!.id]) expect(text).not.toContain(name);
    expect(text).toContain('trefoil_gateway_requests_total{verb="reveal",code="other_subject"} 1');
    await gate.log.close();
  });

  it('of another path, method or query is not read', async () => {
    const gate = await setting();
    expect((await gate.handle(new Request(`${ORIGIN}/v1/nothing`, { method: 'POST' }))).status).toBe(404);
    expect((await gate.handle(new Request(`${ORIGIN}/v1/constructor`, { method: 'POST' }))).status).toBe(404);
    expect((await gate.handle(new Request(`${ORIGIN}/v1/facts`))).status).toBe(405);
    expect((await gate.handle(new Request(`${ORIGIN}/v1/facts?a=1`, { method: 'POST' }))).status).toBe(404);
    expect(await (await gate.handle(new Request(`${ORIGIN}/healthz`))).text()).toBe('ok\n');
    await gate.log.close();
  });
});

describe('a warrant', () => {
  it('of another desk is refused, presented or used', async () => {
    const gate = await setting();
    const warrant = await presented(gate);
    const other = requestSigner(KEYS['dora-desk']!.privateKey);
    const { note, dossier } = await papers();
    const present = await send(gate, { name: 'warrants', signer: other, body: JSON.stringify({ note, dossier }) });
    expect([present.status, present.body.code]).toEqual([403, 'not_in_charter']);
    const body = JSON.stringify({ warrant, policy: POLICY, columns: COLUMNS });
    const used = await send(gate, { name: 'reveal', signer: other, body });
    expect([used.status, used.body.code]).toEqual([403, 'not_in_charter']);
    expect(await gate.kinds()).not.toContain('use');
    await gate.log.close();
  });

  it('that nobody has approved reveals nothing', async () => {
    const { there, log } = await setting();
    expect((await rejection(people.open(await there(), {}, await access({}, ['chris'])))).code).toBe(
      'warrant_unsigned',
    );
    await log.close();
  });

  it('that has expired between two batches reveals nothing more', async () => {
    const gate = await setting();
    const opened = await people.open(await gate.there(), {}, await access());
    await opened.reveal(safe[0]!);
    // Entries stand between, so that the clock has not jumped.
    for (let i = 0; i < 13 * 12; i++) {
      gate.clock.now += 300;
      await gate.sequencer.forward({ client: 'etl', verb: 'lookup', scope: '*', count: 1 }).catch(() => {});
      await gate.log.append({ kind: 'beat' });
    }
    const error = await rejection(opened.reveal(safe[0]!));
    expect(['warrant_expired', 'clock_jumped']).toContain(error.code);
    await gate.log.close();
  });
});

describe('an answer', () => {
  it('that is not signed, signed by another key, or for another request is not believed', async () => {
    const { there, handle, log, fetch } = await setting();
    const changed =
      (change: (response: Response, body: Uint8Array) => Response): typeof globalThis.fetch =>
      async (input, init) => {
        const response = await handle(new Request(input as string, init));
        return change(response, new Uint8Array(await response.clone().arrayBuffer()));
      };
    const copy = (response: Response, body: Uint8Array, drop?: string, status = response.status) => {
      const headers = new Headers(response.headers);
      if (drop !== undefined) headers.delete(drop);
      return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
    };
    let first: Response | null = null;
    const rogue = await setting({ options: {} });
    const fetches: (typeof globalThis.fetch)[] = [
      changed((response, body) => copy(response, body, 'signature')),
      changed((response, body) => copy(response, body, 'content-digest')),
      changed((response, body) => copy(response, Uint8Array.from([...body.slice(0, -1), 32]))),
      changed((response, body) => copy(response, body, undefined, 403)),
      async (input, init) => {
        const response = await fetch(input, init);
        first ??= response.clone();
        return first.clone();
      },
    ];
    await fetches[4]!(`${ORIGIN}/v1/facts`, (await make({})) as never);
    for (const [i, one] of fetches.entries()) {
      expect((await rejection(there('chris-desk', { fetch: one }))).code, String(i)).toBe('gateway_answer_broken');
    }
    const other = newNoteKey('answers.example').verifierKey;
    expect((await rejection(there('chris-desk', { answers: other }))).code).toBe('gateway_answer_broken');
    expect((await rejection(there('chris-desk', { keyCheck: { abcde: '0123456789abcdef' } }))).code).toBe(
      'key_check_mismatch',
    );
    const down = () => Promise.reject(new Error('http://secret.example refused'));
    const error = await rejection(there('chris-desk', { fetch: down }));
    expect(error.code).toBe('gateway_unavailable');
    expect(error.message).not.toContain('secret');
    await log.close();
    await rogue.log.close();
  });
});

describe('RFC 9421', () => {
  it('is what node:crypto verifies and signs: the vector of appendix B.2.6', async () => {
    const { signatureBase } = await import('../../src/gateway/http/base.ts');
    const params =
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;' +
      'keyid="test-key-ed25519"';
    const base = signatureBase(
      [
        ['"date"', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['"@method"', 'POST'],
        ['"@path"', '/foo'],
        ['"@authority"', 'example.com'],
        ['"content-type"', 'application/json'],
        ['"content-length"', '18'],
      ],
      params,
    );
    const pem =
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n' +
      '-----END PRIVATE KEY-----\n';
    const signature = nodeSign(null, Buffer.from(base), createPrivateKey(pem)).toString('base64');
    expect(signature).toBe('wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==');
  });

  it('is never the text of a note, and notes are never signed as requests', async () => {
    await expect(async () => desk.sign(new TextEncoder().encode('trefoil warrant v1\n'))).rejects.toMatchObject({
      code: 'note_invalid',
    });
    await expect(async () => desk.sign(new TextEncoder().encode('"@method": POST\n'))).rejects.toMatchObject({
      code: 'note_invalid',
    });
  });
});
