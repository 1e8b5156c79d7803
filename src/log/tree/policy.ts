/** Trust policies: which logs and witnesses a verifier trusts (https://c2sp.org/tlog-policy). */

import { decodeBase64 } from '../../core/base64.ts';
import { utf8 } from '../../core/bytes.ts';
import { badType, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { type Verifier, verifierKey } from '../../note/verifier.ts';
import { type Group, NO_QUORUM, type Quorum, quorumOf } from './quorum.ts';

const BRAND = Symbol.for('trefoil.log-policy.v1');

/** The most bytes of a policy. One with 32 logs, 32 witnesses and 32 groups has about 10,000. */
const MOST_BYTES = 65_536;

/** A witness of a policy. */
export interface PolicyWitness {
  /** Its name in the policy, which means nothing outside of it. */
  readonly name: string;
  /** The key of its cosignatures. */
  readonly verifier: Verifier;
  /** Where it is asked, as the policy has it; `null` if the policy has no address. */
  readonly url: string | null;
}

/** A trust policy. */
export interface LogPolicy {
  /** The keys of the logs. The name of each is the origin of its log. */
  readonly logs: readonly Verifier[];
  readonly witnesses: readonly PolicyWitness[];
  /** The address of a log, as the policy has it; `null` if it has none. */
  readonly urlOf: (log: Verifier) => string | null;
  /** Whether cosignatures by the witnesses of these names satisfy the quorum. */
  readonly satisfiedBy: (names: ReadonlySet<string>) => boolean;
  /**
   * The fewest witnesses that any two sufficient sets have in common. So many witnesses have to be dishonest before
   * the log can show two people different entries. With 0, none has to be.
   */
  readonly overlap: number;
  /**
   * Two sufficient sets of witnesses without a common member; `null` if any two have one. If there are two, a log can
   * show each of them, all honest, its own entries, and both its versions satisfy the policy.
   */
  readonly forks: () => readonly [readonly string[], readonly string[]] | null;
}

/**
 * Reads a trust policy: lines `log`, `witness`, `group` and `quorum`.
 *
 * **Note**: a policy may be valid and still protect from nothing: `quorum none` needs no witness at all, and a quorum
 * for which `forks()` is not `null` lets a log show different entries to different people.
 *
 * Beyond the specification, a key may not be that of a log and of a witness at once, and names and addresses have to be
 * UTF-8. Keys are Ed25519: type 0x01 for logs, 0x04 for witnesses.
 *
 * @param text at most 65,536 bytes.
 * @throws TrefoilError `log_policy_invalid` with the line.
 *
 * @example
 * ```ts
 * import { newNoteKey, parseLogPolicy } from 'trefoil/log';
 *
 * const [one, two] = ['one.example', 'two.example'].map((name) => newNoteKey(name, { algorithm: 'cosignature/v1' }));
 * const policy = parseLogPolicy(
 *   `witness one ${one!.verifierKey}\nwitness two ${two!.verifierKey}\ngroup both all one two\nquorum both\n`,
 * );
 * policy.satisfiedBy(new Set(['one'])); // → false
 * policy.forks(); // → null
 * ```
 */
export function parseLogPolicy(text: string | Uint8Array): LogPolicy {
  const bytes = typeof text === 'string' ? utf8(checkedText(text)) : text;
  if (!(bytes instanceof Uint8Array)) fail('wrong_type', `expected a policy as text or bytes, got ${typeName(text)}`);
  if (bytes.length > MOST_BYTES) invalid(`the policy is longer than ${MOST_BYTES} bytes`);
  const draft: Draft = { logs: [], witnesses: [], groups: [], names: new Map(), keys: new Set(), quorum: null };
  // A character for each byte, because names are compared as bytes.
  const lines = latin1(bytes).split('\n');
  if (lines.pop() !== '') invalid('the last line does not end with a line feed; is the policy cut?', lines.length + 1);
  for (const [i, line] of lines.entries()) readLine(draft, line, i + 1);
  return policyOf(draft);
}

/** What was read of a policy so far. */
interface Draft {
  readonly logs: { readonly verifier: Verifier; readonly url: string | null }[];
  readonly witnesses: PolicyWitness[];
  readonly groups: Group[];
  /** Names of witnesses and groups, and whether each is already a member of a group. */
  readonly names: Map<string, boolean>;
  /** The public keys, without name and type. */
  readonly keys: Set<string>;
  quorum: string | null;
}

function policyOf({ logs, witnesses, groups, quorum: name }: Draft): LogPolicy {
  if (name === null) invalid('the policy has no quorum line; write quorum none if no witness is needed');
  const names = witnesses.map((witness) => witness.name);
  const quorum: Quorum = name === 'none' ? NO_QUORUM : quorumOf(name, names, groups);
  const policy = {
    logs: Object.freeze(logs.map(({ verifier }) => verifier)),
    witnesses: Object.freeze(witnesses),
    urlOf: (log: Verifier) => logs.find(({ verifier }) => verifier.text === log.text)?.url ?? null,
    satisfiedBy: quorum.satisfiedBy,
    overlap: quorum.overlap,
    forks: () => (quorum.overlap === 0 ? quorum.apart() : null),
  };
  return Object.freeze(Object.defineProperty(policy, BRAND, { value: true }));
}

/** Checks that a value is a policy that was read. @throws TypeError */
export function checkPolicy(value: LogPolicy): LogPolicy {
  const isOne = typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  return isOne ? value : badType('policy', `expected a policy of parseLogPolicy, got ${typeName(value)}`);
}

function readLine(draft: Draft, line: string, number: number): void {
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(line)) {
    const what = line.endsWith('\r') ? 'ends with a carriage return' : 'has a control character';
    invalid(`the line ${what}`, number);
  }
  const words = line.split(/[ \t]+/).filter((word) => word !== '');
  const [first] = words;
  if (first === undefined || first.startsWith('#')) return;
  const items = words.slice(1).map((word) => decoded(word, number));
  if (first === 'log') readLog(draft, items, number);
  else if (first === 'witness') readWitness(draft, items, number);
  else if (first === 'group') readGroup(draft, items, number);
  else if (first === 'quorum') readQuorum(draft, items, number);
  else invalid('the line begins with none of log, witness, group, quorum', number);
}

function readLog(draft: Draft, items: readonly string[], number: number): void {
  const [key, url = null] = items;
  if (key === undefined || items.length > 2) invalid('the form of the line is: log KEY [URL]', number);
  draft.logs.push({ verifier: newKey(draft, key, 'ed25519', number), url });
}

function readWitness(draft: Draft, items: readonly string[], number: number): void {
  const [name, key, url = null] = items;
  if (name === undefined || key === undefined || items.length > 3) {
    invalid('the form of the line is: witness NAME KEY [URL]', number);
  }
  define(draft, name, number);
  draft.witnesses.push(Object.freeze({ name, verifier: newKey(draft, key, 'cosignature/v1', number), url }));
}

function readGroup(draft: Draft, items: readonly string[], number: number): void {
  const [name, count, ...members] = items;
  if (name === undefined || count === undefined || members.length === 0) {
    invalid('the form of the line is: group NAME all|any|NUMBER MEMBER…', number);
  }
  for (const member of members) {
    const isTaken = draft.names.get(member);
    if (isTaken === undefined) invalid('a member of the group is not defined on a line before', number);
    if (isTaken) invalid('a member of the group is already a member of a group', number);
    draft.names.set(member, true);
  }
  const isNumber = count === 'all' || count === 'any' || /^[1-9][0-9]*$/.test(count);
  const threshold = count === 'all' ? members.length : count === 'any' ? 1 : Number(count);
  if (!isNumber || threshold > members.length) {
    invalid('the number of the group is not all, any, or a number from 1 to that of its members', number);
  }
  define(draft, name, number);
  draft.groups.push({ name, threshold, members });
}

function readQuorum(draft: Draft, items: readonly string[], number: number): void {
  const [name] = items;
  if (name === undefined || items.length > 1) invalid('the form of the line is: quorum NAME', number);
  if (draft.quorum !== null) invalid('the policy has a second quorum line', number);
  if (name !== 'none' && !draft.names.has(name)) {
    invalid('the quorum is not a witness or group of a line before, and not none', number);
  }
  draft.quorum = name;
}

function define({ names }: Draft, name: string, number: number): void {
  if (name === 'none') invalid('the name none means that no witness is needed, so nothing else can have it', number);
  if (names.has(name)) invalid('the name is already that of a witness or group', number);
  names.set(name, false);
}

function newKey({ keys }: Draft, text: string, algorithm: Verifier['algorithm'], number: number): Verifier {
  const verifier = readKey(text, number);
  if (verifier.algorithm !== algorithm) {
    invalid(
      algorithm === 'ed25519'
        ? 'the key is one for cosignatures (type 4), and a log needs a key of type 1'
        : 'the key is not one for cosignatures (type 4), which a witness needs',
      number,
    );
  }
  // What follows the second plus sign is the base64 of the type, one byte, and the public key.
  const typed = decodeBase64(verifier.text.slice(verifier.name.length + 1 + verifier.keyHash.length + 1))!;
  const key = writeHex(typed.subarray(1));
  if (keys.has(key)) invalid('the key is already in the policy, perhaps under another name', number);
  keys.add(key);
  return verifier;
}

function readKey(text: string, line: number): Verifier {
  try {
    return verifierKey(text);
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'note_key_invalid') throw error;
    return invalid(error.issues[0]!.message, line);
  }
}

function checkedText(text: string): string {
  if (!text.isWellFormed()) invalid('the policy holds half of a surrogate pair');
  return text;
}

/** Returns a text with one character for each byte. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Decodes a word from such a text as UTF-8. */
function decoded(word: string, line: number): string {
  const bytes = Uint8Array.from(word, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return invalid('a name or address is not UTF-8', line);
  }
}

function invalid(message: string, line?: number): never {
  return fail('log_policy_invalid', message, line === undefined ? {} : { line });
}
