/**
 * One key, one protocol (docs/spec/govern/officer-signature-v1.md): a key of an officer, a desk or a log may, against
 * all advice, be in use elsewhere. What it signs in one protocol is never what it signs in another. An attacker chooses
 * every free field.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkNamespace, type SshNamespace } from '../../../src/govern/officers/namespace.ts';
import { checkShort } from '../../../src/govern/officers/signatures.ts';
import { cosignedMessage, isCheckpointText } from '../../../src/note/cosignature.ts';
import { sha256, signedMessage, string, uint32 } from './sshsig.ts';

const KINDS = ['charter', 'warrant', 'refusal', 'ratification', 'clock'] as const;

const utf8Of = (message: Uint8Array): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    return null;
  }
};
const latin1 = (message: Uint8Array): string => Buffer.from(message).toString('latin1');
const runs = (run: () => unknown): boolean => {
  try {
    run();
    return true;
  } catch {
    return false;
  }
};

/** Whether our signers sign a text for this use: their own check. */
const isTextOf = (kind: (typeof KINDS)[number], message: Uint8Array): boolean => {
  const text = utf8Of(message);
  return text !== null && runs(() => checkNamespace(checkShort(text), `${kind}@trefoil`));
};

/** Whether a message may be one of a protocol. Each is as wide as its document allows. */
const PROTOCOLS: Readonly<Record<string, (message: Uint8Array) => boolean>> = {
  ...Object.fromEntries(KINDS.map((kind) => [kind, (message: Uint8Array) => isTextOf(kind, message)])),
  // https://c2sp.org/tlog-checkpoint
  checkpoint: (message) => isCheckpointText(utf8Of(message) ?? ''),
  // https://c2sp.org/tlog-cosignature
  cosignature: (message) => latin1(message).startsWith('cosignature/v1\ntime '),
  // PROTOCOL.sshsig: the length of the namespace follows the magic.
  SSHSIG: (message) => latin1(message).startsWith('SSHSIG\0'),
  // PROTOCOL.u2f and WebAuthn, section 6.1: the hash of the application, flags and counter.
  'hardware, of an SSH signature': (message) =>
    message.length === 69 && sha256('ssh:').equals(Buffer.from(message.subarray(0, 32))),
  // RFC 4252, section 7: the length of the session identifier, which is a hash of 20 to 64 bytes.
  'SSH login': (message) => message.length > 60 && /^\0\0\0[\x14-\x40]/.test(latin1(message)),
  // RFC 9421, section 2.5: begins with a quoted name; the last line has no line feed.
  'HTTP request': (message) => /^"[^\n]*"(?:;[^\n]*)?: [\s\S]*[^\n]$/.test(latin1(message)),
};

/** What a free field may hold: the beginnings of the other protocols, and anything else. */
const free = fc
  .oneof(
    fc.constantFrom(
      'cosignature/v1',
      ...KINDS.map((kind) => `trefoil ${kind} v1`),
      'SSHSIG',
      '"@method": POST',
      '"@signature-params": ()',
      'time 1',
      '0',
      '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    ),
    fc.string({ minLength: 1, maxLength: 20 }),
  )
  .map((value) => value.replace(/[\x00-\x1f]/g, '.'));
const size = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const root = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const checkpoint = fc
  .tuple(free, size, root, fc.array(free, { maxLength: 4 }))
  .map(([origin, leaves, hash, more]) => [origin, leaves, hash, ...more].map((line) => `${line}\n`).join(''));
const namespaces = fc.oneof(fc.constantFrom(...KINDS.map((kind) => `${kind}@trefoil`), 'git', 'file'), free);
const sshMessage = fc
  .tuple(free, namespaces, fc.constantFrom('sha256', 'sha512'))
  .map(([text, namespace, hash]) => signedMessage(text, namespace, hash));

/** Messages of each protocol. */
const MESSAGES: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  ...Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      fc
        .array(fc.tuple(fc.constantFrom('id', 'why', 'log', 'at'), free))
        .map((lines) =>
          Buffer.from(`trefoil ${kind} v1\n${lines.map(([word, rest]) => `${word} ${rest}\n`).join('')}`),
        ),
    ]),
  ),
  checkpoint: checkpoint.map((text) => Buffer.from(text)),
  cosignature: fc.tuple(fc.nat(), checkpoint).map(([time, text]) => cosignedMessage(time, text)),
  SSHSIG: sshMessage,
  'hardware, of an SSH signature': fc
    .tuple(sshMessage, fc.nat(255), fc.nat())
    .map(([message, flags, counter]) =>
      Buffer.concat([sha256('ssh:'), Buffer.of(flags), uint32(counter), sha256(message)]),
    ),
  'SSH login': fc
    .tuple(fc.uint8Array({ minLength: 20, maxLength: 64 }), free)
    .map(([session, user]) =>
      Buffer.concat([
        string(session),
        Buffer.of(50),
        ...[user, 'ssh-connection', 'publickey'].map((text) => string(text)),
        Buffer.of(1),
        string('ssh-ed25519'),
        string('key'),
      ]),
    ),
  'HTTP request': fc
    .array(fc.tuple(fc.constantFrom('@method', '@target-uri', 'content-digest'), free))
    .map((parts) =>
      Buffer.from(
        [...parts, ['@signature-params', '("@method");tag="trefoil-gateway-v1"']]
          .map(([name, value]) => `"${name}": ${value}`)
          .join('\n'),
      ),
    ),
};

describe('every message is one of its own protocol and of no other', () => {
  it('has messages of all', () => {
    expect(Object.keys(MESSAGES)).toEqual(Object.keys(PROTOCOLS));
  });

  it.each(Object.keys(MESSAGES))('%s', (name) => {
    fc.assert(
      fc.property(MESSAGES[name]!, (message) => {
        const found = Object.keys(PROTOCOLS).filter((protocol) => PROTOCOLS[protocol]!(message));
        expect(found).toEqual([name]);
      }),
      { numRuns: 500 },
    );
  });
});

it('a namespace that is longer or shorter does not move into the text of an SSH signature', () => {
  // Whoever chooses the namespace in another program cannot make it ours, because its length is signed.
  const ours = KINDS.map((kind): SshNamespace => `${kind}@trefoil`);
  fc.assert(
    fc.property(fc.constantFrom(...ours), fc.string(), fc.string(), fc.boolean(), (namespace, more, text, isBefore) => {
      const other = isBefore ? `${more}${namespace}` : `${namespace}${more}`;
      const made = signedMessage(text, other, 'sha512').equals(signedMessage(text, namespace, 'sha512'));
      expect(made).toBe(other === namespace);
    }),
  );
});

it('the hash of the application that OpenSSH uses is no UTF-8, so no text begins with it', () => {
  expect(utf8Of(createHash('sha256').update('ssh:').digest().subarray(0, 2))).toBeNull();
});
