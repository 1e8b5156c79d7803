/** HashiCorp Vault's Transit engine: its protocol over a server on this machine, and all that a server can do wrong. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as age from 'age-encryption';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openKeyFile, sealKeyFile, vaultTransit } from '../../src/custody.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { rejection } from '../helpers/errors.ts';
import { newKeyset } from './age.ts';

const text = newKeyset();
const TOKEN = 'hvs.CAESIQtesttoken';
const KEK = randomBytes(32);

type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/** What Transit does: AES-256-GCM with associated data. Tokens, paths and methods are checked as Vault checks them. */
const transit: Answer = (request, body, response) => {
  const say = (status: number, value: object) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (request.headers['x-vault-token'] !== TOKEN) return say(403, { errors: ['permission denied'] });
  const [, verb] = /^\/v1\/transit\/(encrypt|decrypt)\/trefoil$/.exec(request.url ?? '') ?? [];
  if (request.method !== 'POST' || verb === undefined) return say(404, { errors: [] });
  const { plaintext, ciphertext, associated_data: aad } = JSON.parse(body) as Record<string, string>;
  const context = Buffer.from(aad!, 'base64');
  if (verb === 'encrypt') {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', KEK, iv);
    cipher.setAAD(context);
    const sealed = Buffer.concat([cipher.update(Buffer.from(plaintext!, 'base64')), cipher.final()]);
    const whole = Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64');
    return say(200, { request_id: 'x', data: { ciphertext: `vault:v1:${whole}`, key_version: 1 } });
  }
  const whole = Buffer.from(ciphertext!.slice('vault:v1:'.length), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', KEK, whole.subarray(0, 12));
  decipher.setAAD(context);
  decipher.setAuthTag(whole.subarray(-16));
  try {
    const key = Buffer.concat([decipher.update(whole.subarray(12, -16)), decipher.final()]);
    return say(200, { data: { plaintext: key.toString('base64') } });
  } catch {
    return say(400, { errors: ['cipher: message authentication failed'] });
  }
};

let server: Server;
let address: string;
let answer: Answer = transit;
let requests: IncomingMessage[] = [];
let place: Place;

beforeAll(async () => {
  place = makePlace();
  server = createServer(async (request, response) => {
    requests.push(request);
    let body = '';
    for await (const chunk of request) body += chunk;
    answer(request, body, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  answer = transit;
  requests = [];
});

afterAll(() => {
  place.remove();
  server.closeAllConnections();
  return new Promise((done) => server.close(done));
});

const wrapper = (token: string | (() => Promise<string>) = TOKEN) => vaultTransit({ address, key: 'trefoil', token });
const open = (file: Uint8Array, name = 'production', timeout = 10_000) =>
  openKeyFile(file, { age, wrappers: [wrapper()], name, timeout });
const seal = () => sealKeyFile(text, { age, wrappers: [wrapper()], name: 'production' });

describe('a server that works', () => {
  it('seals and opens, with one call each, and binds the name', async () => {
    const file = await seal();
    expect(Buffer.from(file).toString('latin1')).toContain(
      `-> trefoil/kms-v1 ${Buffer.from('vault-transit:transit/trefoil').toString('base64url')}\n`,
    );
    expect(await open(file)).toBe(text);
    expect(requests.map(({ url }) => url)).toEqual(['/v1/transit/encrypt/trefoil', '/v1/transit/decrypt/trefoil']);
    const error = await rejection(open(file, 'test'));
    expect(error.code).toBe('key_refused');
    expect(requests).toHaveLength(3);
  });

  it('takes the token from a function before each call, and refuses another one', async () => {
    const file = await seal();
    let asked = 0;
    const fresh = wrapper(async () => {
      asked++;
      return TOKEN;
    });
    expect(await openKeyFile(file, { age, wrappers: [fresh], name: 'production' })).toBe(text);
    expect(asked).toBe(1);
    for (const token of ['hvs.other', 'with\nline', '']) {
      const other = wrapper(async () => token);
      const error = await rejection(openKeyFile(file, { age, wrappers: [other], name: 'production' }));
      expect(error.code).toBe('key_refused');
      expect(error.message).not.toContain('hvs');
    }
  });

  it('sends the namespace', async () => {
    const spaced = vaultTransit({ address: `${address}/`, key: 'trefoil', token: TOKEN, namespace: 'admin/eu' });
    await sealKeyFile(text, { age, wrappers: [spaced], name: 'production' });
    expect(requests[0]!.headers['x-vault-namespace']).toBe('admin/eu');
    expect(requests[0]!.url).toBe('/v1/transit/encrypt/trefoil');
  });

  it('serves the command line: one call for a run', async () => {
    const env = { VAULT_ADDR: address, VAULT_TOKEN: TOKEN };
    place.write('keys.json', text);
    const uri = 'vault-transit:transit/trefoil#production';
    const wrapped = await place.run(['keys', 'wrap', 'keys.json', '--to', uri, '--out', 'k.age'], '', env);
    expect(wrapped.code, wrapped.err).toBe(0);
    expect(wrapped.err).toContain('without the KMS nobody can open it');
    expect(requests).toHaveLength(1);
    place.write('p.yaml', 'trefoil: 1\ndomain: eu\nfields:\n  id: { rule: token, scope: p }\n');
    place.write('in.csv', `id\n${Array.from({ length: 5_000 }, (_, i) => i).join('\n')}\n`);
    const protect = ['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k.age', '--identity', uri];
    const done = await place.run([...protect, '--workers', '2', '--out', 'safe.csv'], '', env);
    expect(done.code, done.err).toBe(0);
    expect(requests).toHaveLength(2);
    const other = await place.run([...protect.slice(0, -1), uri.replace('production', 'test')], '', env);
    expect(other.code).toBe(4);
    expect(other.err).toContain('vault-transit:transit/trefoil: the KMS refuses the call');
    const region = await place.run(protect, '', { ...env, TREFOIL_REGION: 'us' });
    expect(region.code).toBe(4);
    const moved = await place.run(protect, '', { ...env, VAULT_ADDR: 'http://127.0.0.1:9' });
    expect(moved.code).toBe(5);
    expect(moved.err).toContain('cannot be reached');
    expect(moved.err).not.toContain(TOKEN);
  });
});

/** An answer with a status and a body. */
const says =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  (_request, _body, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

describe('a server that does not', () => {
  const ok = (value: unknown) => says(200, JSON.stringify(value));
  it.each<[string, Answer, string, number]>([
    ['refuses', says(403, '{"errors":["hunter2"]}'), 'key_refused', 1],
    ['has no such key', says(404), 'key_refused', 1],
    ['is sealed', says(503, '{"errors":["Vault is sealed"]}'), 'key_unavailable', 3],
    ['is overloaded', says(429), 'key_unavailable', 3],
    ['is a standby that has not seen the token', says(412), 'key_unavailable', 3],
    ['fails', says(500), 'key_unavailable', 3],
    ['answers with a page', says(200, '<html>hunter2</html>'), 'key_answer_broken', 1],
    ['answers with nothing', says(200), 'key_answer_broken', 1],
    ['answers with null', ok(null), 'key_answer_broken', 1],
    ['answers without a key', ok({ data: {} }), 'key_answer_broken', 1],
    ['answers with a number', ok({ data: { plaintext: 7 } }), 'key_answer_broken', 1],
    ['answers with 15 bytes', ok({ data: { plaintext: Buffer.alloc(15).toString('base64') } }), 'key_answer_broken', 1],
    ['answers with 17 bytes', ok({ data: { plaintext: Buffer.alloc(17).toString('base64') } }), 'key_answer_broken', 1],
    [
      'answers with base64 of another form',
      ok({ data: { plaintext: `${'A'.repeat(21)}B==` } }),
      'key_answer_broken',
      1,
    ],
    [
      'answers with 16 wrong bytes',
      ok({ data: { plaintext: Buffer.alloc(16).toString('base64') } }),
      'invalid_keyset',
      1,
    ],
    ['answers with what is not UTF-8', says(200, Buffer.from([0xff, 0xfe]).toString('latin1')), 'key_answer_broken', 1],
    [
      'answers without end',
      (_request, _body, response) => {
        response.writeHead(200);
        const more = () => {
          while (response.write('x'.repeat(65_536)));
          response.once('drain', more);
        };
        response.on('error', () => {});
        more();
      },
      'key_answer_broken',
      1,
    ],
    ['closes the connection', (request) => request.socket.destroy(), 'key_unavailable', 3],
    ['hangs', () => {}, 'key_unavailable', 3],
    [
      'hangs in the middle of its answer',
      (_request, _body, response) => {
        response.writeHead(200);
        response.write('{"data":');
      },
      'key_unavailable',
      3,
    ],
  ])('%s', async (what, how, code, calls) => {
    const file = await seal();
    requests = [];
    answer = how;
    // Only a server that hangs is waited for.
    const error = await rejection(open(file, 'production', what.startsWith('hangs') ? 300 : 10_000));
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/hunter2|hvs|sealed"/);
    expect(error.cause).toBeUndefined();
    expect(requests).toHaveLength(calls);
  });

  it.each([301, 302, 307, 308])(
    'sends to another host with the status %i, which never sees the token',
    async (status) => {
      const file = await seal();
      let stolen = 0;
      const thief = createServer((_request, response) => {
        stolen++;
        response.end('{}');
      });
      await new Promise<void>((done) => thief.listen(0, '127.0.0.1', done));
      answer = says(status, '', { location: `http://127.0.0.1:${(thief.address() as AddressInfo).port}/v1/x` });
      requests = [];
      const error = await rejection(open(file));
      expect(error.code).toBe('key_answer_broken');
      expect(requests).toHaveLength(1);
      expect(stolen).toBe(0);
      await new Promise((done) => thief.close(done));
    },
  );

  it.each([
    ['no ciphertext', ok({ data: {} })],
    ['a ciphertext of another form', ok({ data: { ciphertext: 'vault:v1:***' } })],
    [
      'the key in clear',
      ((_request, body, response) => {
        const { plaintext } = JSON.parse(body) as { readonly plaintext: string };
        says(200, JSON.stringify({ data: { ciphertext: plaintext } }))(_request, body, response);
      }) satisfies Answer,
    ],
  ])('seals with %s', async (_, how) => {
    answer = how;
    expect((await rejection(seal())).code).toBe('key_answer_broken');
  });
});

describe('options', () => {
  it.each([
    ['http to another machine', { address: 'http://vault.example:8200' }, '"address" expected https'],
    [
      'a user in the address',
      { address: 'https://user:pass@v.example' },
      '"address" expected an address without a user',
    ],
    ['a query', { address: 'https://v.example/?x=1' }, '"address" expected an address without a user'],
    ['no address', { address: 'vault' }, '"address" expected an address such as'],
    ['a file', { address: 'file:///etc/passwd' }, '"address" expected https'],
    ['a path in the key', { key: '../sys/seal' }, '"key" expected'],
    ['a path out of the mount', { mount: '../sys' }, '"mount" expected a path'],
    ['an empty mount', { mount: '' }, '"mount" expected a path'],
    ['a line ending in the token', { token: 'a\nb' }, '"token" expected a token of Vault'],
    ['an empty token', { token: '' }, '"token" expected a token of Vault'],
    ['a namespace with a line ending', { namespace: 'a\r\nb' }, '"namespace" expected'],
  ])('%s is refused, and not quoted', (_, more, message) => {
    const make = () => vaultTransit({ address: 'https://v.example', key: 'k', token: 't', ...more });
    expect(make).toThrow(message);
    expect(make).not.toThrow('pass@');
  });

  it('addresses of this machine may do without TLS', () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(vaultTransit({ address: `http://${host}:8200`, key: 'k', token: 't' }).uri).toBe(
        'vault-transit:transit/k',
      );
    }
    expect(vaultTransit({ address: 'https://v.example/vault', key: 'k', token: 't', mount: 'a/b' }).uri).toBe(
      'vault-transit:a/b/k',
    );
  });
});
