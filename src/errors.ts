/**
 * Errors: one class, stable codes, and issues that say what is wrong, where, and what to do.
 *
 * No issue and no message ever carries a value, a key or a piece of either. Numbers (limits, lengths, sizes) are
 * fields. Mistakes in arguments are `TypeError` and `RangeError`; everything that depends on data, keys, policy files
 * or input and output is a {@link TrefoilError}.
 */

/** The kind of a mistake. It decides the exit code of the command line. */
export type IssueKind = 'data' | 'policy' | 'keys' | 'io';

// Codes are part of the public interface. New ones may be added, but none is ever renamed or gets another kind.
const KINDS = {
  // One value, one field, one row.
  missing_field: 'data',
  unnamed_field: 'data',
  wrong_type: 'data',
  nested_value: 'data',
  lone_surrogate: 'data',
  unassigned_code_point: 'data',
  unsafe_integer: 'data',
  not_an_integer: 'data',
  not_a_number: 'data',
  not_a_date: 'data',
  not_an_ip: 'data',
  not_an_email: 'data',
  not_a_phone: 'data',
  not_digits: 'data',
  outside_format: 'data',
  too_long: 'data',
  already_token: 'data',
  malformed_token: 'data',
  foreign_token: 'data',
  not_sealed: 'data',
  unknown_key: 'data',
  reveal_failed: 'data',
  // A record of a file.
  empty_input: 'data',
  header_missing: 'data',
  header_duplicate: 'data',
  header_mismatch: 'data',
  ragged_row: 'data',
  unclosed_quote: 'data',
  stray_quote: 'data',
  record_too_large: 'data',
  not_utf8: 'data',
  nul_byte: 'data',
  invalid_json: 'data',
  not_an_object: 'data',
  duplicate_key: 'data',
  missing_subject: 'data',
  missing_context: 'data',
  bad_escape: 'data',
  too_many_rejects: 'data',
  not_rejects: 'data',
  // A vault.
  malformed_subject: 'data',
  unknown_token: 'data',
  forgotten: 'data',
  erased: 'data',
  row_broken: 'data',
  export_refused: 'data',
  // A policy, in code or as a file.
  invalid_policy: 'policy',
  missing_option: 'policy',
  unknown_option: 'policy',
  unknown_rule: 'policy',
  unknown_format: 'policy',
  unknown_prepare: 'policy',
  must_be_text: 'policy',
  wrong_option: 'policy',
  invalid_path: 'policy',
  path_conflict: 'policy',
  half_join: 'policy',
  space_too_small: 'policy',
  not_tabular: 'policy',
  invalid_yaml: 'policy',
  // Keys.
  invalid_keyset: 'keys',
  weak_key: 'keys',
  reserved_field: 'keys',
  key_check_mismatch: 'keys',
  key_not_pinned: 'keys',
  key_check_required: 'keys',
  wrong_domain: 'keys',
  reveal_access_required: 'keys',
  // Input and output.
  io_failed: 'io',
  output_exists: 'io',
  same_file: 'io',
  output_closed: 'io',
  no_space: 'io',
  bad_compression: 'io',
  worker_failed: 'io',
  resume_refused: 'io',
  engine_failed: 'io',
  out_of_memory: 'io',
  rows_lost: 'io',
  // The store of a vault.
  store_failed: 'io',
  store_busy: 'io',
  store_version: 'io',
  store_broken: 'io',
  store_missing: 'io',
} as const;

/** The stable code of one thing that can go wrong. */
export type IssueCode = keyof typeof KINDS;

/** Where an issue was found. Every part is optional. Rows and lines count from 1, and a header line is not a row. */
export interface Where {
  /** The path of the field, as a policy file writes it: `user.email`, `items[].sku`. */
  readonly field?: string;
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
  const { code, message, field, file, row, line, column } = issue as Record<string, unknown>;
  checkCode(code);
  const isText = (text: unknown): boolean => text === undefined || typeof text === 'string';
  const isNumber = (number: unknown): boolean => number === undefined || typeof number === 'number';
  const texts = typeof message === 'string' && isText(field) && isText(file);
  if (!texts || !isNumber(row) || !isNumber(line) || !isNumber(column))
    throw new TypeError('"issue" has a message or a place of a wrong type');
}

/**
 * Returns an issue as one line for people: the place, then the message.
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
  const { code, message, row, line, column, field, file } = issue;
  // A place in a policy file reads as compilers write it: policy.yaml:6:13 fields.email.rule: …
  if (KINDS[code] === 'policy' && line !== undefined && column !== undefined) {
    return `${file ?? 'policy'}:${line}:${column}${field === undefined ? '' : ` ${field}`}: ${message}`;
  }
  // The text is concatenated without lists, because a run that rejects records formats every issue.
  let place = '';
  if (row !== undefined) place += `, row ${row}`;
  if (line !== undefined) place += `, line ${line}`;
  if (column !== undefined) place += `, column ${column}`;
  if (field !== undefined) place += `, field ${field}`;
  return `${file === undefined ? '' : `${file}: `}${place === '' ? '' : `${place.slice(2)}: `}${message}`;
}

/** How many issues an error keeps. The rest are counted in {@link TrefoilError.total}. */
export const MAX_ISSUES = 100;

const BRAND = Symbol.for('trefoil.error');

/**
 * The error class of the library. `issues` has the first 100 issues, `total` is the number of all that were found, and
 * `code` and `kind` are those of the first issue.
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

  constructor(issues: readonly Issue[], count?: number) {
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
