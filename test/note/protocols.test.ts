/**
 * One key, one protocol (docs/guide/notes.md, "One key"): what is signed in one protocol is never a message of another.
 * Free fields get the first lines of the other protocols.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { cosigner, newNoteKey, noteSigner } from '../../src/log.ts';
import { cosignedMessage, isCheckpointText } from '../../src/note/cosignature.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (message: Uint8Array): string => Buffer.from(message).toString('latin1');
const text = (message: Uint8Array): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    return null;
  }
};

/** Whether bytes are a message of a protocol. Each is as wide as its document allows. */
const PROTOCOLS: Readonly<Record<string, (message: Uint8Array) => boolean>> = {
  // Our notes name their format in line 1, and each of their lines begins with a word. The last byte is a line feed.
  'trefoil note': (message) => /^trefoil [a-z]+ v[0-9]+\n([a-z]+( [^\n]*)?\n)+$/.test(text(message) ?? ''),
  // https://c2sp.org/tlog-checkpoint: line 2 is a number.
  checkpoint: (message) => isCheckpointText(text(message) ?? ''),
  // https://c2sp.org/tlog-cosignature, Ed25519: line 2 is `time` and a number.
  cosignature: (message) => {
    const [, rest] = /^cosignature\/v1\ntime (?:0|[1-9][0-9]*)\n([\s\S]*)$/.exec(text(message) ?? '') ?? [];
    return rest !== undefined && isCheckpointText(rest);
  },
  // https://c2sp.org/tlog-cosignature, ML-DSA-44: a NUL in line 2.
  subtree: (message) => latin1(message).startsWith('subtree/v1\n\0'),
  // PROTOCOL.sshsig of OpenSSH: after the magic there is a length of four bytes, and no namespace has 2^24 bytes.
  'SSH signature': (message) => latin1(message).startsWith('SSHSIG\0'),
  // RFC 9421, section 2.5: begins with a quoted name; the last line has no line feed.
  'HTTP signature': (message) => /^(?:"[\s\S]*\n)?"@signature-params": [^\n]+$/.test(latin1(message)),
};

/** What a free field may hold: the beginnings of the other protocols, and anything else. */
const free = fc
  .oneof(
    fc.constantFrom(
      'cosignature/v1',
      'trefoil charter v1',
      'trefoil warrant v1',
      'subtree/v1',
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
const lines = fc.array(free, { maxLength: 4 });
const size = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const root = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const checkpoint = fc
  .tuple(free, size, root, lines)
  .map(([origin, leaves, hash, more]) => [origin, leaves, hash, ...more].map((line) => `${line}\n`).join(''));
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Messages of each protocol, made by an attacker who chooses all that may be chosen. */
const MESSAGES: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  'trefoil note': fc
    .tuple(fc.constantFrom('charter', 'warrant', 'refusal', 'ratification'), fc.array(free, { minLength: 1 }))
    .map(([kind, more]) => utf8(`trefoil ${kind} v1\n${more.map((value) => `id ${value}\n`).join('')}`)),
  checkpoint: checkpoint.map(utf8),
  cosignature: fc.tuple(fc.nat(), checkpoint).map(([time, body]) => cosignedMessage(time, body)),
  subtree: fc
    .tuple(free, fc.uint8Array({ minLength: 8, maxLength: 90 }))
    .map(([name, rest]) =>
      Buffer.concat([Buffer.from('subtree/v1\n\0'), Buffer.of(name.length), Buffer.from(name), rest]),
    ),
  'SSH signature': fc
    .tuple(free, fc.uint8Array({ minLength: 32, maxLength: 64 }))
    .map(([namespace, hash]) =>
      Buffer.concat([Buffer.from('SSHSIG'), uint32(namespace.length), Buffer.from(namespace), uint32(0), hash]),
    ),
  'HTTP signature': fc
    .array(fc.tuple(fc.constantFrom('@method', '@target-uri', 'content-digest'), free))
    .map((parts) =>
      utf8(
        [...parts, ['@signature-params', '("@method");tag="trefoil-gateway-v1"']]
          .map(([name, value]) => `"${name}": ${value}`)
          .join('\n'),
      ),
    ),
};

describe('every message is one of its own protocol and of no other', () => {
  it.each(Object.keys(MESSAGES))('%s', (name) => {
    fc.assert(
      fc.property(MESSAGES[name]!, (message) => {
        const found = Object.keys(PROTOCOLS).filter((protocol) => PROTOCOLS[protocol]!(message));
        expect(found).toEqual([name]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('signers', () => {
  const accepts = (sign: (message: Uint8Array) => unknown, message: Uint8Array): boolean => {
    try {
      sign(message);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(TrefoilError);
      return false;
    }
  };
  // One seed under both algorithms, which nobody should do: the messages are still apart.
  const random = () => new Uint8Array(32).fill(9);
  const noteKey = noteSigner(newNoteKey('a.example', { random }).privateKey);
  const witnessKey = cosigner(newNoteKey('a.example', { algorithm: 'cosignature/v1', random }).privateKey);

  it.each(Object.keys(MESSAGES))('%s: who signs it', (name) => {
    fc.assert(
      fc.property(MESSAGES[name]!, (message) => {
        // A log whose origin is the header of cosignatures gets none of our signatures, although it would do no harm.
        const isNote = name === 'trefoil note' || name === 'checkpoint';
        expect(accepts(noteKey.sign, message)).toBe(isNote && !latin1(message).startsWith('cosignature/v1\n'));
        expect(accepts(witnessKey.sign, message)).toBe(name === 'checkpoint');
      }),
      { numRuns: 50 },
    );
  });

  it('whatever a signer of notes accepts, it is no message of a cosigner, of SSH or of HTTP', () => {
    const pieces = fc.constantFrom(
      'cosignature/v1\n',
      'time 1\n',
      'a.example\n',
      '0\n',
      'SSHSIG',
      '"a": b\n',
      '\0',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 8 }), (parts) => {
        const message = utf8(parts.join(''));
        if (!accepts(noteKey.sign, message)) return;
        for (const other of ['cosignature', 'subtree', 'SSH signature', 'HTTP signature']) {
          expect(PROTOCOLS[other]!(message), other).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
