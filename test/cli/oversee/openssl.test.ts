/** The commands of docs/guide/notes.md that verify a checkpoint without trefoil, in a plain POSIX shell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cosigner, newNoteKey, noteSigner, signNote } from '../../../src/log.ts';
import { root } from '../../doc-blocks.ts';

const page = readFileSync(`${root}docs/guide/notes.md`, 'utf8');
/** The commands of each block of the page, without the prompt. */
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) =>
  text!
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
    .join('\n'),
);
const blockWith = (text: string): string => blocks.find((block) => block.includes(text))!;

const isThere = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;

describe.skipIf(!isThere('openssl'))('with openssl and a plain shell', () => {
  const keys = {
    log: newNoteKey('log.example/2026'),
    ncc: newNoteKey('ncc.example/witness', { algorithm: 'cosignature/v1' }),
    dpa: newNoteKey('dpa.example/witness', { algorithm: 'cosignature/v1' }),
  };
  const text = 'log.example/2026\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
  let place: string;
  let checkpoint: string;

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'trefoil-openssl-'));
    const signers = [noteSigner(keys.log.privateKey), cosigner(keys.dpa.privateKey), cosigner(keys.ncc.privateKey)];
    checkpoint = await signNote(text, signers);
    writeFileSync(join(place, 'checkpoint'), checkpoint);
    writeFileSync(join(place, 'log.vkey'), `${keys.log.verifierKey}\n`);
    writeFileSync(join(place, 'ncc.vkey'), `${keys.ncc.verifierKey}\n`);
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  /** Runs commands, and returns what they write. */
  function sh(commands: string): string {
    const { stdout, stderr } = spawnSync('sh', ['-c', commands], { cwd: place, encoding: 'utf8' });
    return stdout + stderr;
  }

  test('the signature of the log, and a cosignature', () => {
    const [log, ncc] = [blockWith('log.vkey'), blockWith('ncc.vkey')];
    expect(sh(log)).toBe('Signature Verified Successfully\n');
    expect(readFileSync(join(place, 'text'), 'utf8')).toBe(text);
    expect(sh(ncc)).toBe('Signature Verified Successfully\n');
    // A text that was changed, and a time that was changed.
    writeFileSync(join(place, 'checkpoint'), checkpoint.replace('\n0\n', '\n1\n'));
    for (const block of [log, ncc]) expect(sh(block)).toContain('Signature Verification Failure');
    writeFileSync(join(place, 'checkpoint'), checkpoint);
    expect(sh(log)).toBe('Signature Verified Successfully\n');
    const later = ncc.replace('"$time"', '$((time + 1))');
    expect(later).not.toBe(ncc);
    expect(sh(later)).toContain('Signature Verification Failure');
  });

  test.skipIf(!isThere('jq'))('checkpoints from the evidence of a finding, byte for byte', () => {
    const other = checkpoint.replace('\n0\n', '\n1\n');
    const findings = [{ word: 'unwitnessed' }, { word: 'forked', evidence: [checkpoint, other] }];
    writeFileSync(join(place, 'verdict.json'), JSON.stringify({ findings }));
    execFileSync('sh', ['-e', '-c', blockWith('jq -j')], { cwd: place });
    expect(readFileSync(join(place, 'checkpoint'), 'utf8')).toBe(checkpoint);
    expect(readFileSync(join(place, 'checkpoint.other'), 'utf8')).toBe(other);
  });
});
