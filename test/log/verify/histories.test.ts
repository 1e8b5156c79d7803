/**
 * Random histories of a log. A program in Go (test/reference/generators/log/judge), with golang.org/x/mod for notes
 * and trees, has judged each of 10,000, and its verdicts are in verdicts.txt: our verifier has to give the same word
 * and the same first entry. The first 600 run always, all of them with TREFOIL_LONG.
 *
 * With TREFOIL_HISTORIES=FILE they are also written to that file, one JSON text a line, for the program.
 */

import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodeBase64 } from '../../../src/core/base64.ts';
import { type Verification, verifyLog } from '../../../src/log.ts';
import { type History, history } from './histories.ts';
import { KEYS, policyOf, sourceOf } from './memory-log.ts';

const COUNT = process.env.TREFOIL_LONG === undefined ? 600 : 10_000;
const FILE = process.env.TREFOIL_HISTORIES;
const POLICY = policyOf('none');

/** One verdict a line; an empty list until the program has judged. */
const VERDICTS = readFileSync(new URL('verdicts.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

async function judge({ files, seen, witness }: History): Promise<Verification> {
  return verifyLog(sourceOf(files), {
    policy: POLICY,
    entries: 'bytes',
    tiles: 'all',
    patience: 0,
    ask: async ({ name }) => (name === 'one' ? witness : null),
    ...(seen === null ? {} : { seen }),
  });
}

function verdictOf({ findings }: Verification): string {
  const [first] = findings;
  return first === undefined ? 'ok' : `${first.word} ${first.entry ?? first.range?.[0] ?? '-'}`;
}

const line = (number: number, { files, seen, witness }: History): string =>
  JSON.stringify({
    number,
    log: KEYS.log.verifierKey,
    witnessKey: KEYS.witnesses[0]!.verifierKey,
    files: Object.fromEntries([...files].map(([path, bytes]) => [path, encodeBase64(bytes)])),
    seen: seen === null ? null : { size: seen.size, edge: seen.edge },
    witness,
  });

it(`our verdicts on ${COUNT} random histories are those of the program in Go`, async () => {
  const out = FILE === undefined ? null : createWriteStream(FILE);
  const words = new Map<string, number>();
  const differences: unknown[] = [];
  for (let number = 0; number < COUNT; number++) {
    const one = await history(number);
    const verdict = verdictOf(await judge(one));
    const word = verdict.replace(/ [-\d]+$/, '');
    words.set(word, (words.get(word) ?? 0) + 1);
    if (out !== null && !out.write(`${line(number, one)}\n`)) await once(out, 'drain');
    if (verdict !== VERDICTS[number])
      differences.push({ number, what: one.what, ours: verdict, theirs: VERDICTS[number] });
  }
  out?.end();
  expect(differences).toEqual([]);
  // Every word occurs, so the histories reach all of it.
  expect([...words.keys()].sort()).toEqual(
    ['cut', 'deleted', 'forked', 'ok', 'rewritten', 'rolled back', 'unreadable', 'unsigned'].sort(),
  );
}, 1_200_000);
