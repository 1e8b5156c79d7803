/** Keys that are behind a gateway: names and check values here, the work there. */

import { badRange, badType, checkName, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { checkKeyCheck, type KeyCheck } from '../../keys/checks.ts';
import { type DomainKeys, keysElsewhere, pinKeys } from '../../keys/domain-keys.ts';
import type { Signer } from '../../note/signer.ts';
import { verifierKey } from '../../note/verifier.ts';
import { checkSigner } from '../http/signing.ts';
import { originOf } from '../server/gateway.ts';
import { farPlace } from './place.ts';
import { accepted, broken, makeAsk } from './transport.ts';

/** Options of {@link gatewayKeys}. */
export interface GatewayKeysOptions {
  /** Name of the domain. A gateway with keys of another one is refused. */
  readonly domain: string;
  /** The check values that are pinned, by shown key id. A gateway that does not have these keys is refused. */
  readonly keyCheck: KeyCheck;
  /** The verifier key that the charter has for answers: what is not signed by it is not believed. */
  readonly answers: string;
  /** Signs requests with the key of a desk or a client: what `requestSigner` returns. */
  readonly signer: Signer;
  /** Default: that of the runtime. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Asks a gateway for the names of its keys, and returns them as domain keys. No key is in them: a policy that is opened
 * with them sends its columns to the gateway. With the key of a desk it reveals, with `warrantAccess` of
 * `trefoil/govern`; with the key of a client it protects.
 *
 * A batch of more than 1,000 records is several requests, and so several uses of the warrant.
 *
 * `rule.bind`, `policy.bind` and everything else that computes with keys in this process throws `keys_elsewhere`, or
 * `warrant_required` if it reveals.
 *
 * **Warning**: revealed values are in clear, in this process. The channel must be a local one, or TLS.
 *
 * @param url the address of the gateway, as it is configured with: `http://127.0.0.1:7380`.
 * @throws TrefoilError `gateway_unavailable`, `gateway_answer_broken`, `wrong_domain`, `key_check_mismatch`; what the
 *   gateway refuses with, such as `request_unsigned`.
 *
 * @example
 * ```ts
 * import { gatewayKeys, type GatewayKeysOptions } from 'trefoil/gateway';
 *
 * async function connect(options: GatewayKeysOptions) {
 *   return gatewayKeys('http://127.0.0.1:7380', options);
 * }
 * typeof connect; // → 'function'
 * ```
 */
export async function gatewayKeys(url: string, options: GatewayKeysOptions): Promise<DomainKeys> {
  const names = ['domain', 'keyCheck', 'answers', 'signer', 'fetch', 'now', 'random'];
  const given = checkOptions<GatewayKeysOptions>('options', options, names);
  const { domain, keyCheck, answers, signer, fetch = globalThis.fetch, now = Date.now, random = randomBytes } = given;
  const origin = originOf(url);
  checkName('domain', domain);
  checkKeyCheck(keyCheck);
  checkSigner('signer', signer);
  for (const [name, value] of Object.entries({ fetch, now, random })) {
    if (typeof value !== 'function') badType(name, `expected a function, got ${typeName(value)}`);
  }
  const verifier = verifierKey(answers);
  if (verifier.algorithm !== 'ed25519') badRange('answers', 'expected a verifier key of the type Ed25519');
  const ask = makeAsk({ origin, answers: verifier, signer, fetch, now, random });
  const facts = accepted(await ask('facts', {}));
  if (facts.domain !== domain) fail('wrong_domain', `the gateway does not have the keys of the domain ${domain}`);
  return pinKeys(keysElsewhere({ domain, ...namesIn(facts) }, farPlace(ask)), keyCheck);
}

/** The names of the keys, the primary first. */
function namesIn({ region, keyId, keyCheck, ready, retired }: Readonly<Record<string, unknown>>) {
  const checks = textsIn(keyCheck);
  const isReady = (id: string): boolean => Array.isArray(ready) && ready.includes(id);
  const keys = Object.entries(checks)
    .map(([id, check]) => ({ id, check, isReady: isReady(id) }))
    .sort((a, b) => Number(b.id === keyId) - Number(a.id === keyId));
  if (keys[0]?.id !== keyId) broken('has no primary key');
  if (region !== null && typeof region !== 'string') broken('has a region that is no name');
  return { region, keys, retired: new Map(Object.entries(textsIn(retired))) };
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return broken('has no names of keys');
  for (const [name, text] of Object.entries(value)) {
    if (!/^[0-9a-z]{1,16}$/.test(name) || typeof text !== 'string' || text.length > 64) broken('has no names of keys');
  }
  return value as Readonly<Record<string, string>>;
}
