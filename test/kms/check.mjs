// The key wrappers of the package and of docs/guide/keys/kms.md, with the real SDKs against servers on this machine and
// with SoftHSM. `test/kms/run` runs this program in a folder in which the SDKs and trefoil are installed.
//
// usage: node check.mjs PAGE [NAME], where PAGE is docs/guide/keys/kms.md and NAME a part of the name of a check
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as age from 'age-encryption';
import { awsKms, openKeyFile, sealKeyFile } from 'trefoil/custody';
import { keyset } from 'trefoil/keys';
import { secretAccess } from 'trefoil/reveal';
import { awsService, azureService, googleService, start } from './servers.mjs';

const text = keyset.generate().export(secretAccess);
const secret = /trefoil-root-1_\w+/.exec(text)[0].slice(20, 40);

/** The adapters of the page, each in a module of its own. */
const adapters = {};
for (const [, code] of readFileSync(process.argv[2], 'utf8').matchAll(/^```js\n(.*?)^```$/gms)) {
  const [, name] = /^export function (\w+)/m.exec(code);
  const lines = code.split('\n').filter((line) => !/^\s*(\/?\*|\*\/|$)/.test(line)).length;
  assert.ok(lines <= 32, `${name} has ${lines} lines`);
  writeFileSync(`${name}.mjs`, code);
  adapters[name] = (await import(pathToFileURL(`${process.cwd()}/${name}.mjs`).href))[name];
}
assert.deepEqual(Object.keys(adapters).sort(), ['azureKeyVault', 'googleKms', 'pkcs11']);

const open = (file, wrapper, more = {}) => openKeyFile(file, { age, wrappers: [wrapper], name: 'production', ...more });

/** Fails to open, with this code, and says nothing of what the service has said. */
async function refused(code, work, what) {
  await assert.rejects(work, (error) => {
    assert.equal(error.code, code, `${what}: ${error.message}`);
    assert.equal(error.cause, undefined);
    for (const word of ['hunter2', secret, '<html>']) assert.ok(!String(error.stack).includes(word), what);
    return true;
  });
}

/** Seals and opens, with the right context and with others. */
async function through(wrapper, wrongContext) {
  const file = await sealKeyFile(text, { age, wrappers: [wrapper], name: 'production', region: 'eu' });
  assert.equal(await open(file, wrapper, { region: 'eu' }), text);
  await refused(wrongContext, () => open(file, wrapper, { region: 'us' }), 'another region');
  await refused(wrongContext, () => open(file, wrapper), 'no region');
  await refused(wrongContext, () => open(file, wrapper, { name: 'test', region: 'eu' }), 'another name');
  return sealKeyFile(text, { age, wrappers: [wrapper], name: 'production' });
}

const says =
  (status, body, headers = {}) =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** Each way in which a service fails: the answer, the code of our error, and how often it is called. */
async function failing(server, wrapper, file, ways) {
  for (const [what, fail, code, calls] of ways) {
    server.fail = fail;
    server.calls = 0;
    // Only a service that says nothing is waited for.
    const timeout = fail === hangs ? 1_000 : 10_000;
    await refused(code, () => open(file, wrapper, { timeout }), what);
    assert.equal(server.calls, calls, `${what}: ${server.calls} calls`);
  }
  server.fail = null;
  assert.equal(await open(file, wrapper), text);
}

const hangs = () => {};
const closes = (response) => response.destroy();
const page = says(200, '<html>hunter2</html>', { 'content-type': 'text/html' });
const nothing = says(200, {});
const moved = says(302, '', { location: 'http://127.0.0.1:9/' });

const checks = {
  async 'AWS KMS, over both kinds of client'() {
    const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const { DecryptCommand, EncryptCommand, KMS, KMSClient } = await import('@aws-sdk/client-kms');
    const server = await start(() => awsService(ARN));
    const settings = {
      region: 'eu-central-1',
      endpoint: server.address,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'hunter2hunter2' },
    };
    const type = (name) => says(400, { __type: name, message: 'hunter2' });
    const failure = (name) => says(500, { __type: name, message: 'hunter2' });
    const other = { KeyId: ARN.replace('1234abcd', '4321abcd'), Plaintext: Buffer.alloc(16).toString('base64') };
    for (const wrapper of [
      awsKms({ client: new KMS(settings), keyId: ARN }),
      awsKms({ client: new KMSClient(settings), keyId: ARN, commands: { EncryptCommand, DecryptCommand } }),
    ]) {
      const file = await through(wrapper, 'key_refused');
      await failing(server, wrapper, file, [
        ['access denied', type('AccessDeniedException'), 'key_refused', 1],
        ['a disabled key', type('DisabledException'), 'key_refused', 1],
        ['a key that waits for its deletion', says(409, { __type: 'KMSInvalidStateException' }), 'key_refused', 1],
        ['throttled', type('ThrottlingException'), 'key_unavailable', 3],
        ['an internal failure', failure('KMSInternalException'), 'key_unavailable', 3],
        ['a key that is not available', failure('KeyUnavailableException'), 'key_unavailable', 3],
        ['a dependency that is slow', says(503, { __type: 'DependencyTimeoutException' }), 'key_unavailable', 3],
        ['an answer without a key', nothing, 'key_answer_broken', 1],
        ['the answer of another key', says(200, other), 'key_answer_broken', 1],
        ['a page', page, 'key_answer_broken', 1],
        ['a redirect', moved, 'key_answer_broken', 1],
        ['a closed connection', closes, 'key_unavailable', 3],
        ['silence', hangs, 'key_unavailable', 3],
      ]);
    }
    // The command line makes its own client, which reads the endpoint and the credentials from the environment.
    writeFileSync('keys.json', text, { mode: 0o600 });
    const env = {
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL_KMS: server.address,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'hunter2hunter2',
      NODE_NO_WARNINGS: '1',
    };
    const uri = `aws-kms:${ARN}#production`;
    server.calls = 0;
    const trefoil = async (...args) => {
      const { spawn } = await import('node:child_process');
      const child = spawn(process.execPath, ['node_modules/trefoil/dist/cli.js', ...args], { env, stdio: 'pipe' });
      let err = '';
      child.stderr.on('data', (chunk) => (err += chunk));
      const code = await new Promise((done) => child.on('close', done));
      return { code, err };
    };
    const wrapped = await trefoil('keys', 'wrap', 'keys.json', '--to', uri, '--out', 'cli.age');
    assert.equal(wrapped.code, 0, wrapped.err);
    const inspected = await trefoil('keys', 'inspect', '--keys', 'cli.age', '--identity', uri);
    assert.equal(inspected.code, 0, inspected.err);
    assert.equal(server.calls, 2);
    server.fail = type('AccessDeniedException');
    const denied = await trefoil('keys', 'inspect', '--keys', 'cli.age', '--identity', uri);
    assert.equal(denied.code, 4);
    assert.match(denied.err, /the KMS refuses the call/);
    assert.doesNotMatch(denied.err, /hunter2/);
    server.stop();
  },

  async 'Google Cloud KMS'() {
    const { KeyManagementServiceClient } = await import('@google-cloud/kms');
    const { OAuth2Client } = await import('google-auth-library');
    const key = 'projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k';
    const server = await start(() => googleService(key));
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: 'hunter2', expiry_date: Date.now() + 3_600_000 });
    const client = new KeyManagementServiceClient({
      fallback: true,
      apiEndpoint: '127.0.0.1',
      port: server.port,
      protocol: 'http',
      authClient,
    });
    const wrapper = adapters.googleKms({ client, key });
    const file = await through(wrapper, 'key_refused');
    const error = (code, status) => says(code, { error: { code, status, message: 'hunter2' } });
    await failing(server, wrapper, file, [
      ['permission denied', error(403, 'PERMISSION_DENIED'), 'key_refused', 1],
      ['a disabled version', error(400, 'FAILED_PRECONDITION'), 'key_refused', 1],
      ['unavailable', error(503, 'UNAVAILABLE'), 'key_unavailable', 3],
      ['too many calls', error(429, 'RESOURCE_EXHAUSTED'), 'key_unavailable', 3],
      ['an answer without a key', nothing, 'key_answer_broken', 1],
      ['a page', page, 'key_answer_broken', 1],
      ['a closed connection', closes, 'key_unavailable', 3],
      ['silence', hangs, 'key_unavailable', 3],
    ]);
    await client.close();
    server.stop();
  },

  async 'Azure Key Vault'() {
    const { CryptographyClient } = await import('@azure/keyvault-keys');
    const server = await start(azureService);
    const key = `${server.address}/keys/k/v1`;
    const credential = { getToken: async () => ({ token: 'hunter2', expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const client = new CryptographyClient(key, credential, {
      retryOptions: { maxRetries: 0 },
      // For a server on this machine.
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    });
    const wrapper = adapters.azureKeyVault({ client, key });
    const file = await through(wrapper, 'key_answer_broken');
    const error = (status, code) => says(status, { error: { code, message: 'hunter2' } });
    await failing(server, wrapper, file, [
      ['forbidden', error(403, 'Forbidden'), 'key_refused', 1],
      ['another version', error(400, 'BadParameter'), 'key_refused', 1],
      ['too many calls', error(429, 'Throttled'), 'key_unavailable', 3],
      ['unavailable', error(503, 'ServiceUnavailable'), 'key_unavailable', 3],
      ['an answer without a key', nothing, 'key_answer_broken', 1],
      ['a page', page, 'key_answer_broken', 1],
      ['a closed connection', closes, 'key_unavailable', 3],
      ['silence', hangs, 'key_unavailable', 3],
    ]);
    server.stop();
  },

  async 'SoftHSM through PKCS#11'() {
    const library = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find(
      existsSync,
    );
    if (library === undefined) throw new Error('SoftHSM is missing: apt-get install softhsm2');
    mkdirSync('tokens');
    writeFileSync('softhsm2.conf', `directories.tokendir = ${process.cwd()}/tokens\nobjectstore.backend = file\n`);
    process.env.SOFTHSM2_CONF = `${process.cwd()}/softhsm2.conf`;
    const made = spawnSync('softhsm2-util', [
      '--init-token',
      '--free',
      '--label',
      'trefoil',
      '--so-pin',
      '12345678',
      '--pin',
      '1234',
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    const { default: pkcs11js } = await import('pkcs11js');
    const module = new pkcs11js.PKCS11();
    module.load(library);
    module.C_Initialize();
    const slot = module.C_GetSlotList(true).find((one) => module.C_GetTokenInfo(one).label.trim() === 'trefoil');
    const session = module.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
    module.C_Login(session, pkcs11js.CKU_USER, '1234');
    module.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [
      { type: pkcs11js.CKA_LABEL, value: 'main' },
      { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_SENSITIVE, value: true },
      { type: pkcs11js.CKA_EXTRACTABLE, value: false },
      { type: pkcs11js.CKA_ENCRYPT, value: true },
      { type: pkcs11js.CKA_DECRYPT, value: true },
    ]);
    assert.throws(() => adapters.pkcs11({ module, session, label: 'none' }), /one key with the label none/);
    const wrapper = adapters.pkcs11({ module, session, label: 'main' });
    const file = await through(wrapper, 'key_refused');
    assert.equal(await open(file, wrapper), text);
    module.C_Logout(session);
    await refused('key_refused', () => open(file, wrapper), 'a session that has ended');
    module.C_CloseSession(session);
    module.C_Finalize();
  },
};

for (const [name, check] of Object.entries(checks)) {
  if (!name.includes(process.argv[3] ?? '')) continue;
  const begin = performance.now();
  await check();
  console.log(`${name}: ok, ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}
