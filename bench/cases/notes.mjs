/**
 * Signed notes against the bare signatures of @noble/curves. Ours reads a whole note of one signature and verifies it,
 * or signs its text; both through node:crypto. The rival gets bytes, and only verifies or signs.
 */
import assert from 'node:assert/strict';
import { newNoteKey, noteSigner, openNote, parseNote, signNote, verifierKey } from 'trefoil/log';
import { bytes, oneByOne } from '../inputs.mjs';
import { nobleSigner, nobleVerifier } from '../rivals/noble-ed25519.mjs';

const AGAINST = '@noble/curves ed25519';
const seed = bytes(32, 31);
const key = newNoteKey('log.example', { random: () => seed });
const signer = noteSigner(key.privateKey);
const verifier = verifierKey(key.verifierKey);
const rival = nobleSigner(seed);

const texts = Array.from({ length: 64 }, (_, i) => {
  const root = Buffer.from(bytes(32, 100 + i)).toString('base64');
  return `log.example\n${1000 + i}\n${root}\n`;
});
const messages = texts.map((text) => new TextEncoder().encode(text));
const notes = await Promise.all(texts.map((text) => signNote(text, [signer])));
const pairs = notes.map((note, i) => [messages[i], parseNote(note).signatures[0].signature]);
const rivalVerify = nobleVerifier(rival.publicKey);

function check() {
  pairs.forEach(([message, signature], i) => {
    assert.deepEqual(rival.sign(message), signature);
    assert.deepEqual(signer.sign(message), signature);
    assert.ok(rivalVerify([message, signature]));
    assert.equal(openNote(notes[i], [verifier]).text, texts[i]);
  });
}

export const cases = [
  () => ({
    work: 'openNote, a checkpoint with one signature',
    against: AGAINST,
    floor: 8,
    check,
    ours: oneByOne(notes, (note) => openNote(note, [verifier])),
    rival: oneByOne(pairs, rivalVerify),
  }),
  () => ({
    work: 'noteSigner, sign a checkpoint',
    against: AGAINST,
    floor: 8,
    check,
    ours: oneByOne(messages, signer.sign),
    rival: oneByOne(messages, rival.sign),
  }),
];
