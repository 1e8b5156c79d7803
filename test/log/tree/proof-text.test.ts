/** Checkpoints and proofs as text, and the verification of a proof under a policy. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/core/bytes.ts';
import {
  checkProof,
  hashesOf,
  inclusionProof,
  openCheckpoint,
  parseCheckpoint,
  parseLogPolicy,
  parseLogProof,
  signNote,
  writeCheckpoint,
  writeLogProof,
} from '../../../src/log.ts';
import {
  KEYS,
  logSigner,
  memoryLog,
  ORIGIN,
  otherSigner,
  policyOf,
  sourceOf,
  witnessSigner,
} from '../verify/memory-log.ts';
import { entries } from './shared.ts';

const EMPTY = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    const { code, issues } = error as { code?: string; issues?: { line?: number }[] };
    return code === undefined ? (error as Error).name : [code, issues?.[0]?.line];
  }
  return 'accepted';
};

describe('the text of a checkpoint', () => {
  it('is that of the example in the specification', () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163, extensions: [] });
    expect(writeCheckpoint(checkpoint)).toBe(text);
    const more = `${text}one\ntwo\n`;
    expect(parseCheckpoint(more).extensions).toEqual(['one', 'two']);
    expect(writeCheckpoint(parseCheckpoint(more))).toBe(more);
    expect(parseCheckpoint(text.replace('20852163', '9007199254740991')).size).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ['no end', `a\n0\n${EMPTY}`, undefined],
    ['two lines', 'a\n0\n', undefined],
    ['an empty origin', `\n0\n${EMPTY}\n`, 1],
    ['an empty extension', `a\n0\n${EMPTY}\n\n`, 4],
    ['a size of 01', `a\n01\n${EMPTY}\n`, 2],
    ['a size of -1', `a\n-1\n${EMPTY}\n`, 2],
    ['a size of 1e3', `a\n1e3\n${EMPTY}\n`, 2],
    ['a size with a space', `a\n1 \n${EMPTY}\n`, 2],
    ['a size of 2^53', `a\n9007199254740992\n${EMPTY}\n`, 2],
    ['a size of 400 digits', `a\n1${'0'.repeat(400)}\n${EMPTY}\n`, 2],
    ['a root of 31 bytes', `a\n1\n${'A'.repeat(42)}==\n`, 3],
    ['a root with bits after its end', `a\n1\n${EMPTY.replace('U=', 'V=')}\n`, 3],
    ['a root in base64url', `a\n1\n${EMPTY.replace('+', '-')}\n`, 3],
    ['no entries, and another root', `a\n0\n${'A'.repeat(43)}=\n`, 3],
  ])('%s is refused', (_, text, line) => {
    expect(codeOf(() => parseCheckpoint(text))).toEqual(['checkpoint_invalid', line]);
  });

  it('what no checkpoint has is not written', () => {
    const good = { origin: 'a', size: 1, root: new Uint8Array(32) };
    for (const wrong of [
      { ...good, origin: '' },
      { ...good, origin: 'a\nb' },
      { ...good, origin: '\ud800' },
      { ...good, size: -1 },
      { ...good, size: 2 ** 53 },
      { ...good, root: new Uint8Array(31) },
      { ...good, extensions: [''] },
    ]) {
      expect(() => writeCheckpoint(wrong)).toThrow(RangeError);
    }
  });

  it('is opened only if a log whose name is the origin has signed it', async () => {
    const policy = policyOf('none');
    const text = `${ORIGIN}\n0\n${EMPTY}\n`;
    const cosigned = await signNote(text, [logSigner, witnessSigner(1), witnessSigner(0, 5)]);
    expect(openCheckpoint(cosigned, policy)).toMatchObject({
      size: 0,
      log: { text: KEYS.log.verifierKey },
      witnesses: [
        { name: 'one', time: 5 },
        { name: 'two', time: 1_700_000_000 },
      ],
    });
    for (const [note, code] of [
      [await signNote(text, [otherSigner]), 'note_unsigned'],
      [await signNote(text, [witnessSigner(0)]), 'note_unsigned'],
      [await signNote(text.replace(ORIGIN, 'other.example'), [logSigner]), 'note_unsigned'],
      [await signNote('no checkpoint\n', [logSigner]), 'checkpoint_invalid'],
      [cosigned.replace('\n0\n', '\n1\n'), 'signature_invalid'],
    ] as const) {
      expect(codeOf(() => openCheckpoint(note, policy))).toContain(code);
    }
  });
});

describe('a proof', () => {
  const log = memoryLog();
  log.append(entries(600));

  async function proofOf(index: number, signers = [logSigner, witnessSigner(0), witnessSigner(1, 1_700_000_050)]) {
    const checkpoint = await log.publish(signers);
    const hashes = await inclusionProof(hashesOf(sourceOf(log.files), 600), index, 600);
    return writeLogProof({ index, hashes, checkpoint, extra: null });
  }

  it('verifies under a policy, for every place in the tree', async () => {
    const policy = policyOf('most', 'group most 2 one two three\n');
    for (const index of [0, 1, 255, 256, 511, 512, 599]) {
      expect(checkProof(await proofOf(index), log.entries[index]!, policy)).toEqual({
        origin: ORIGIN,
        index,
        size: 600,
        witnesses: [
          { name: 'one', time: 1_700_000_000 },
          { name: 'two', time: 1_700_000_050 },
        ],
        at: 1_700_000_050,
      });
    }
    expect(checkProof(await proofOf(0), log.entries[0]!, policyOf('one')).at).toBe(1_700_000_000);
    expect(checkProof(await proofOf(0), log.entries[0]!, policyOf('none')).at).toBeNull();
  });

  it('a cosignature from the future does not count, and the error says so', async () => {
    const proof = await proofOf(0);
    const entry = log.entries[0]!;
    const at = (seconds: number) => ({ now: () => seconds * 1000 });
    expect(checkProof(proof, entry, policyOf('one'), at(1_700_000_000 - 600)).witnesses).toEqual([
      { name: 'one', time: 1_700_000_000 },
    ]);
    expect(() => checkProof(proof, entry, policyOf('one'), at(1_700_000_000 - 601))).toThrow(
      expect.objectContaining({ code: 'witness_missing', message: expect.stringContaining('in the future') }),
    );
    expect(() => checkProof(proof, entry, policyOf('one'), { now: 5 as never })).toThrow(TypeError);
  });

  it('of another entry, another place, or without its witness is refused', async () => {
    const proof = await proofOf(300);
    const entry = log.entries[300]!;
    const none = policyOf('none');
    expect(codeOf(() => checkProof(proof, log.entries[301]!, none))).toEqual(['proof_invalid', undefined]);
    expect(codeOf(() => checkProof(proof.replace('index 300', 'index 301'), entry, none))).toEqual([
      'proof_invalid',
      undefined,
    ]);
    expect(codeOf(() => checkProof(proof.replace('index 300', 'index 600'), entry, none))).toEqual([
      'proof_invalid',
      undefined,
    ]);
    expect(codeOf(() => checkProof(proof, entry, policyOf('three')))).toEqual(['witness_missing', undefined]);
    expect(codeOf(() => checkProof(proof, entry, policyOf('all', 'group all all one two three\n')))).toEqual([
      'witness_missing',
      undefined,
    ]);
    const without = await proofOf(300, [logSigner]);
    expect(codeOf(() => checkProof(without, entry, policyOf('one')))).toEqual(['witness_missing', undefined]);
    const other = await proofOf(300, [otherSigner]);
    expect(codeOf(() => checkProof(other, entry, none))).toEqual(['note_unsigned', undefined]);
  });

  it('is read as it was written, with and without extra data', async () => {
    const proof = parseLogProof(await proofOf(5));
    for (const extra of [null, new Uint8Array(0), Uint8Array.of(1, 2, 3)]) {
      const text = writeLogProof({ ...proof, extra });
      expect(parseLogProof(text)).toEqual({ ...proof, extra });
      expect(parseLogProof(utf8(text))).toEqual({ ...proof, extra });
      expect(checkProof(text, log.entries[5]!, policyOf('one')).index).toBe(5);
    }
  });

  it('every line of it matters: dropped, doubled, or changed by a symbol', async () => {
    const text = await proofOf(300);
    const policy = policyOf('both', 'group both all one two\n');
    const lines = text.split('\n');
    const entry = log.entries[300]!;
    expect(codeOf(() => checkProof(text, entry, policy))).toBe('accepted');
    for (let at = 0; at < lines.length; at++) {
      const dropped = lines.toSpliced(at, 1).join('\n');
      const doubled = lines.toSpliced(at, 0, lines[at]!).join('\n');
      const first = lines[at]!.charCodeAt(lines[at]!.length >> 1);
      const changed = lines
        .with(at, lines[at]!.replace(String.fromCharCode(first), first === 65 ? 'B' : 'A'))
        .join('\n');
      expect(codeOf(() => checkProof(dropped, entry, policy))).not.toBe('accepted');
      // A signature line may be there twice: it is one signature.
      if (!lines[at]!.startsWith('\u2014'))
        expect(codeOf(() => checkProof(doubled, entry, policy))).not.toBe('accepted');
      if (changed !== text) expect(codeOf(() => checkProof(changed, entry, policy))).not.toBe('accepted');
    }
  });

  it.each([
    ['no empty line', 'c2sp.org/tlog-proof@v1\nindex 0\n', undefined],
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\nx', 1],
    ['CRLF', 'c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n\n\nx', 1],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nx', 2],
    ['an index of 01', 'c2sp.org/tlog-proof@v1\nindex 01\n\nx', 2],
    ['an index of -1', 'c2sp.org/tlog-proof@v1\nindex -1\n\nx', 2],
    ['an index of 2^53', 'c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\nx', 2],
    ['extra data after the index', 'c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\nx', 3],
    ['extra data that are not base64', 'c2sp.org/tlog-proof@v1\nextra A\nindex 1\n\nx', 2],
    ['a hash of 31 bytes', `c2sp.org/tlog-proof@v1\nindex 1\n${'A'.repeat(42)}==\n\nx`, 3],
    ['64 hashes', `c2sp.org/tlog-proof@v1\nindex 1\n${`${'A'.repeat(43)}=\n`.repeat(64)}\nx`, 3],
    ['two megabytes', 'x'.repeat(2_000_000), undefined],
  ])('%s is refused', (_, text, line) => {
    expect(codeOf(() => parseLogProof(text))).toEqual(['proof_invalid', line]);
    expect(codeOf(() => parseLogProof(utf8(text)))).toEqual(['proof_invalid', line]);
  });

  it('that is not UTF-8, or has no checkpoint, is refused', () => {
    expect(codeOf(() => parseLogProof(Uint8Array.of(0xff)))).toEqual(['proof_invalid', undefined]);
    const text = 'c2sp.org/tlog-proof@v1\nindex 0\n\nx';
    expect(codeOf(() => checkProof(text, new Uint8Array(1), policyOf('none')))).toEqual(['note_invalid', 1]);
  });
});

it('policies and proofs get the verdicts of filippo.io/torchwood', () => {
  // torchwood.json is written by test/reference/generators/log-proofs.
  const { policies, proofs, verdicts } = JSON.parse(
    readFileSync(new URL('torchwood.json', import.meta.url), 'utf8'),
  ) as { policies: string[]; proofs: { entry: string; proof: string }[]; verdicts: boolean[][] };
  const ours = policies.map((policy) =>
    proofs.map(({ entry, proof }) => {
      const bytes = Uint8Array.from(atob(entry), (character) => character.charCodeAt(0));
      return codeOf(() => checkProof(proof, bytes, parseLogPolicy(policy))) === 'accepted';
    }),
  );
  expect(ours).toEqual(verdicts);
  // Four policies for which two cosignatures suffice take four good proofs, and one without them needs no witness.
  expect(verdicts.flat().filter((verdict) => verdict)).toHaveLength(17);
});
