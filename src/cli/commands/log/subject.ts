/// <reference types="node" />
/** `trefoil log subject`: the extract of a log for one person. */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import { type ExtractBuilder, extractBuilder, subjectPseudonyms } from '../../../govern.ts';
import { readEntry } from '../../../log.ts';
import { readShardKey } from '../../custody/shard-key.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, fileOption, nameOption, need, option } from '../../options.ts';
import { DASH, openFileOrStdout, refuseTwoDashes } from '../../outputs.ts';
import { extractPage, type ProvenExtract } from '../../oversee/extract-page.ts';
import { addLogOptions, type LogOptions, seenOption, wholeLogOptions } from '../../oversee/log-options.ts';
import { proveEntries } from '../../oversee/one-entry.ts';
import { isVerified, policyOfCharters, readWholeLog } from '../../oversee/whole-log.ts';
import { readSmallFile } from '../../policy-file.ts';
import { helpText, plural } from '../../voice.ts';

const HELP = `
For a person who asks who opened their record: each use that names them, with
its time, purpose and proof. It names no officer and no other person. The log is
verified first; if it does not verify, the exit code is 7 and there is no
extract.

The person is found by their token: that of the scope which the charter names as
subject. A person with tokens of several root keys needs all of them (--tokens,
one a line). The keys are those of the domain, because a pseudonym cannot be
computed without them.

A use is shown when the delay of its purpose has passed. Purposes with "show
never" do not appear, and the extract says to everybody that there may be such
uses. What was opened without being logged is not in it.

With a name that ends in .html the output is a page, otherwise JSON. Its proofs
are checked with trefoil oversee open --proof, or with other tools for C2SP
tlog-proof; their extra data are the entry.

Examples:
  trefoil log subject LOG --charter-sha256 5f2b… --token cust_… --keys keys.json --domain eu-enclave --shard-key shard.key --out me.html
  trefoil log subject LOG --log-policy policy.txt --tokens tokens.txt --keys keys.json --domain eu-enclave --shard-key shard.key --out me.json`;

/** Most bytes of a file of tokens, and most tokens: nobody has more root keys. */
const MOST_TOKEN_BYTES = 65_536;

interface SubjectOptions extends LogOptions, KeyOptions {
  readonly token?: string;
  readonly tokens?: string;
  readonly domain?: string;
  readonly fromKey?: string;
  readonly shardKey?: string;
  readonly out?: string;
  readonly force?: boolean;
}

export function addLogSubject(parent: Command, context: Context): void {
  const command = parent
    .command('subject')
    .summary('extract for a person: when their record was opened, and why')
    .description('Writes the extract of a log for one person: when their record was opened, and for what purpose.')
    .argument('<LOG>', 'folder of the log, or its address: http://… or https://…');
  addLogOptions(command)
    .addOption(seenOption())
    .addOption(option('--token', 'TOKEN', 'token of the person', (value) => value))
    .addOption(fileOption('--tokens', 'file of the tokens of this one person, one a line'))
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(nameOption('--domain', 'domain of the keys (required)'))
    .addOption(option('--from-key', 'ID', 'shown id of the key of tokens that do not show theirs', (value) => value))
    .addOption(fileOption('--shard-key', 'key of the shard (required)'))
    .addOption(fileOption('--out', 'file to write, .json or .html; - is standard output, as JSON (required)'))
    .option('--force', 'replace the file')
    .addHelpText('after', helpText(HELP))
    .action((log: string, options: SubjectOptions) => subject(log, options, context));
}

async function subject(place: string, options: SubjectOptions, context: Context): Promise<void> {
  const out = need(options.out, '--out');
  const shardKey = need(options.shardKey, '--shard-key');
  if (options.domain === undefined) throw new UsageError('--domain NAME is required');
  refuseTwoDashes('input', [
    ['--log-policy', options.logPolicy],
    ['--seen', options.seen],
    ['--tokens', options.tokens],
    ['--keys', options.keys],
    ['--shard-key', shardKey],
  ]);
  const tokens = await tokensOf(options);
  const sealer = await readShardKey(shardKey, context.voice);
  const keys = (await needKeys(options, context)).keyset.domain(options.domain);
  const { source, reading } = await wholeLogOptions(place, options, context);
  const fromKey = options.fromKey === undefined ? {} : { fromKey: options.fromKey };
  const pseudonymsIn = (scope: string): string[] => tokens.map(subjectPseudonyms(keys, scope, fromKey));
  let builder: Pick<ExtractBuilder, 'finish'> | null = null;
  const whole = await readWholeLog(source, reading, () => {
    const late = lateBuilder(pseudonymsIn, sealer.open, options.charterSha256);
    builder = late;
    return late.add;
  });
  if (!(await isVerified(whole, false, context.exit))) return;
  if (builder === null) return fail('charter_invalid', 'the log is empty');
  const { uses, ...extract } = (builder as Pick<ExtractBuilder, 'finish'>).finish();
  if (extract.domain !== options.domain) {
    fail('charter_invalid', 'the charter of the log is for another domain than --domain');
  }
  const policy = reading.policy ?? (await policyOfCharters(whole.source, options.charterSha256!));
  const proven = await proveEntries(
    whole.source,
    policy,
    uses.map(({ entry }) => entry),
  );
  const shown = uses.map(({ bytes: _, ...use }, i) => ({ ...use, proof: proven[i]!.proof }));
  await write(out, { ...extract, origin: whole.look.found.origin!, uses: shown }, options.force === true);
  if (out !== DASH) context.voice.note(`wrote ${out}: ${plural(shown.length, 'use')}`);
}

/** The tokens of the person. */
async function tokensOf({ token, tokens: file }: SubjectOptions): Promise<readonly string[]> {
  if ((token === undefined) === (file === undefined)) {
    throw new UsageError('set either --token TOKEN or --tokens FILE');
  }
  if (token !== undefined) return [token];
  return readSmallFile(file!, MOST_TOKEN_BYTES, 'the file of --tokens', 'malformed_token', (text) => {
    const lines = text.split(/\r?\n/).filter((line) => line !== '');
    return lines.length > 0 ? lines : fail('malformed_token', 'the file has no token');
  });
}

/**
 * A builder of the extract that begins when the scope of the subject is known: the first charter names it. Later
 * versions may name another one, and tokens of that have other pseudonyms, so it is a builder of one scope.
 */
function lateBuilder(
  pseudonymsIn: (scope: string) => string[],
  openSubject: (sealed: string) => string,
  firstCharter: string | undefined,
): Pick<ExtractBuilder, 'add' | 'finish'> {
  let inner: ExtractBuilder | null = null;
  let isOver = false;
  const before: Uint8Array[] = [];
  function begin(scope: string): ExtractBuilder {
    const builder = extractBuilder({ pseudonyms: pseudonymsIn(scope), openSubject, firstCharter });
    for (const [i, bytes] of before.splice(0).entries()) builder.add(i, bytes);
    return builder;
  }
  return {
    add(index, bytes) {
      if (isOver) return;
      try {
        if (inner !== null) return inner.add(index, bytes);
        before.push(bytes.slice());
        const scope = subjectScopeOf(bytes);
        if (scope !== null) inner = begin(scope);
      } catch (error) {
        // The verification names an entry that is not one.
        if (!(error instanceof TrefoilError) || error.code !== 'entry_invalid') throw error;
        isOver = true;
      }
    },
    finish() {
      return inner?.finish() ?? fail('charter_invalid', 'the log has no charter, so nobody knows what may be shown');
    },
  };
}

/** The scope that a charter names as subject; `null` if the entry is no charter. */
function subjectScopeOf(bytes: Uint8Array): string | null {
  const { event } = readEntry(bytes);
  if (event?.kind !== 'charter') return null;
  const scope = /^subject (\S+)$/m.exec(event.note)?.[1];
  return scope ?? fail('charter_invalid', 'the charter names no subject, so the log has no pseudonyms of people');
}

async function write(out: string, extract: ProvenExtract, force: boolean): Promise<void> {
  const isPage = out !== DASH && /\.html?$/i.test(out);
  const text = isPage ? extractPage(extract) : `${JSON.stringify({ trefoil: 'extract-v1', ...extract }, null, 2)}\n`;
  const file = await openFileOrStdout(out, { force, mode: 0o600 });
  try {
    await file.write(new TextEncoder().encode(text));
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
