/**
 * Warrants against the bare signatures of @noble/curves. Ours verifies a whole warrant: its text, dossier and purpose,
 * and three signatures, through node:crypto. The rival verifies three signatures and does nothing else.
 */
import assert from 'node:assert/strict';
import { newWarrant, notePartySigner, parseCharter, signWarrant, verifyWarrant } from 'trefoil/govern';
import { newNoteKey, parseNote } from 'trefoil/log';
import { bytes, oneByOne } from '../inputs.mjs';
import { nobleSigner, nobleVerifier } from '../rivals/noble-ed25519.mjs';

const NOW = 1_796_068_800;
const WARRANTS = 32;

const seeds = Object.fromEntries(
  ['chris', 'anna', 'bela', 'log', 'desk', 'eva'].map((who, i) => [who, bytes(32, i + 51)]),
);
const key = (who) => newNoteKey(`${who}.example`, { random: () => seeds[who] });
const note = (who) => `note ${key(who).verifierKey}`;

const charter = parseCharter(
  [
    'trefoil charter v1',
    'version 1',
    'domain eu-enclave',
    'subject person',
    `log ${key('log').verifierKey}`,
    'quorum none',
    `officer chris requester ${note('chris')}`,
    `officer anna approver ${note('anna')}`,
    `officer bela approver ${note('bela')}`,
    `officer eva keeper ${note('eva')}`,
    `desk chris-desk of chris ${note('desk')}`,
    'case shown',
    'purpose support verb reveal scopes vault:people/person.name approvals 2:approver values 50 subjects 10 hours 12 ' +
      'witnessed before show 7d',
    'change 1:keeper',
    '',
  ].join('\n'),
);
const signers = ['chris', 'anna', 'bela'].map((who) => notePartySigner(key(who).privateKey));

async function made(i) {
  const request = {
    purpose: 'support',
    requester: 'chris',
    desk: 'chris-desk',
    case: `TICKET-${i}`,
    scopes: ['vault:people/person.name'],
    values: 4,
    subjects: [{ text: `${10017 + i}` }, { token: `cust_${10017 + i}` }],
    reason: 'The customer asks to be called back.',
    seconds: 12 * 3600,
  };
  const { warrant, dossier } = newWarrant(request, { charter, now: NOW, random: (length) => bytes(length, 200 + i) });
  let signed = warrant.text;
  for (const signer of signers) signed = await signWarrant(signed, { charter, dossier, now: NOW, signer });
  return { note: signed, options: { charter, dossier, now: NOW } };
}
const warrants = await Promise.all(Array.from({ length: WARRANTS }, (_, i) => made(i)));

const verifiers = ['chris', 'anna', 'bela'].map((who) => nobleVerifier(nobleSigner(seeds[who]).publicKey));
const bare = warrants.map(({ note }) => {
  const { text, signatures } = parseNote(note);
  const message = new TextEncoder().encode(text);
  return signatures.map(({ signature }) => [message, signature]);
});
const rival = (pairs) => pairs.every((pair, i) => verifiers[i](pair));

export const cases = [
  () => ({
    work: 'verifyWarrant, a warrant with three signatures',
    against: 'three signatures, @noble/curves ed25519',
    floor: 3,
    check() {
      for (const [i, { note, options }] of warrants.entries()) {
        assert.equal(verifyWarrant(note, options).approvers.length, 2);
        assert.ok(rival(bare[i]));
      }
    },
    ours: oneByOne(warrants, ({ note, options }) => verifyWarrant(note, options)),
    rival: oneByOne(bare, rival),
  }),
];
