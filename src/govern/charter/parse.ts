/**
 * Reading a charter (docs/spec/govern/charter-v1.md). Nothing here looks at signatures: succession.ts does.
 *
 * A charter has one spelling: lines in one order, words separated by one space, every number without leading zeros. So
 * the digest of its text is the charter, and what a keeper reads is what a program obeys.
 */

import { utf8 } from '../../core/bytes.ts';
import { badType, NAME_PATTERN, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { parseNote } from '../../note/parse.ts';
import type { Demand } from '../text/items.ts';
import { readLines } from '../text/lines.ts';
import type { Charter, Officer } from './charter.ts';
import { areMet } from './demands.ts';
import { type Arranged, arrange } from './order.ts';
import { readAlerts, readChange, readOpenings, readProtected } from './oversight.ts';
import { readPeople } from './people.ts';
import { readLogLines } from './policy-lines.ts';
import { readPurposes } from './purposes.ts';
import { readRates } from './rates.ts';
import { wordsOf } from './words.ts';

const BRAND = Symbol.for('trefoil.charter.v1');

/** The largest version. */
const MOST_VERSION = 999_999_999;

/** Throws `charter_invalid`. Lines count from 1. */
export function invalid(message: string, line?: number): never {
  return fail('charter_invalid', message, line === undefined ? {} : { line });
}

/**
 * Reads a charter.
 *
 * **Warning**: no signature is looked at, so the charter is anybody's. Use `openCharter` for one that is obeyed.
 *
 * @param text the text of the charter, or the note with its signatures: at most 32,768 bytes.
 * @throws TrefoilError `charter_invalid` with the line; `note_invalid` for text with an empty line that is not a note.
 *
 * @example
 * ```ts
 * import { parseCharter } from 'trefoil/govern';
 * import { newNoteKey } from 'trefoil/log';
 *
 * const [log, anna, eva] = ['log.example', 'anna.example', 'eva.example'].map((name) => newNoteKey(name).verifierKey);
 * const charter = parseCharter(
 *   'trefoil charter v1\n' +
 *     'version 1\n' +
 *     'domain eu-enclave\n' +
 *     `log ${log}\n` +
 *     'quorum none\n' +
 *     `officer anna approver,keeper note ${anna}\n` +
 *     `officer eva keeper note ${eva}\n` +
 *     'change 2:keeper\n',
 * );
 * charter.officers.get('anna')?.roles; // → ['approver', 'keeper']
 * charter.isUnwitnessed; // → true
 * ```
 */
export function parseCharter(text: string | Uint8Array): Charter {
  const plain = textOf(text);
  const arranged = arrange(readCharterLines(plain), invalid);
  const { version, previous } = readVersion(arranged);
  const domain = readName(arranged, 'domain')!;
  const subject = readName(arranged, 'subject');
  const log = readLogLines(arranged, invalid);
  const people = readPeople(arranged, log, invalid);
  const caseShown = arranged.maybe('case shown');
  if (caseShown !== null) wordsOf(caseShown, invalid).end();
  const charter: Charter = {
    text: plain,
    sha256: digestOfText(plain),
    version,
    previous,
    domain,
    subject,
    ...log,
    ...people,
    purposes: readPurposes(arranged, subject !== null, invalid),
    rates: readRates(arranged, people, invalid),
    protected: readProtected(arranged, subject !== null, invalid),
    alerts: readAlerts(arranged, subject !== null, invalid),
    openings: readOpenings(arranged, invalid),
    isCaseShown: caseShown !== null,
    change: readChange(arranged, invalid),
  };
  refuseUnmet(charter, arranged);
  return Object.freeze(Object.defineProperty(charter, BRAND, { value: true }));
}

/** Checks that a value is a charter that was read. @throws TypeError */
export function checkIsCharter(argument: string, value: unknown): Charter {
  const isOne = typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  return isOne ? (value as Charter) : badType(argument, `expected a charter that was read, got ${typeName(value)}`);
}

/** SHA-256 of a text, as 64 hexadecimal digits. */
export function digestOfText(text: string): string {
  return writeHex(sha256Of(utf8(text)));
}

/** The text of a charter that may be a note. */
function textOf(given: unknown): string {
  if (typeof given !== 'string' && !(given instanceof Uint8Array)) {
    return fail('wrong_type', `expected a charter as text or bytes, got ${typeName(given)}`);
  }
  let text: string;
  try {
    text = typeof given === 'string' ? given : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(given);
  } catch {
    return invalid('the charter is not UTF-8');
  }
  // No line of a charter is empty, so an empty one begins the signatures of a note.
  return text.includes('\n\n') ? parseNote(text).text : text;
}

/** The lines, the first of which says what this is. */
function readCharterLines(text: string): ReturnType<typeof readLines> {
  // The first line is looked at before the others, because a file of another kind is full of other errors.
  if (!text.startsWith('trefoil charter v1\n')) {
    const isNewer = /^trefoil charter v[0-9]/.test(text);
    invalid(
      isNewer
        ? 'the charter is of a version of the format that this version of trefoil does not know'
        : 'the first line is not trefoil charter v1, followed by a line feed',
      1,
    );
  }
  return readLines(text, invalid);
}

/** `version N`, `previous sha256:HEX` */
function readVersion(arranged: Arranged): { readonly version: number; readonly previous: string | null } {
  const words = wordsOf(arranged.one('version'), invalid);
  const version = words.number('the version', 1, MOST_VERSION);
  words.end();
  const line = arranged.maybe('previous');
  if (line === null) {
    if (version > 1) words.refuse('a version after the first names the one before it on the next line, previous');
    return { version, previous: null };
  }
  const digest = wordsOf(line, invalid);
  if (version === 1) digest.refuse('the first version has no previous one');
  const previous = digest.digest();
  digest.end();
  return { version, previous };
}

/** `domain NAME`, `subject SCOPE-NAME` */
function readName(arranged: Arranged, word: 'domain' | 'subject'): string | null {
  const line = arranged.maybe(word);
  if (line === null) return null;
  const words = wordsOf(line, invalid);
  const name = words.other(`the name of a ${word === 'domain' ? 'domain' : 'scope'}`, (item) =>
    NAME_PATTERN.test(item) ? item : null,
  );
  words.end();
  return name;
}

/** Refuses demands that the officers of the charter cannot meet: more of a role than have it, or too many in all. */
function refuseUnmet(charter: Charter, arranged: Arranged): void {
  const officers: readonly Officer[] = [...charter.officers.values()];
  const check = (demands: readonly Demand[], number: number): void => {
    if (areMet(demands, officers)) return;
    const short = demands.find(
      ({ count, role }) => officers.filter(({ roles }) => roles.includes(role)).length < count,
    );
    invalid(
      short === undefined
        ? 'the demands need more officers than have their roles, because each officer counts for one demand'
        : 'a demand is for more officers of a role than have it',
      number,
    );
  };
  for (const line of [...arranged.all('purpose'), ...arranged.all('glass')]) {
    const { approvals, ratify } = charter.purposes.get(line.items[0]!)!;
    check(approvals, line.number);
    check(ratify?.demands ?? [], line.number);
  }
  if (charter.protected !== null) check(charter.protected.approvals, arranged.one('protected').number);
  check(charter.change, arranged.one('change').number);
}
