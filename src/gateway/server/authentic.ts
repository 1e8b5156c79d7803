/** Who has sent a request: its digest, its one signature, its time, and that it was not seen before. */

import { utf8 } from '../../core/bytes.ts';
import { writeHex } from '../../core/hex.ts';
import type { Charter } from '../../govern/charter/charter.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { checkOf, type Verifier } from '../../note/verifier.ts';
import { contentDigest, keyIdOf, REQUEST_COMPONENTS, requestBase } from '../http/base.ts';
import { readSignature } from '../http/signature.ts';
import { NONCE_SECONDS, SKEW } from '../wire/limits.ts';
import { Refusal } from './refusal.ts';

/** A party of the charter that has signed a request. */
export interface Caller {
  readonly role: 'desk' | 'client';
  readonly handle: string;
  readonly verifier: Verifier;
  /** What was signed, and its SHA-256 as 64 hexadecimal digits: the log has it. */
  readonly base: string;
  readonly sha256: string;
}

/** What requests are held against. */
export interface Gatekeeper {
  /**
   * Finds out who has sent a request.
   *
   * @throws Refusal `request_unsigned`, `request_expired`, `request_replayed`.
   */
  readonly check: (message: Received, charter: Charter) => Caller;
}

/** A request as it came. */
export interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * Makes the gatekeeper of a gateway.
 *
 * Nonces live in memory. After a restart, requests from before it are refused by their time; one that a desk with a
 * fast clock has signed is known by its digest, which the log has.
 *
 * @param seen digests of requests that are in the log already.
 */
export function makeGatekeeper(now: () => number, seen: Iterable<string>): Gatekeeper {
  const clock = (): number => Math.floor(now() / 1000);
  const began = clock();
  const before = new Set(seen);
  /** When each nonce may be forgotten, in the order of their coming. */
  const nonces = new Map<string, number>();

  function refuseReplays(sha256: string, keyId: string, nonce: string): void {
    const at = clock();
    for (const [old, until] of nonces) {
      if (until > at) break;
      nonces.delete(old);
    }
    if (at > began + NONCE_SECONDS) before.clear();
    const name = `${keyId} ${nonce}`;
    if (nonces.has(name) || before.has(sha256)) {
      throw new Refusal(409, 'request_replayed', 'the gateway has seen the request already; sign each one anew');
    }
    nonces.set(name, at + NONCE_SECONDS);
  }

  return {
    check({ method, target, headers, body }, charter) {
      const read = readSignature(headers.get('signature-input'), headers.get('signature'));
      if (read === null || read.components !== REQUEST_COMPONENTS || read.nonce === null) {
        unsigned('the request does not have the one signature that the protocol demands');
      }
      const { params, created, keyId, nonce, signature } = read;
      const digest = contentDigest(body);
      if (headers.get('content-digest') !== digest) unsigned('the digest of the content is missing or not that of it');
      const party = partyOf(charter, keyId);
      const base = requestBase({ method, target, digest, params });
      if (party === null || checkOf(party.verifier)!(base, signature) === null) {
        unsigned('the signature does not verify under a key of a desk or client of the charter');
      }
      const at = clock();
      if (created < at - SKEW || created > at + SKEW || created < began) {
        const what = created > at ? 'in the future' : 'too long ago, or before the gateway began';
        throw new Refusal(401, 'request_expired', `the request was signed ${what}; compare the clocks`);
      }
      const sha256 = writeHex(sha256Of(utf8(base)));
      refuseReplays(sha256, keyId, nonce!);
      return { ...party, base, sha256 };
    },
  };
}

function unsigned(message: string): never {
  throw new Refusal(401, 'request_unsigned', message);
}

/** The desk or client with a key. */
function partyOf({ desks, clients }: Charter, keyId: string): Pick<Caller, 'role' | 'handle' | 'verifier'> | null {
  for (const { handle, key } of desks.values()) {
    if (keyIdOf(key) === keyId) return { role: 'desk', handle, verifier: key };
  }
  for (const { handle, key } of clients.values()) {
    if (keyIdOf(key) === keyId) return { role: 'client', handle, verifier: key };
  }
  return null;
}
