/**
 * CSV streams (`trefoil/csv`): records in, pseudonymised records out, in flat memory. For Node, Deno and Bun.
 *
 * The first line is the header, and its names are the policy's fields (`user.email` for a nested field). Cells are
 * text; an empty cell is a missing value. The input is UTF-8, or in the encoding that is set, with any of the three
 * newlines; the output is UTF-8. The byte order mark, the newline style, the last newline, a first line that names the
 * delimiter (`sep=;`) and the order of columns are kept.
 *
 * If a field of the policy has no column of its own, the cells of the column whose name begins its path are read as
 * JSON, or for `[]` as an array of PostgreSQL: `tags[]` is inside the column `tags`. A cell is written back in its
 * form.
 *
 * An empty cell is written as it was read: `""`, which is the empty text for PostgreSQL and DuckDB, or nothing, which
 * is NULL. All other cells are quoted as the option `quoting` says. A file that is quoted in that way is revealed byte
 * for byte, if its rules reveal every value.
 *
 * *Warning*: cells that begin with `=`, `+`, `-` or `@` are not changed for spreadsheets, which may read them as
 * formulas. A changed cell could not be revealed.
 */

import { moveDirection } from '../../policy/bound.ts';
import { type CanMove, type CanProtect, type CanReveal, runSource, runTransform, type Source } from '../stream.ts';
import { type CsvOptions, prepareCsv } from './codec.ts';

/**
 * Protects a CSV file as an async iterable of bytes, about one chunk a batch (1,024 rows by default).
 *
 * Nothing is read before the first chunk is asked for, and the source is never read more than about a batch ahead.
 * Records are at most 1 MiB unless `maxRecord` sets another limit. Works inside `pipeline` of `node:stream`.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating. A record with an issue (`ragged_row`, `stray_quote` for a quote inside an
 * unquoted cell, `bad_escape`, `needs_quotes`, `not_utf8` or `not_in_encoding`, and the codes of the rules) ends the
 * run unless `onReject` is set; the error has the first 100 issues of the batch. These always end the run:
 * `empty_input` (unless `header` is set), `nul_byte`, `unclosed_quote`, `stray_quote` for text after a closing quote,
 * `record_too_large`, `delimiter_mismatch`, an input that is in another encoding as a whole, what is wrong with the
 * header (`header_missing`, `header_duplicate`, `unnamed_field`, `missing_field`), and `not_tabular`.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, mask, policy } from 'trefoil';
 * import { protectCsv } from 'trefoil/csv';
 *
 * const people = policy({ phone: mask({ last: 3 }), country: keep, notes: drop });
 * const bound = people.bind(keyset.generate().domain('eu-enclave'));
 *
 * let safe = '';
 * const source = ['phone,country,notes\n', '+49301234567,DE,called\n'];
 * for await (const bytes of protectCsv(source, bound)) safe += new TextDecoder().decode(bytes);
 * safe; // → 'phone,country\n***567,DE\n'
 * ```
 */
export function protectCsv(source: Source, bound: CanProtect, options: CsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareCsv('protect', bound, options);
  return runSource(source, start, signal);
}

/**
 * Reveals a protected CSV file: sealed and encrypted cells get their original values, all others stay as they are.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link protectCsv} does. Before anything is read, it fails with
 * `reveal_access_required`, `key_check_required` and other codes of keys.
 *
 * @example
 * ```ts
 * import { keep, keyset, policy, seal } from 'trefoil';
 * import { protectCsv, revealCsv } from 'trefoil/csv';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }), country: keep });
 * const keys = keyset.generate().domain('eu-enclave');
 *
 * const safe = protectCsv('name,country\nZoë Müller,DE\n', people.bind(keys));
 * let back = '';
 * for await (const bytes of revealCsv(safe, people.bind(keys, revealAccess))) back += new TextDecoder().decode(bytes);
 * back; // → 'name,country\nZoë Müller,DE\n'
 * ```
 */
export function revealCsv(source: Source, bound: CanReveal, options: CsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareCsv('reveal', bound, options);
  return runSource(source, start, signal);
}

/**
 * {@link protectCsv} as a web `TransformStream`, for `pipeThrough` and for `pipeline` of `node:stream`.
 *
 * With `limit` the stream ends its writable side early. `pipeThrough` accepts that; `pipeline` reports it as an error.
 *
 * @throws TypeError, RangeError for wrong arguments, and TrefoilError if the policy or the keys do not allow the run,
 * at once. An error in the data makes the stream fail.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy } from 'trefoil';
 * import { protectCsvStream } from 'trefoil/csv';
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu-enclave'));
 * const body = new Response('country,notes\nDE,called\n').body!;
 * await new Response(body.pipeThrough(protectCsvStream(bound))).text(); // → 'country\nDE\n'
 * ```
 */
export function protectCsvStream(bound: CanProtect, options: CsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareCsv('protect', bound, options);
  return runTransform(start, signal);
}

/**
 * {@link revealCsv} as a web `TransformStream`.
 *
 * @throws as {@link protectCsvStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { protectCsvStream, revealCsvStream } from 'trefoil/csv';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 * const body = new Response('name\nAda\n').body!;
 * const safe = body.pipeThrough(protectCsvStream(people.bind(keys)));
 * await new Response(safe.pipeThrough(revealCsvStream(people.bind(keys, revealAccess)))).text(); // → 'name\nAda\n'
 * ```
 */
export function revealCsvStream(bound: CanReveal, options: CsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareCsv('reveal', bound, options);
  return runTransform(start, signal);
}

/**
 * Moves a protected CSV file to another key: to the primary key of its domain, or to that of a recipient. `rekey` and
 * `project` of `trefoil/policy` say what is moved and what is refused.
 *
 * @param moving what `rekey` or `project` returns.
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link revealCsv} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectCsv, rekeyCsv } from 'trefoil/csv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 *
 * const old = protectCsv('name\nAda\n', people.bind(both.domain('eu-enclave')));
 * let moved = '';
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 * for await (const bytes of rekeyCsv(old, moving)) moved += new TextDecoder().decode(bytes);
 * moved.includes(now.keyId); // → true
 * ```
 */
export function rekeyCsv(source: Source, moving: CanMove, options: CsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareCsv(moveDirection(moving), moving, options);
  return runSource(source, start, signal);
}

/**
 * {@link rekeyCsv} as a web `TransformStream`.
 *
 * @throws as {@link protectCsvStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectCsvStream, rekeyCsvStream } from 'trefoil/csv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 *
 * const body = new Response('name\nAda\n').body!;
 * const safe = body.pipeThrough(protectCsvStream(people.bind(both.domain('eu-enclave'))));
 * const text = await new Response(safe.pipeThrough(rekeyCsvStream(moving))).text();
 * text.includes(now.keyId); // → true
 * ```
 */
export function rekeyCsvStream(moving: CanMove, options: CsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareCsv(moveDirection(moving), moving, options);
  return runTransform(start, signal);
}
