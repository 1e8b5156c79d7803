// Servers on this machine that speak the protocols of key management services: AES-256-GCM or RSA-OAEP under keys of
// their own, and the permissions, contexts and failures that the real ones have. Each is made of one function, which
// gets the path and the JSON of a request and returns a status and a JSON.
import {
  constants,
  createCipheriv,
  createDecipheriv,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { createServer } from 'node:http';

/** The key of the services with a symmetric one. */
const KEK = randomBytes(32);

function seal(bytes, context) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', KEK, iv);
  cipher.setAAD(context);
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** The bytes, or `null` if they or the context are others. */
function open(sealed, context) {
  const decipher = createDecipheriv('aes-256-gcm', KEK, sealed.subarray(0, 12));
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return null;
  }
}

const bytes = (text) => Buffer.from(text ?? '', 'base64');

/** AWS KMS: JSON 1.1, where a header names the operation. Members of the context are in any order. */
export function awsService(keyId) {
  const context = (input) => Buffer.from(JSON.stringify(Object.entries(input.EncryptionContext ?? {}).sort()));
  return (request, input) => {
    const refuse = (type) => [400, { __type: type, message: `hunter2 ${JSON.stringify(input)}` }];
    if (input.KeyId !== keyId) return refuse('NotFoundException');
    switch (request.headers['x-amz-target']) {
      case 'TrentService.Encrypt':
        return [200, { KeyId: keyId, CiphertextBlob: seal(bytes(input.Plaintext), context(input)).toString('base64') }];
      case 'TrentService.Decrypt': {
        const key = open(bytes(input.CiphertextBlob), context(input));
        if (key === null) return refuse('InvalidCiphertextException');
        return [200, { KeyId: keyId, Plaintext: key.toString('base64') }];
      }
      default:
        return refuse('UnknownOperationException');
    }
  };
}

/** Google Cloud KMS: REST, where the path names the key and the operation. */
export function googleService(key) {
  const refuse = (code, status) => [code, { error: { code, status, message: 'hunter2' } }];
  return (request, input) => {
    const [path] = request.url.split('?');
    const aad = bytes(input.additionalAuthenticatedData);
    if (path === `/v1/${key}:encrypt`) {
      return [
        200,
        { name: `${key}/cryptoKeyVersions/1`, ciphertext: seal(bytes(input.plaintext), aad).toString('base64') },
      ];
    }
    if (path !== `/v1/${key}:decrypt`) return refuse(404, 'NOT_FOUND');
    const plaintext = open(bytes(input.ciphertext), aad);
    return plaintext === null ? refuse(400, 'INVALID_ARGUMENT') : [200, { plaintext: plaintext.toString('base64') }];
  };
}

/** Azure Key Vault: REST with base64url, an RSA key, and a challenge before the first token. */
export function azureService(address) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const url = (value) => value.toString('base64url');
  const { n, e } = publicKey.export({ format: 'jwk' });
  return (request, input) => {
    if (!request.headers.authorization) {
      const challenge = `Bearer authorization="https://login.example/tenant", resource="https://vault.azure.net"`;
      return [401, { error: { code: 'Unauthorized', message: 'hunter2' } }, { 'www-authenticate': challenge }];
    }
    const [, verb = ''] = /^\/keys\/k\/v1(?:\/(wrapkey|unwrapkey))?\?/.exec(request.url) ?? [null, 'none'];
    const kid = `${address()}/keys/k/v1`;
    if (verb === '' && request.method === 'GET') {
      return [
        200,
        { key: { kid, kty: 'RSA', key_ops: ['wrapKey', 'unwrapKey'], n, e }, attributes: { enabled: true } },
      ];
    }
    const value = Buffer.from(input?.value ?? '', 'base64url');
    if (verb === 'wrapkey') return [200, { kid, value: url(publicEncrypt({ key: publicKey, ...padding }, value)) }];
    if (verb !== 'unwrapkey') return [404, { error: { code: 'KeyNotFound', message: 'hunter2' } }];
    try {
      return [200, { kid, value: url(privateDecrypt({ key: privateKey, ...padding }, value)) }];
    } catch {
      return [400, { error: { code: 'BadParameter', message: 'hunter2' } }];
    }
  };
}

/**
 * Starts a server. `server.fail` may be set to a function that answers in place of the service; `server.calls` counts
 * the calls that have a body.
 */
export async function start(makeService) {
  const state = { calls: 0, fail: null, address: '' };
  const service = makeService(() => state.address);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const isCall = body !== '' && request.headers.authorization !== undefined;
    if (isCall) state.calls++;
    if (isCall && state.fail !== null) return state.fail(response);
    const [status, value, headers = {}] = service(request, body === '' ? {} : JSON.parse(body));
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  state.port = server.address().port;
  state.address = `http://127.0.0.1:${state.port}`;
  state.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return state;
}
