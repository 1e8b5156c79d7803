/** `trefoil officer new`, and the commands of docs/guide/notes.md. */
import { statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosigner, noteSigner, openNote, signNote, verifierKey } from '../../../src/log.ts';
import { expectVoice, makePlace } from '../harness.ts';
import { pageRun, stepsOf, textOf } from './page.ts';

const place = makePlace();
afterAll(() => place.remove());

describe('officer new', () => {
  it('makes a private key that only its owner can read, and prints the verifier key', async () => {
    const { code, out, err } = await place.run(['officer', 'new', '--name', 'anna.example', '--out', 'a.key']);
    expect(code, err).toBe(0);
    expect(statSync(place.path('a.key')).mode & 0o777).toBe(0o600);
    const signer = noteSigner(place.read('a.key'));
    expect(out).toBe(`${signer.verifierKey}\n`);
    expect(err).not.toContain(place.read('a.key').trim().slice(-44));
    expect(openNote(await signNote('text\n', [signer]), [verifierKey(out.trim())]).text).toBe('text\n');
    expect(await place.run(['officer', 'new', '--verifier-key', 'a.key'])).toEqual({ code: 0, out, err: '' });
    expect(await place.run(['officer', 'new', '--verifier-key', '-'], place.read('a.key'))).toMatchObject({ out });
  });

  it('never overwrites a file', async () => {
    const before = place.read('a.key');
    const ended = await place.run(['officer', 'new', '--name', 'bela.example', '--out', 'a.key']);
    expect(ended).toMatchObject({ code: 5, out: '' });
    expect(ended.err).toContain('never overwritten');
    expect(place.read('a.key')).toBe(before);
    expect((await place.run(['officer', 'new', '--name', 'b', '--out', 'a.key', '--force'])).code).toBe(2);
  });

  it('makes the key of a witness, which signs checkpoints alone', async () => {
    const { code, out } = await place.run(['officer', 'new', '--witness', '--name', 'w.example/1', '--out', 'w.key']);
    expect(code).toBe(0);
    const key = place.read('w.key');
    expect(cosigner(key).verifierKey).toBe(out.trim());
    expect(verifierKey(out.trim()).algorithm).toBe('cosignature/v1');
    expect(() => noteSigner(key)).toThrow(/cosignatures/);
    expect((await place.run(['officer', 'new', '--verifier-key', 'w.key'])).out).toBe(out);
  });

  it('writes the private key to standard output if that is its output, and then nothing else', async () => {
    const { code, out, err } = await place.run(['officer', 'new', '--name', 'anna.example', '--out', '-']);
    expect(code).toBe(0);
    const { verifierKey: text } = noteSigner(out);
    expect(err).toContain(text);
    expect(err).not.toContain(out.trim().slice(-44));
  });

  it.each([
    [['--out', 'x.key'], /--name NAME is required/],
    [['--name', 'x'], /--out FILE is required/],
    [['--name', 'a b', '--out', 'x.key'], /--name expected/],
    [['--name', 'a+b', '--out', 'x.key'], /--name expected/],
    [['--name', '', '--out', 'x.key'], /--name expected/],
    [['--name', 'x'.repeat(256), '--out', 'x.key'], /--name expected/],
    [['--verifier-key', 'a.key', '--name', 'x'], /makes no key/],
    [['--verifier-key', 'a.key', '--out', 'x.key'], /makes no key/],
    [['--verifier-key', 'a.key', '--witness'], /makes no key/],
    [['--name', 'x', '--out', `PRIVATE+KEY+x+00000000+${'A'.repeat(44)}`], /looks like the content of a key file/],
    [['--name', 'x', '--name', 'y', '--out', 'x.key'], /set twice/],
  ])('%j is a mistake of the command line', async (args, message) => {
    const ended = await place.run(['officer', 'new', ...args]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(message);
    expectVoice(ended);
    expect(place.files()).not.toContain('x.key');
  });

  it('refuses files that are no private keys, and never quotes them', async () => {
    const secret = place.read('a.key');
    for (const [name, content] of [
      ['empty', ''],
      ['public', noteSigner(secret).verifierKey],
      ['cut', secret.slice(0, -10)],
      ['renamed', secret.replace('anna', 'bela')],
      ['long', secret.repeat(60)],
      ['latin1', Buffer.from('PRIVATE+KEY+\u00e4', 'latin1')],
    ] as const) {
      place.write(name, content);
      const ended = await place.run(['officer', 'new', '--verifier-key', name]);
      expect(ended, name).toMatchObject({ code: 4, out: '' });
      expectVoice(ended);
      expect(ended.err).toContain(`${name}: `);
      expect(ended.err).not.toMatch(/[A-Za-z0-9+/]{30}/);
    }
    expect((await place.run(['officer', 'new', '--verifier-key', 'absent'])).code).toBe(5);
  });
});

describe('docs/guide/notes.md', () => {
  const other = makePlace();
  afterAll(() => other.remove());
  const run = pageRun(['e04c2da5']);

  describe('makes a key', () => {
    run.run(stepsOf(textOf('docs/guide/notes.md', '## Keys')), () => other);
  });

  describe('verifies without trefoil', () => {
    beforeAll(async () => {
      const signer = noteSigner(other.read('anna.key'));
      writeFileSync(other.path('report.note'), await signNote('The report of March is complete.\n', [signer]));
    });
    // The steps after the first four are about checkpoints (test/cli/oversee/openssl.test.ts).
    const all = stepsOf(textOf('docs/guide/notes.md', '## Verify without trefoil'));
    expect(all.length).toBe(16);
    const steps = all.slice(0, 4);
    run.run(steps, () => other);

    it('and the same commands refuse a text that was changed', async () => {
      other.write('report.txt', 'The report of April is complete.\n');
      const last = steps.at(-1)!;
      const ended = await other.bash('command' in last ? last.command : '');
      expect(ended.code).not.toBe(0);
    });
  });
});
