/**
 * TSV streams (`trefoil/tsv`): lines of escaped cells in, pseudonymised lines out, in flat memory. Web standards only.
 *
 * The file format is that of PostgreSQL's `COPY … TO STDOUT` and `COPY … FROM STDIN` without options
 * (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"): a tab between cells, `\N` for null, a
 * backslash before a special character, no quotes. ClickHouse's TabSeparated reads and writes the same. Null stays
 * null, an empty cell is the empty text, and the two are never confused. If your file has tabs and quotes, it is CSV:
 * use `trefoil/csv` with `delimiter: '\t'`.
 *
 * The first line is the header (`COPY … WITH (HEADER)`), and its names are the policy's fields (`user.email` for a
 * nested field). If the option `header` names the columns, the file has no header line. The input is UTF-8, or in the
 * encoding that is set, and the output is UTF-8. The newline style (`\n` or `\r\n`), the last newline, a byte order
 * mark and the order of columns are kept. A file that COPY TO wrote is revealed byte for byte, if its rules reveal
 * every value.
 *
 * If a field of the policy has no column of its own, the cells of the column whose name begins its path are read as
 * JSON, or for `[]` as an array of PostgreSQL: `tags[]` is inside the column `tags`. A cell is written back in its
 * form, so jsonb stays jsonb and an array stays an array.
 */

import { moveDirection } from '../../policy/bound.ts';
import { type CanMove, type CanProtect, type CanReveal, runSource, runTransform, type Source } from '../stream.ts';
import { prepareTsv, type TsvOptions } from './codec.ts';

/**
 * Protects a TSV file as an async iterable of bytes, about one chunk a batch (1,024 rows by default).
 *
 * Nothing is read before the first chunk is asked for, and the source is never read more than about a batch ahead.
 * Records are at most 1 MiB unless `maxRecord` sets another limit. Works inside `pipeline` of `node:stream`. The
 * escapes are `\b \f \n \r \t \v \\`; `\'` is read and never written.
 *
 * *Warning*: a database that refuses a row quotes the row in its error and in its log. If you reveal into a table, that
 * row is the data of a person.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating. A record with an issue (`bad_escape`, `ragged_row`, `record_too_large`,
 * `not_utf8` or `not_in_encoding`, and the codes of the rules, each with line and column) ends the run unless
 * `onReject` is set; the error has the first 100 issues of the batch. These always end the run: `empty_input` (unless
 * `header` is set), `nul_byte`, an input that is in another encoding as a whole, what is wrong with the header
 * (`header_missing`, `header_duplicate`, `unnamed_field`, `missing_field`), and `not_tabular`.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, mask, policy } from 'trefoil';
 * import { protectTsv } from 'trefoil/tsv';
 *
 * const people = policy({ phone: mask({ last: 3 }), country: keep, notes: drop });
 * const bound = people.bind(keyset.generate().domain('eu-enclave'));
 *
 * let safe = '';
 * const copied = ['+49301234567\tDE\tcalled\\ntwice\n', '\\N\t\t\\N\n'];
 * const options = { header: ['phone', 'country', 'notes'] };
 * for await (const bytes of protectTsv(copied, bound, options)) safe += new TextDecoder().decode(bytes);
 * safe; // → '***567\tDE\n\\N\t\n'
 * ```
 */
export function protectTsv(source: Source, bound: CanProtect, options: TsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareTsv('protect', bound, options);
  return runSource(source, start, signal);
}

/**
 * Reveals a protected TSV file: sealed and encrypted cells get their original values, all others stay as they are. The
 * option `header` names the columns of the protected file, which has none for dropped fields.
 *
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link protectTsv} does. Before anything is read, it fails with
 * `reveal_access_required`, `key_check_required` and other codes of keys.
 *
 * @example
 * ```ts
 * import { keep, keyset, policy, seal } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectTsv, revealTsv } from 'trefoil/tsv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }), country: keep });
 * const keys = keyset.generate().domain('eu-enclave');
 *
 * const safe = protectTsv('name\tcountry\nZoë\\tMüller\t\\N\n', people.bind(keys));
 * let back = '';
 * for await (const bytes of revealTsv(safe, people.bind(keys, revealAccess))) back += new TextDecoder().decode(bytes);
 * back; // → 'name\tcountry\nZoë\\tMüller\t\\N\n'
 * ```
 */
export function revealTsv(source: Source, bound: CanReveal, options: TsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareTsv('reveal', bound, options);
  return runSource(source, start, signal);
}

/**
 * {@link protectTsv} as a web `TransformStream`, for `pipeThrough` and for `pipeline` of `node:stream`.
 *
 * With `limit` the stream ends its writable side early. `pipeThrough` accepts that; `pipeline` reports it as an error.
 *
 * @throws TypeError, RangeError for wrong arguments, and TrefoilError if the policy or the keys do not allow the run,
 * at once. An error in the data makes the stream fail.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy } from 'trefoil';
 * import { protectTsvStream } from 'trefoil/tsv';
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu-enclave'));
 * const body = new Response('country\tnotes\nDE\tcalled\n').body!;
 * await new Response(body.pipeThrough(protectTsvStream(bound))).text(); // → 'country\nDE\n'
 * ```
 */
export function protectTsvStream(bound: CanProtect, options: TsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareTsv('protect', bound, options);
  return runTransform(start, signal);
}

/**
 * {@link revealTsv} as a web `TransformStream`.
 *
 * @throws as {@link protectTsvStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectTsvStream, revealTsvStream } from 'trefoil/tsv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const keys = keyset.generate().domain('eu-enclave');
 * const body = new Response('name\nAda\n').body!;
 * const safe = body.pipeThrough(protectTsvStream(people.bind(keys)));
 * await new Response(safe.pipeThrough(revealTsvStream(people.bind(keys, revealAccess)))).text(); // → 'name\nAda\n'
 * ```
 */
export function revealTsvStream(bound: CanReveal, options: TsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareTsv('reveal', bound, options);
  return runTransform(start, signal);
}

/**
 * Moves a protected TSV file to another key: to the primary key of its domain, or to that of a recipient. `rekey` and
 * `project` of `trefoil/policy` say what is moved and what is refused.
 *
 * @param moving what `rekey` or `project` returns.
 * @throws TypeError, RangeError for wrong arguments, at once.
 * @throws TrefoilError while iterating, as {@link revealTsv} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectTsv, rekeyTsv } from 'trefoil/tsv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 *
 * const old = protectTsv('name\nAda\n', people.bind(both.domain('eu-enclave')));
 * let moved = '';
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 * for await (const bytes of rekeyTsv(old, moving)) moved += new TextDecoder().decode(bytes);
 * moved.includes(now.keyId); // → true
 * ```
 */
export function rekeyTsv(source: Source, moving: CanMove, options: TsvOptions = {}): AsyncIterable<Uint8Array> {
  const { start, signal } = prepareTsv(moveDirection(moving), moving, options);
  return runSource(source, start, signal);
}

/**
 * {@link rekeyTsv} as a web `TransformStream`.
 *
 * @throws as {@link protectTsvStream} does.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 * import { protectTsvStream, rekeyTsvStream } from 'trefoil/tsv';
 *
 * const people = policy({ name: seal({ scope: 'person.name' }) });
 * const both = addKey(keyset.generate());
 * const now = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 * const moving = rekey(people, { from: now, to: now }, revealAccess);
 *
 * const body = new Response('name\nAda\n').body!;
 * const safe = body.pipeThrough(protectTsvStream(people.bind(both.domain('eu-enclave'))));
 * const text = await new Response(safe.pipeThrough(rekeyTsvStream(moving))).text();
 * text.includes(now.keyId); // → true
 * ```
 */
export function rekeyTsvStream(moving: CanMove, options: TsvOptions = {}): TransformStream<Uint8Array, Uint8Array> {
  const { start, signal } = prepareTsv(moveDirection(moving), moving, options);
  return runTransform(start, signal);
}
