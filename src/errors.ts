/**
 * Errors: one class, stable codes, and issues that say what is wrong, where, and what to do.
 *
 * No issue and no message ever carries a value, a key or a piece of either. Numbers (limits, lengths, sizes) are
 * fields. Mistakes in arguments are `TypeError` and `RangeError`; everything that depends on data, keys, policy files
 * or input and output is a {@link TrefoilError}.
 */

/** The kind of a mistake. It decides the exit code of the command line. */
export type IssueKind = 'data' | 'policy' | 'keys' | 'io' | 'refused';

// Codes are part of the public interface. New ones may be added, but none is ever renamed or gets another kind. The
// comment of each says when it is thrown, and docs/guide/errors.md says what to do.
const KINDS = {
  // One value, one field, one row.
  /** A field of the policy is not in the record, in the columns or in the header, and is not optional. */
  missing_field: 'data',
  /** A record, header or table has a field that the policy does not name, and the policy does not drop it. */
  unnamed_field: 'data',
  /** A value has a type that its rule does not take, or a policy's object or array is something else in the data. */
  wrong_type: 'data',
  /** A rule for one value got an object or an array, or a record is nested deeper than the limit. */
  nested_value: 'data',
  /** A text has one half of a surrogate pair, so it is not valid Unicode. */
  lone_surrogate: 'data',
  /** A prepare step got a character that Unicode 15.1 does not assign, so its normal form may change. */
  unassigned_code_point: 'data',
  /** A number is beyond 2^53 - 1, so it may have been rounded, or it is not whole where a rule needs that. */
  unsafe_integer: 'data',
  /** A cell of a field with `value: integer` is not a whole number up to 2^53 - 1 without leading zeros. */
  not_an_integer: 'data',
  /** `coarsen` with `number` got a value that is not a plain decimal number. */
  not_a_number: 'data',
  /** `coarsen` with `date` or `shiftDate` got a value that is not a date of the calendar in a form they read. */
  not_a_date: 'data',
  /** A rule or format for addresses got a value that is not an IP address. */
  not_an_ip: 'data',
  /** A prepare step or format for e-mail addresses got a value that is not one. */
  not_an_email: 'data',
  /** A prepare step or format for telephone numbers got a value that is not one. */
  not_a_phone: 'data',
  /** `digitsOnly` got a text without a digit, or with a character outside ASCII. */
  not_digits: 'data',
  /** `fpe` got a value that its format does not have, or `shiftDate` a date outside the years 0001 to 9999. */
  outside_format: 'data',
  /** A value is longer than its rule allows, has too many combining marks in a row, or a line of input is too long. */
  too_long: 'data',
  /** `token` got a token of the same keys: the value was protected before. */
  already_token: 'data',
  /** A rule or store that reveals tokens got a text that is not one in its form. */
  malformed_token: 'data',
  /** A token is from another domain or from another keyset. */
  foreign_token: 'data',
  /** A token or a sealed value was made with a key that is retired. */
  key_retired: 'data',
  /** A rule with a period got a date of a period that the key file does not have, and it has another. */
  period_not_granted: 'data',
  /** A value cannot become one of the primary key without its original: the two keys have no common base. */
  not_renewable: 'data',
  /** A value has the key already that records are moved to, and other fields of the record do not show their key. */
  already_rekeyed: 'data',
  /** A record shows another key than the one that its other values were said to be of, or more than one key. */
  wrong_key: 'data',
  /** A rule that reveals sealed values got a value that is not one. */
  not_sealed: 'data',
  /** A value, a file of rejects, a store or an export needs a key that is not in the keyset. */
  unknown_key: 'data',
  /** A sealed text does not verify: it was changed or cut, or is from another scope, file or keyset. */
  reveal_failed: 'data',
  // A record of a file.
  /** An input has no bytes, or only a byte order mark, and its columns are not known without a header line. */
  empty_input: 'data',
  /** The first row of a table has no field of the policy, or has a null in the place of a name. */
  header_missing: 'data',
  /** Two columns of a table have one name, or its first line repeats the names that were set for its columns. */
  header_duplicate: 'data',
  /** The inputs of one run have different columns, types or line ends. */
  header_mismatch: 'data',
  /** The first line of a CSV file (`sep=;`) names another delimiter than the caller or another input of the run. */
  delimiter_mismatch: 'data',
  /** A row of a table has more or fewer cells than its header. */
  ragged_row: 'data',
  /** A quote in CSV is opened and never closed. */
  unclosed_quote: 'data',
  /** A quote in CSV is inside a cell that is not quoted, or text follows a quoted cell. */
  stray_quote: 'data',
  /** A cell of the output of a CSV file without quotes (`quote: none`) cannot be written without them. */
  needs_quotes: 'data',
  /** A record or line is longer than the limit of the run. */
  record_too_large: 'data',
  /** A file or stream has bytes that are not UTF-8, or begins with the byte order mark of UTF-16. */
  not_utf8: 'data',
  /** A file or stream has bytes that are no characters in the encoding that was set, or shows another encoding. */
  not_in_encoding: 'data',
  /** A file or stream has a NUL byte: it is not text, or it is UTF-16 without a byte order mark. */
  nul_byte: 'data',
  /** A line of NDJSON, or a cell of a table that the policy leads into, is not valid JSON. */
  invalid_json: 'data',
  /** A cell of a table is not an array of PostgreSQL, or is one with explicit bounds. */
  invalid_array: 'data',
  /** A line of NDJSON is JSON, but not an object. */
  not_an_object: 'data',
  /** An object of a JSON text has the same key twice, and readers differ in which of the two they take. */
  duplicate_key: 'data',
  /** A record has no value in the field that a rule names as its `subject`. */
  missing_subject: 'data',
  /** A record has no value in a field that `per` of a `token` names. */
  missing_context: 'data',
  /** A row of TSV is not as COPY writes it, or one of CSV has an escape that programs read differently. */
  bad_escape: 'data',
  /** A run has rejected more records than `maxRejects` allows. */
  too_many_rejects: 'data',
  /** A file that should be one of rejects, or a line of it, is not. */
  not_rejects: 'data',
  /** A file that should be a report of `trefoil scan` is cut, or is not one. */
  invalid_report: 'data',
  // A vault.
  /** A line for `trefoil vault shred` cannot be a subject: it has white space at an end, or is a token. */
  malformed_subject: 'data',
  /** A vault does not have a token in this scope, or the token has expired. */
  unknown_token: 'data',
  /** The mapping of a token, or the key of its subject, was destroyed on request. */
  forgotten: 'data',
  /** A vault with `onErased: error` got a value or a subject that was erased before. */
  erased: 'data',
  /** A row of a store does not verify: it was changed, or is in the place of another. */
  row_broken: 'data',
  /** An export of a vault is incomplete, was changed, or does not fit the store that it is imported into. */
  export_refused: 'data',
  // A signed note.
  /** A text that should be a signed note is not one. */
  note_invalid: 'data',
  /** No signature of a note is by a key that the caller trusts. */
  note_unsigned: 'data',
  /** A note has a signature by a key that the caller trusts, and it does not verify. */
  signature_invalid: 'data',
  // A log.
  /** A text that should be a checkpoint of a log is not one. */
  checkpoint_invalid: 'data',
  /** A text that should be a proof of an entry is not one, or the proof does not lead to the root of its checkpoint. */
  proof_invalid: 'data',
  /** Too few witnesses have cosigned a checkpoint for the quorum of the policy. */
  witness_missing: 'data',
  /** The files of a log do not fit together, or are not those of its key. */
  log_broken: 'data',
  /** A log is behind a checkpoint that it has signed, which its head or a witness has: it was restored or cut. */
  log_rolled_back: 'data',
  /** A witness has cosigned another tree of a log, or two checkpoints of a log do not fit each other. */
  log_forked: 'data',
  /** A witness says that it has seen something else, and does not prove it. */
  witness_disagrees: 'data',
  /** The record that an overseer keeps of a log that was verified is damaged, or is not one. */
  seen_invalid: 'io',
  // Entries of a log.
  /** An entry of a log has a field that its kind does not have, a value of a wrong type, or another spelling. */
  entry_invalid: 'data',
  /** The opening of an entry is not one, or is not the one that the entry commits to. */
  opening_wrong: 'data',
  // A policy, in code or as a file.
  /** A policy is not a map with `trefoil`, `domain` and `fields`. */
  invalid_policy: 'policy',
  /** A rule or format of a policy needs an option that is not set. */
  missing_option: 'policy',
  /** A policy has an option that trefoil does not know. */
  unknown_option: 'policy',
  /** A policy names a rule that trefoil does not know. */
  unknown_rule: 'policy',
  /** A policy names a format that trefoil does not know. */
  unknown_format: 'policy',
  /** A policy names a prepare step that trefoil does not know. */
  unknown_prepare: 'policy',
  /** YAML has read a number, a date or another type where a policy needs a text. */
  must_be_text: 'policy',
  /** An option of a policy has a value that its rule or format does not accept. */
  wrong_option: 'policy',
  /** The path of a field cannot be read, or leads to something that no rule can be set for. */
  invalid_path: 'policy',
  /** Two paths of a policy cannot both exist in one record, or two fields have one name in SQL. */
  path_conflict: 'policy',
  /** Two fields have one scope, as if they joined, and yet some of their values never get equal outputs. */
  half_join: 'policy',
  /** A format has too few values for `fpe`, and `allowCodebook` does not say that this is known. */
  space_too_small: 'policy',
  /** A policy does not fit a table: two fields have one column name, no column is left, or an array needs one. */
  not_tabular: 'policy',
  /** A trust policy for logs has a line that is wrong, or lacks its quorum. */
  log_policy_invalid: 'policy',
  /** A policy file is not YAML, is not UTF-8, or is larger than 1 MiB. */
  invalid_yaml: 'policy',
  // Keys.
  /** A text or file that should be a keyset is damaged, or is not one. */
  invalid_keyset: 'keys',
  /** A root key of a keyset is not random. */
  weak_key: 'keys',
  /** Public test keys are used for a domain that is not named `test` or `test-…`. */
  public_test_keys: 'keys',
  /** A key file is narrowed, and does not have the keys, the domain or the verb that are needed. */
  not_granted: 'keys',
  /** A key file has branches in place of root keys, and nothing pins their check value. */
  branches_unpinned: 'keys',
  /** Values do not show which key made them, and no key was named. */
  epoch_required: 'keys',
  /** The domain that values are projected to is not one of the same lineage. */
  not_related: 'keys',
  /** The key cannot be retired, because something still needs it. */
  key_in_use: 'keys',
  /** The key is a base and nothing else, so it cannot become primary. */
  key_is_base: 'keys',
  /** Only branches of a base were kept, and none for this domain. */
  domain_gone: 'keys',
  /** The keys are labelled with a region, and the process does not say where it runs. */
  region_required: 'keys',
  /** The keys are of another region than the process, or than the policy demands. */
  wrong_region: 'keys',
  /** The keys are not those that the policy or the caller pins. */
  key_check_mismatch: 'keys',
  /** A policy pins keys, and the primary key, which protects, is not among them. */
  key_not_pinned: 'keys',
  /** A policy with `fpe` is to reveal, and does not pin exactly one key. */
  key_check_required: 'keys',
  /** Keys meet something of another domain: a policy, rejects, a store or an export. */
  wrong_domain: 'keys',
  /** A verb that reveals was called without `revealAccess`. */
  reveal_access_required: 'keys',
  /** A key file is not sealed, although the caller passed an identity, a passphrase or a key wrapper to open it. */
  key_not_sealed: 'keys',
  /** Nothing that the caller passed opens a sealed key file, or a KMS refuses to. */
  key_refused: 'keys',
  // Shares of an identity.
  /** A text that should be a share of an identity is not one: a line is missing, or its check characters do not fit. */
  share_mistyped: 'keys',
  /** Fewer shares were passed than the threshold of their ceremony. */
  share_missing: 'keys',
  /** A share is of another ceremony than the other shares or the record, or its text states another recipient. */
  share_foreign: 'keys',
  /** A share is not the one that its ceremony has: it was forged, or has numbers that no ceremony has. */
  share_wrong: 'keys',
  /** A record of a ceremony is damaged, was changed, or is not one. */
  ceremony_broken: 'keys',
  // Keys of signed notes.
  /** A text that should be a verifier key or a private key of signed notes is not one, or its key is not safe. */
  note_key_invalid: 'keys',
  // Input and output.
  /** The system cannot open, read or write a file or a stream. */
  io_failed: 'io',
  /** A file that is to be written exists already, and may not be replaced. */
  output_exists: 'io',
  /** An output is also an input, or two outputs have one name. */
  same_file: 'io',
  /** The reader of an output has gone, as `head` does. */
  output_closed: 'io',
  /** The disk is full, or the quota is used up. */
  no_space: 'io',
  /** A compressed input is damaged, or this version of Node cannot read its compression. */
  bad_compression: 'io',
  /** A worker thread could not be started, or ended before its work was done. */
  worker_failed: 'io',
  /** An interrupted run cannot be continued, because something has changed since or another run is at work. */
  resume_refused: 'io',
  /** DuckDB is not installed, or has failed. */
  engine_failed: 'io',
  /** DuckDB needs more memory than its limit. */
  out_of_memory: 'io',
  /** DuckDB has read or written another number of rows than the input has. */
  rows_lost: 'io',
  // A key management service (KMS).
  /** A KMS cannot be reached, is overloaded, or does not answer in time. */
  key_unavailable: 'io',
  /** A KMS has answered something that is not a key, or has answered with a redirect. */
  key_answer_broken: 'io',
  // A witness of a log.
  /** A witness cannot be reached, does not answer in time, or has no address. */
  witness_unavailable: 'io',
  /** A witness does not know the log or its key. */
  witness_refused: 'io',
  /** A witness has answered something that is no answer, such as a cosignature that does not verify, or a redirect. */
  witness_answer_broken: 'io',
  /** The folder in which a witness remembers what it has cosigned does not exist. */
  witness_state_missing: 'io',
  /** What a witness remembers was changed, or belongs to a witness with another key. */
  witness_state_broken: 'io',
  // The store of a vault.
  /** The store of a vault has failed or refused the work. */
  store_failed: 'io',
  /** Other processes kept changing the same rows of a store, so that the work never got through. */
  store_busy: 'io',
  /** A store or an export was made by a version of trefoil that this one does not understand. */
  store_version: 'io',
  /** The metadata of a store are missing, were changed, or belong to other keys. */
  store_broken: 'io',
  /** A store, or the vault in it, or its driver does not exist; or a verb that cannot wait was called. */
  store_missing: 'io',
  // The writer of a log.
  /** There is no log in the folder, and `create` does not say that a new one is wanted. */
  log_missing: 'io',
  /** A new log is wanted where there is one, or where there are files of another. */
  log_exists: 'io',
  /** Another process writes this log, or has written it since. */
  log_in_use: 'io',
  /** The server of a log cannot be reached, or answers with something else than a file. */
  log_unavailable: 'io',
  /** A log has stopped after an error, so that nothing is signed that is not on the disk. Open it again. */
  log_stopped: 'io',
  // Warrants and charters.
  /** A charter has a line that is wrong, lacks one, or says two things that cannot both hold. */
  charter_invalid: 'refused',
  /** A charter is not signed by those who must sign it: keepers of the version before and of its own. */
  charter_unsigned: 'refused',
  /** A charter or a warrant names a version of the charter that is not the newest of the log. */
  charter_outdated: 'refused',
  /** A text that should be a warrant, a refusal or a ratification is not one. */
  warrant_invalid: 'refused',
  /** A warrant lacks the signature of its requester, or approvals that its purpose demands. */
  warrant_unsigned: 'refused',
  /** An officer has refused a warrant. */
  warrant_refused: 'refused',
  /** A warrant is used after its end, before its beginning, or was asked for too long ago. */
  warrant_expired: 'refused',
  /** A warrant asks for more than its purpose allows, or is used for more than it says. */
  warrant_exceeds: 'refused',
  /** Keys that are governed were used to turn something back without a warrant. */
  warrant_required: 'refused',
  /** A warrant is for a purpose that the charter does not have. */
  unknown_purpose: 'refused',
  /** Somebody or something that a warrant or a request names is not in the charter, or lacks the role. */
  not_in_charter: 'refused',
  /** The requester of a warrant, or who holds the key of its desk, is among its approvers. */
  self_approval: 'refused',
  /** A dossier is not spelled as trefoil writes it, or is not one. */
  dossier_not_canonical: 'refused',
  /** A dossier is not the one that its warrant names, or does not fit it. */
  dossier_wrong: 'refused',
  /** The log has another warrant with this id. */
  id_taken: 'refused',
  /** A use would exceed the values or people of its warrant. */
  budget_spent: 'refused',
  /** A request would exceed the rate that the charter allows. */
  rate_spent: 'refused',
  /** A break-glass purpose was used as often as the charter allows in this window. */
  glass_spent: 'refused',
  /** A requester has a break-glass warrant that nobody has ratified in time. */
  glass_unratified: 'refused',
  /** A value is bound to another person than the dossier of the warrant names. */
  other_subject: 'refused',
  /** The clock is far ahead of the last entry of the log and of its cosignatures. */
  clock_jumped: 'refused',
  /** A text that should be an SSH signature is not one, or the charter demands a touch that it does not show. */
  ssh_signature_invalid: 'refused',
  // Officers' keys.
  /** A text that should be a public key of OpenSSH is not one, or is of a type that trefoil does not take. */
  ssh_key_invalid: 'keys',
  /** The keys are in another process: a rule alone cannot be bound to them. */
  keys_elsewhere: 'keys',
  // Gateways.
  /** A request to a gateway has another form than its protocol, or is too large. */
  request_invalid: 'refused',
  /** A request to a gateway has no signature, more than one, or one that does not verify. */
  request_unsigned: 'refused',
  /** A request to a gateway was signed more than a minute ago, in the future, or before the gateway began. */
  request_expired: 'refused',
  /** A gateway has seen the request already. */
  request_replayed: 'refused',
  /** A gateway cannot be reached, does not answer in time, or cannot work now. */
  gateway_unavailable: 'io',
  /** A gateway has answered something that it has not signed, or that is no answer. */
  gateway_answer_broken: 'io',
} as const;

/** The stable code of one thing that can go wrong. */
export type IssueCode = keyof typeof KINDS;

/** Where an issue was found. Every part is optional. Rows and lines count from 1, and a header line is not a row. */
export interface Where {
  /** The path of the field, as a policy file writes it: `user.email`, `items[].sku`; empty if the field has no name. */
  readonly field?: string;
  /**
   * The element of an array in which the field is: `items[2].sku` for the field `items[].sku`. Elements count from 0,
   * as in JSON paths and in JavaScript, so this one is in the third element. Set only for fields inside arrays.
   */
  readonly element?: string;
  /** The number of the record, from 1. */
  readonly row?: number;
  /** The line of the input or policy file on which the record or value starts, from 1. */
  readonly line?: number;
  /** The column in that line, from 1, in UTF-16 code units. */
  readonly column?: number;
  /** The name of the file, if it is known. */
  readonly file?: string;
}

/** The numbers of an issue: what was allowed or expected, and what was found. */
export interface Details {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly actual?: number;
  readonly expected?: number;
}

/** One thing that went wrong: what it is, where, and what to do. It never contains a value. */
export interface Issue<Code extends IssueCode = IssueCode> extends Where, Details {
  readonly code: Code;
  /** The message: lower case, without a full stop, without the place. */
  readonly message: string;
}

/** An issue of any code. `switch (issue.code)` narrows the type. */
export type AnyIssue = { [Code in IssueCode]: Issue<Code> }[IssueCode];

/** Returns the kind of a code. @throws RangeError if there is no such code. */
export function kindOf(code: IssueCode): IssueKind {
  checkCode(code);
  return KINDS[code];
}

function checkCode(code: unknown): void {
  if (typeof code !== 'string' || !Object.hasOwn(KINDS, code)) {
    throw new RangeError('"code" expected one of the codes of trefoil/errors');
  }
}

/** Checks an issue, because stores and adapters outside the library make issues as well. */
function checkIssue(issue: unknown): void {
  if (typeof issue !== 'object' || issue === null) throw new TypeError('"issue" expected an issue, got none');
  const { code, message, field, element, file, row, line, column } = issue as Record<string, unknown>;
  checkCode(code);
  const isText = (text: unknown): boolean => text === undefined || typeof text === 'string';
  const isNumber = (number: unknown): boolean => number === undefined || typeof number === 'number';
  const texts = typeof message === 'string' && isText(field) && isText(element) && isText(file);
  if (!texts || !isNumber(row) || !isNumber(line) || !isNumber(column))
    throw new TypeError('"issue" has a message or a place of a wrong type');
}

/**
 * Returns an issue as one line for people: the place, then the message. Of a field in an array it names the element.
 *
 * @example
 * ```ts
 * import { formatIssue } from 'trefoil/errors';
 *
 * formatIssue({ code: 'missing_field', row: 3, field: 'email', message: 'the field is missing' });
 * // → 'row 3, field email: the field is missing'
 * ```
 */
export function formatIssue(issue: Issue): string {
  checkIssue(issue);
  const { code, message, row, line, column, file } = issue;
  const field = issue.element ?? issue.field;
  // A place in a policy file reads as compilers write it: policy.yaml:6:13 fields.email.rule: …
  if (KINDS[code] === 'policy' && line !== undefined && column !== undefined) {
    return `${file ?? 'policy'}:${line}:${column}${field === undefined ? '' : ` ${field}`}: ${message}`;
  }
  // The text is concatenated without lists, because a run that rejects records formats every issue.
  let place = '';
  if (row !== undefined) place += `, row ${row}`;
  if (line !== undefined) place += `, line ${line}`;
  if (column !== undefined) place += `, column ${column}`;
  if (field !== undefined) place += `, field ${field === '' ? '""' : field}`;
  return `${file === undefined ? '' : `${file}: `}${place === '' ? '' : `${place.slice(2)}: `}${message}`;
}

/** The issues of one code in one field, counted. */
export interface IssueCount {
  readonly code: IssueCode;
  /** The path of the field, if the issues have one. */
  readonly field?: string;
  /** How many rows have such an issue. */
  readonly rows: number;
  /** How many such issues there are: more than rows, if a row has several, as with elements of an array. */
  readonly issues: number;
  /** The first of them. The others have the same message. */
  readonly first: Issue;
}

/** The issues of many rows, counted by field, code and message; at most five messages of a field and code. */
export interface IssueCounts {
  /** How many rows were read. The issues of all of them are counted. */
  readonly rows: number;
  /** Whether there are no more rows. If not, the run ended there, and it is not known what the rows after them have. */
  readonly isAll: boolean;
  /** In the order in which the first of each was found. At most 100, so that memory is bounded. */
  readonly fields: readonly IssueCount[];
  /** How many issues are in none of {@link IssueCounts.fields}. */
  readonly others: number;
}

/** How many issues an error keeps. The rest are counted in {@link TrefoilError.total}. */
export const MAX_ISSUES = 100;

const BRAND = Symbol.for('trefoil.error');

/**
 * The error class of the library. `issues` has the first 100 issues, `total` is the number of all that were found, and
 * `code` and `kind` are those of the first issue. If rows of a file or stream have issues, `counts` has the number of
 * rows for each field, code and message, over all issues. With `too_many_rejects` it counts the rejected records.
 *
 * `instanceof` works across copies of the library (CommonJS and ES modules in one process), because it looks for a
 * registered symbol and not for the class.
 *
 * @example
 * ```ts
 * import { TrefoilError } from 'trefoil/errors';
 * import { keyset } from 'trefoil/keys';
 *
 * try {
 *   keyset.parse('{}');
 * } catch (error) {
 *   if (error instanceof TrefoilError) error.code; // → 'invalid_keyset'
 * }
 * ```
 */
export class TrefoilError extends Error {
  readonly code: IssueCode;
  readonly kind: IssueKind;
  readonly issues: readonly AnyIssue[];
  readonly total: number;
  readonly counts: IssueCounts | undefined;

  constructor(issues: readonly Issue[], count?: number, counts?: IssueCounts) {
    if (!Array.isArray(issues)) throw new TypeError('"issues" expected an array of issues');
    const first: Issue | undefined = issues[0];
    if (first === undefined) throw new TypeError('"issues" expected at least one issue, got none');
    const total = count ?? issues.length;
    if (!Number.isSafeInteger(total)) throw new RangeError('"count" expected a whole number');
    super(total === 1 ? formatIssue(first) : messageOf(issues, total));
    this.name = 'TrefoilError';
    this.code = first.code;
    this.kind = KINDS[first.code];
    this.issues = Object.freeze(issues.slice(0, MAX_ISSUES)) as readonly AnyIssue[];
    this.total = total;
    this.counts = counts;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
  }
}

/** Returns the message of an error with several issues: the first ten, a line for each. */
function messageOf(issues: readonly Issue[], total: number): string {
  const shown = issues.slice(0, 10).map(formatIssue);
  const more = total - shown.length;
  if (more > 0) shown.push(`… and ${more} more`);
  return `${total} problems\n  ${shown.join('\n  ')}`;
}

/** Throws a {@link TrefoilError} with one issue. It is exported for stores and adapters outside the library. */
export function fail(code: IssueCode, message: string, more: Where & Details = {}): never {
  throw new TrefoilError([{ code, message, ...more }]);
}
