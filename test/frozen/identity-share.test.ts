/**
 * Frozen: the shares of docs/spec/identity-share-v1.md, which were computed with another implementation. If an output
 * changes here, shares that are on paper no longer join.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as age from 'age-encryption';
import * as shamir from 'shamir-secret-sharing';
import { describe, expect, test } from 'vitest';
import { type Ceremony, ceremonyId, checkCeremony, commitmentOf } from '../../src/custody/shares/ceremony.ts';
import { checkShare } from '../../src/custody/shares/check.ts';
import { combineShares } from '../../src/custody/shares/combine.ts';
import { identityText } from '../../src/custody/shares/identity-text.ts';
import { recipientOf, valueAt } from '../../src/custody/shares/packages.ts';
import { readShare, writeShare } from '../../src/custody/shares/share-text.ts';
import { subsetsOf } from '../../src/custody/shares/subsets.ts';
import { bytes, hex } from '../helpers/hex.ts';

const path = fileURLToPath(new URL('../../docs/spec/identity-share-v1.md', import.meta.url));
const page = readFileSync(path, 'utf8');
const program = fileURLToPath(new URL('../reference/generators/identity-share-vectors.py', import.meta.url));

/** The texts of all shares, as they were when the format was made. The page has their lines, too. */
const FROZEN = {
  '2 of 3': `trefoil share 1 of 3, 2 needed, ceremony c198e5wmjmc5wv9a
opens age1xm00jyzgp3v320tmk5hkshfd3dp5kujdlg35k5cpfk0r7uc22fwsvy9y4g
1: c198 e5wm jmc5 wv9a 081g 28qn 79vz r2cb yyv9 9w6q
2: xens y4y1 bh98 hx79 b4er 2s3y 0r8j 97qr hs9n 8zry

trefoil share 2 of 3, 2 needed, ceremony c198e5wmjmc5wv9a
opens age1xm00jyzgp3v320tmk5hkshfd3dp5kujdlg35k5cpfk0r7uc22fwsvy9y4g
1: c198 e5wm jmc5 wv9a 081g 5m01 zn26 nw8n jaxv 3tys
2: bqt4 kbrw 2xe2 w1ns nyr7 j704 6bhe kfzh 8h6r 6c1v

trefoil share 3 of 3, 2 needed, ceremony c198e5wmjmc5wv9a
opens age1xm00jyzgp3v320tmk5hkshfd3dp5kujdlg35k5cpfk0r7uc22fwsvy9y4g
1: c198 e5wm jmc5 wv9a 081g 6xx4 95ah gm4p p54t 4hhc
2: sz76 991r vv3d rp0s zqdv xjyj 5rht tm36 1mm3 f87b
`,
  '3 of 5': `trefoil share 1 of 5, 3 needed, ceremony ksyb6xft87a4f2qa
opens age1vyqk50c2k2f5mh4ncezkrjwymgrpjv5rgltdp6vcfy3hpuwlrfdsfaq8hr
1: ksyb 6xft 87a4 f2qa 0c2g 3rdc q8qt btnc 0m0h g9pz
2: mxjg 95rq cp77 6mde 4kd3 2beh 0j6z 7kew jnj7 0fp3

trefoil share 2 of 5, 3 needed, ceremony ksyb6xft87a4f2qa
opens age1vyqk50c2k2f5mh4ncezkrjwymgrpjv5rgltdp6vcfy3hpuwlrfdsfaq8hr
1: ksyb 6xft 87a4 f2qa 0c2g 43gc ne6c z1rv 9bfb w4cz
2: njfm e39z zcer 05ch cy8d 9fdf n3qc wm9c t3jp g7k9

trefoil share 3 of 5, 3 needed, ceremony ksyb6xft87a4f2qa
opens age1vyqk50c2k2f5mh4ncezkrjwymgrpjv5rgltdp6vcfy3hpuwlrfdsfaq8hr
1: ksyb 6xft 87a4 f2qa 0c2g 67cy qbzs gcvp dbnn 93hn
2: pq9n yn0g xbvc z3n9 5139 x2fk n5g0 27t8 heb9 7cct

trefoil share 4 of 5, 3 needed, ceremony ksyb6xft87a4f2qa
opens age1vyqk50c2k2f5mh4ncezkrjwymgrpjv5rgltdp6vcfy3hpuwlrfdsfaq8hr
1: ksyb 6xft 87a4 f2qa 0c2g 8n3e 4czz 4tbe 8z6j pqea
2: zn46 5pzm bcmk vn81 36a0 yg8q crq6 ryy0 yykz 9fnc

trefoil share 5 of 5, 3 needed, ceremony ksyb6xft87a4f2qa
opens age1vyqk50c2k2f5mh4ncezkrjwymgrpjv5rgltdp6vcfy3hpuwlrfdsfaq8hr
1: ksyb 6xft 87a4 f2qa 0c2g ahzw 696a bq83 czwc 08h4
2: wg27 n0pv 9b17 4khs as14 axab cyga 6dd4 nka0 f0n5
`,
} as const;

/** The rows of a ceremony on the page. */
function rowsOf(name: string): (what: string) => string {
  const rows = [...page.matchAll(/^\| (\d+ of \d+) \| (.+) \| `(.+)` \|$/gm)].filter(([, of]) => of === name);
  return (what) => {
    const row = rows.find(([, , found]) => found === what);
    if (row === undefined) throw new Error(`the page has no row ${what}`);
    return row[3]!;
  };
}

test('the page is what the program in Python prints', () => {
  expect(execFileSync('python3', [program, path], { encoding: 'utf8' })).toBe('');
  expect(execFileSync('python3', [program], { encoding: 'utf8' }).trim().split('\n')).toHaveLength(16 + 24);
});

describe.each(Object.entries(FROZEN))('%s', (name, frozen) => {
  const row = rowsOf(name);
  const [threshold, shares] = name.split(' of ').map(Number) as [number, number];
  const numbers = Array.from({ length: shares }, (_, i) => i + 1);
  const texts = frozen.split(/\n(?=\n)\n/).map((text) => `${text.trim()}\n`);
  const facts = { recipient: row('recipient'), threshold, shares };
  const commitments = numbers.map((number) => row(`commitment ${number}`));
  const record: Ceremony = {
    version: 'identity-share-v1',
    ceremony: row('ceremony'),
    ...facts,
    commitments,
    made: '2026-12-01',
    present: [],
  };

  test('the texts are those of the page, and are read and written', () => {
    expect(texts).toHaveLength(shares);
    for (const [i, text] of texts.entries()) {
      const lines = [`1: ${row(`line 1 of share ${i + 1}`)}`, `2: ${row(`line 2 of share ${i + 1}`)}`];
      expect(text.trim().split('\n').slice(2)).toEqual(lines);
      const share = readShare(text);
      expect(share).toEqual({
        ceremony: record.ceremony,
        threshold,
        shares,
        number: i + 1,
        value: bytes(row(`value ${i + 1}`)),
        recipient: record.recipient,
      });
      expect(writeShare(share, record.recipient)).toBe(text);
      expect(checkShare(lines.join('\n'), record).number).toBe(i + 1);
    }
  });

  test('the secret has the identity and the recipient of the page', async () => {
    const secret = bytes(row('secret'));
    expect(identityText(secret)).toBe(row('identity'));
    expect(await recipientOf(age, secret)).toBe(row('recipient'));
  });

  test('the commitments and the id are those of the page', () => {
    expect(numbers.map((number) => commitmentOf(facts, number, bytes(row(`value ${number}`))))).toEqual(commitments);
    expect(ceremonyId(facts, commitments)).toBe(record.ceremony);
    expect(checkCeremony(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test('every choice of shares joins to the identity, with the record and without it', async () => {
    let choices = 0;
    for (const chosen of subsetsOf(texts, threshold)) {
      expect(await combineShares(chosen, { age, shamir })).toBe(row('identity'));
      expect(await combineShares(chosen, { age, shamir, ceremony: record })).toBe(row('identity'));
      choices++;
    }
    expect(choices).toBe(name === '2 of 3' ? 3 : 10);
  });

  test('the package computes the values of the page at each point', async () => {
    const points = numbers.map((at) => ({ at, value: bytes(row(`value ${at}`)) }));
    for (const number of numbers) {
      const others = points.filter(({ at }) => at !== number).slice(0, threshold);
      expect(hex(await valueAt(shamir, others, number))).toBe(row(`value ${number}`));
    }
    expect(hex(await valueAt(shamir, points.slice(0, threshold), 0))).toBe(row('secret'));
  });
});
