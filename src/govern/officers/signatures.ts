/**
 * The signatures under charters, warrants and what belongs to them: lines of signed notes, of note keys and of keys of
 * OpenSSH (docs/spec/govern/officer-signature-v1.md).
 */

import { concat, utf8 } from '../../core/bytes.ts';
import { badRange, badType } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { HASH_BYTES } from '../../note/key-name.ts';
import { type NoteSignature, type ParsedNote, parseNote } from '../../note/parse.ts';
import { checkSignedText } from '../../note/signer.ts';
import { checkOf } from '../../note/verifier.ts';
import { MOST_BYTES } from '../text/lines.ts';
import { checkNamespace, type SshNamespace } from './namespace.ts';
import type { PartyKey } from './party-key.ts';
import { sshCheckOf } from './ssh-key.ts';
import { checkSshSignature } from './ssh-signature.ts';

/** A signature that was verified. */
export interface SignedBy {
  /** The key that made it. */
  readonly key: PartyKey;
  /** Its line as it is in the note, without the line feed. */
  readonly line: string;
}

/** A text and who has signed it. */
export interface SignedText {
  /** The text that is signed, with its last line feed. */
  readonly text: string;
  /**
   * By handle: who has signed, in the order of the parties. Each counts once, however many of their keys have signed.
   * Of several lines of one key the first is named, and the keys are in the order of the party.
   */
  readonly by: ReadonlyMap<string, readonly SignedBy[]>;
  /** How many signature lines are by other keys. They say nothing. */
  readonly unknown: number;
}

/** Identifies the signature type 0xff of signed-note: "algorithm defined by the key's owner". */
const SSH_TYPE = concat([Uint8Array.of(0xff), utf8('trefoil sshsig v1')]);

/** A key, whose it is, and where in the order of all. */
interface Known {
  readonly handle: string;
  readonly key: PartyKey;
}

/**
 * Verifies the signatures of a note by the keys of the parties.
 *
 * If a line names one of the keys, by name and key hash, and its signature does not verify, the whole note is refused:
 * the others do not suffice. Every line of such a key must verify, also a second one. Lines of other keys are counted
 * and otherwise ignored. If nobody known has signed, `by` is empty, and it is for the caller to say who is missing.
 *
 * @param note at most 32,768 bytes, as text or as bytes.
 * @param parties the keys of each party by its handle. Every public key is there once.
 * @param namespace what the signatures are for. The first line of the text must be that of it.
 * @throws TrefoilError `note_invalid`; with the line of the note `signature_invalid` for a signature by a known key
 *   that does not verify, `ssh_signature_invalid` for an SSH signature that cannot be read, is for another use, or
 *   shows no touch or PIN where the charter demands it.
 * @throws TypeError, RangeError for parties of which two share a key, or name and key hash of one.
 */
export function signaturesOf(
  note: string | Uint8Array,
  parties: ReadonlyMap<string, readonly PartyKey[]>,
  namespace: SshNamespace,
): SignedText {
  const known = byLine(parties);
  const { text, signatures } = parseShort(note);
  checkNamespace(text, namespace);
  const message = utf8(text);
  const firstLine = text.split('\n').length + 1;
  const found = new Map<PartyKey, SignedBy>();
  let unknown = 0;
  for (const [i, signature] of signatures.entries()) {
    const key = known.get(nameOf(signature))?.key;
    if (key === undefined) {
      unknown++;
      continue;
    }
    checkLine(key, text, message, signature, namespace, firstLine + i);
    if (!found.has(key)) found.set(key, { key, line: signature.line });
  }
  const by = new Map<string, readonly SignedBy[]>();
  for (const { handle, key } of known.values()) {
    const one = found.get(key);
    if (one !== undefined) by.set(handle, [...(by.get(handle) ?? []), one]);
  }
  return { text, by, unknown };
}

/** Verifies one line by a known key. */
function checkLine(
  key: PartyKey,
  text: string,
  message: Uint8Array,
  { signature }: NoteSignature,
  namespace: SshNamespace,
  line: number,
): void {
  if (key.kind === 'ssh') checkSshSignature(key.ssh, namespace, message, signature, { line });
  else if (checkOf(key.verifier)!(text, signature) === null) {
    const words = 'the signature by a known key does not verify: the note was changed, or was never signed by it';
    fail('signature_invalid', words, { line });
  }
}

/**
 * How signature lines name a key of a party: name, plus and key hash. Lines of SSH keys have the handle as name, those
 * of note keys the name of the key. Two keys of a charter must not have one of these: 32 bits of a hash can be made to
 * collide.
 */
export function lineNameOf(handle: string, key: PartyKey): string {
  return key.kind === 'note'
    ? `${key.verifier.name}+${key.verifier.keyHash}`
    : `${handle}+${writeHex(sshKeyHash(handle, key.ssh.blob))}`;
}

/** SHA-256(handle || 0x0A || 0xFF || "trefoil sshsig v1" || public key blob), of which the first four bytes. */
export function sshKeyHash(handle: string, blob: Uint8Array): Uint8Array {
  return sha256Of(concat([utf8(`${handle}\n`), SSH_TYPE, blob])).subarray(0, HASH_BYTES);
}

const nameOf = ({ name, keyHash }: NoteSignature): string => `${name}+${keyHash}`;

/** The keys by the names that lines have for them, in the order of the parties. */
function byLine(parties: ReadonlyMap<string, readonly PartyKey[]>): ReadonlyMap<string, Known> {
  if (!(parties instanceof Map)) badType('parties', 'expected a Map of handles to keys');
  const known = new Map<string, Known>();
  const raws = new Set<string>();
  for (const [handle, keys] of parties) {
    for (const key of keys) {
      if ((key.kind === 'ssh' ? sshCheckOf(key.ssh) : checkOf(key.verifier)) === null) {
        badType('parties', 'has something that readPartyKeys did not make');
      }
      if (raws.has(key.raw)) badRange('parties', 'has one public key twice, and its holder would count twice');
      const name = lineNameOf(handle, key);
      if (known.has(name)) badRange('parties', 'has two keys with one name and one key hash; one was made to collide');
      raws.add(key.raw);
      known.set(name, { handle, key });
    }
  }
  return known;
}

/** Whose key this is, and how the charter has it: with its demands. `null`: nobody's. */
export function partyOf(
  parties: ReadonlyMap<string, readonly PartyKey[]>,
  { raw }: PartyKey,
): { readonly handle: string; readonly key: PartyKey } | null {
  for (const [handle, keys] of parties) {
    const key = keys.find((one) => one.raw === raw);
    if (key !== undefined) return { handle, key };
  }
  return null;
}

/**
 * Adds a signature line to a note, or to a text that nobody has signed yet. Nothing is verified.
 *
 * @param noteOrText a text without empty lines, or a note of one.
 * @param line the signature line, with or without its line feed.
 * @throws TrefoilError `note_invalid` if it is not a note or text, if the key has signed already, or if the note would
 *   be longer than 32,768 bytes or have more than 100 signatures.
 *
 * @example
 * ```ts
 * import { addSignature, notePartySigner } from 'trefoil/govern';
 * import { newNoteKey, parseNote } from 'trefoil/log';
 *
 * const keepers = ['eva', 'finn'].map((name) => notePartySigner(newNoteKey(`${name}.example`).privateKey));
 * let note = 'trefoil clock v1\ndomain eu-enclave\nat 2026-11-30T20:00:00Z\nwhy the clock was set\n';
 * const text = note;
 * for (const keeper of keepers) note = addSignature(note, await keeper.sign(text, 'clock@trefoil'));
 * parseNote(note).signatures.length; // → 2
 * ```
 */
export function addSignature(noteOrText: string, line: string): string {
  if (typeof noteOrText !== 'string') badType('noteOrText', 'expected text');
  if (typeof line !== 'string') badType('line', 'expected text');
  const isNote = noteOrText.includes('\n\n');
  const { text, signatures } = isNote ? parseShort(noteOrText) : { text: checkShort(noteOrText), signatures: [] };
  const alone = line.replace(/\n$/, '');
  if (alone.includes('\n')) fail('note_invalid', 'expected one signature line');
  const added = parseNote(`${text}\n${alone}\n`).signatures;
  const [signature] = added as readonly [NoteSignature];
  if (signatures.some((one) => nameOf(one) === nameOf(signature))) {
    fail('note_invalid', 'this key has signed the note already');
  }
  const lines = [...signatures.map((one) => one.line), signature.line];
  const whole = `${text}\n${lines.map((one) => `${one}\n`).join('')}`;
  parseShort(whole);
  return whole;
}

/** Reads a note that a log entry can hold, and whose text has no empty line. */
function parseShort(note: string | Uint8Array): ParsedNote {
  const parsed = parseNote(note);
  const length = typeof note === 'string' ? utf8(note).length : note.length;
  if (length > MOST_BYTES) fail('note_invalid', `the note is longer than ${MOST_BYTES} bytes`);
  checkShort(parsed.text);
  return parsed;
}

/** Checks a text that is signed: the signers' own rules, no empty line, at most 32,768 bytes. */
export function checkShort(text: string): string {
  if (text.length > MOST_BYTES || utf8(text).length > MOST_BYTES) {
    fail('note_invalid', `the text is longer than ${MOST_BYTES} bytes`);
  }
  if (text.startsWith('\n') || text.includes('\n\n')) fail('note_invalid', 'the text has an empty line');
  return checkSignedText(utf8(text));
}
