/**
 * NDJSON streams (`trefoil/ndjson`): one JSON object a line, in flat memory. Web standards only.
 *
 * Lines of the input end with `\n` or `\r\n`; blank lines are skipped, and a byte order mark is removed. Lines of the
 * output end with `\n` and are spaced as by `JSON.stringify`. A kept value is the same JSON value as before.
 *
 * A kept number is written as it was read, whatever its size and spelling: `6150769120280496265`, `12.50`, `1E400`. The
 * rule `token` takes a whole number of any size in plain digits as its text, as it does in CSV. A rule that cannot read
 * a number without rounding it reports `unsafe_integer` or `wrong_type` with the field. An object with the same key
 * twice is refused.
 */

import { moveDirection } from '../../policy/bound.ts';
import { type CanMove, type CanProtect, type CanReveal, runSource, runTransform, type Source } from '../stream.ts';
import { type NdjsonOptions, prepareNdjson } from './codec.ts';

/**
 * Protects JSON lines as an async iterable of bytes, about one chunk a batch (1,024 records by default).
 *
 * Nothing is read before the first chunk is asked for, and the source is never read more than about a batch ahead. A
 * record is at most 1 MiB unless `maxRecord` sets another limit, and nested at most 100 levels. Works inside `pipeline`
 * of `node:stream`.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating. A record with an issue (`invalid_json`, `not_an_object`, `duplicate_key`,
 * `unsafe_integer`, `nested_value`, `record_too_large`, `not_utf8` or `not_in_encoding`, and the codes of the rules)
 * ends the run unless `onReject` is set; the error has the first 100 issues of the batch. A NUL byte (`nul_byte`) and
 * an input that is in another encoding as a whole always end the run.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, mask, policy } from 'trefoil';
 * import { protectNdjson } from 'trefoil/ndjson';
 *
 * const visits = policy({ user: { phone: mask({ last: 3 }), age: keep }, notes: drop });
 * const bound = visits.bind(keyset.generate().domain('eu-enclave'));
 *
 * let safe = '';
 * const source = ['{"user":{"phone":"+49301234567","age":31},"notes":"called"}\n'];
 * for await (const bytes of protectNdjson(source, bound)) safe += new TextDecoder().decode(bytes);
 * safe; // → '{"user":{"phone":"***567","age":31}}\n'
 * ```
 */
export function protectNdjson(
  source: Source,
  bound: CanProtect,
  options: NdjsonOptions = {},
): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareNdjson('protect', bound, options);
  return runSource(source, start, signal);
}

/**
 * Reveals protected JSON lines: sealed and encrypted values get their original values, all others stay as they are.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link protectNdjson} does. Before anything is read, it fails with
 * `reveal_access_required`, `key_check_required` and other codes of keys.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { protectNdjson, revealNdjson } from 'trefoil/ndjson';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 *
 * const safe = protectNdjson('{"name":"Zoë Müller"}', people.bind(keys));
 * const revealing = people.bind(keys, revealAccess);
 * let back = '';
 * for await (const bytes of revealNdjson(safe, revealing)) back += new TextDecoder().decode(bytes);
 * back; // → '{"name":"Zoë Müller"}\n'
 * ```
 */
export function revealNdjson(source: Source, bound: CanReveal, options: NdjsonOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareNdjson('reveal', bound, options);
  return runSource(source, start, signal);
}

/**
 * {@link protectNdjson} as a web `TransformStream`, for `pipeThrough` and for `pipeline` of `node:stream`.
 *
 * With `limit` the stream ends its writable side early. `pipeThrough` accepts that; `pipeline` reports it as an error.
 *
 * @throws TypeError, RangeError for wrong arguments, and TrefoilError if the policy or the keys do not allow the run,
 * at once. An error in the data makes the stream fail.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy } from 'trefoil';
 * import { protectNdjsonStream } from 'trefoil/ndjson';
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu-enclave'));
 * const body = new Response('{"country":"DE","notes":"called"}\n').body!;
 * await new Response(body.pipeThrough(protectNdjsonStream(bound))).text(); // → '{"country":"DE"}\n'
 * ```
 */
export function protectNdjsonStream(
  bound: CanProtect,
  options: NdjsonOptions = {},
): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareNdjson('protect', bound, options);
  return runTransform(start, signal);
}

/**
 * {@link revealNdjson} as a web `TransformStream`.
 *
 * @throws as {@link protectNdjsonStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { protectNdjsonStream, revealNdjsonStream } from 'trefoil/ndjson';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 * const body = new Response('{"name":"Ada"}\n').body!;
 * const safe = body.pipeThrough(protectNdjsonStream(people.bind(keys)));
 * const back = safe.pipeThrough(revealNdjsonStream(people.bind(keys, revealAccess)));
 * await new Response(back).text(); // → '{"name":"Ada"}\n'
 * ```
 */
export function revealNdjsonStream(
  bound: CanReveal,
  options: NdjsonOptions = {},
): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareNdjson('reveal', bound, options);
  return runTransform(start, signal);
}

/**
 * Moves protected JSON lines to another key: to the primary key of its domain, or to that of a recipient. `rekey` and
 * `project` of `trefoil/policy` say what is moved and what is refused.
 *
 * @param moving what `rekey` or `project` returns.
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link revealNdjson} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectNdjson, rekeyNdjson } from 'trefoil/ndjson';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 *
 * const old = protectNdjson('{"name":"Ada"}\n', people.bind(both.domain('eu-enclave')));
 * let moved = '';
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 * for await (const bytes of rekeyNdjson(old, moving)) moved += new TextDecoder().decode(bytes);
 * moved.includes(now.keyId); // → true
 * ```
 */
export function rekeyNdjson(source: Source, moving: CanMove, options: NdjsonOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareNdjson(moveDirection(moving), moving, options);
  return runSource(source, start, signal);
}

/**
 * {@link rekeyNdjson} as a web `TransformStream`.
 *
 * @throws as {@link protectNdjsonStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectNdjsonStream, rekeyNdjsonStream } from 'trefoil/ndjson';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 *
 * const body = new Response('{"name":"Ada"}\n').body!;
 * const safe = body.pipeThrough(protectNdjsonStream(people.bind(both.domain('eu-enclave'))));
 * const text = await new Response(safe.pipeThrough(rekeyNdjsonStream(moving))).text();
 * text.includes(now.keyId); // → true
 * ```
 */
export function rekeyNdjsonStream(
  moving: CanMove,
  options: NdjsonOptions = {},
): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareNdjson(moveDirection(moving), moving, options);
  return runTransform(start, signal);
}
