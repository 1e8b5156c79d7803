/// <reference types="node" />
/** `trefoil oversee report`: who opened what, and what stands out. */

import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { TrefoilError } from '../../../errors.ts';
import { MOST_SAMPLED } from '../../../govern/report/sample.ts';
import { drawSample, parseProtected, reportBuilder, reportText, type SampleDraw } from '../../../govern.ts';
import { readEntry, type VisitEntry } from '../../../log.ts';
import { readShardKey } from '../../custody/shard-key.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, integerOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { addLogOptions, type LogOptions, seenOption, timeOption, wholeLogOptions } from '../../oversee/log-options.ts';
import { keepSample, readSamples, type Sample, sampleText } from '../../oversee/samples.ts';
import { type BeginPass, isVerified, readWholeLog } from '../../oversee/whole-log.ts';
import { readSmallFile } from '../../policy-file.ts';
import { writeJsonLine, writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
LOG is the folder of the log, or its address. It is verified first, as by
trefoil oversee verify. If it does not verify, there is no report: the output is
the verdict, and the exit code 7. With --charter-sha256 alone, the keys of the
log and of its witnesses are those of the newest charter in it.

Lines that stand out end with "!". The exit code does not depend on them: it is
0 for every log that verifies. What was opened without being logged is in no
report.

With the key of the shard the report says who was looked at again and again, by
pseudonyms that nobody can invert without the key of the domain. Without it,
and without --protected, its first lines say what it cannot see.

--sample draws entries whose openings you then demand from the operator, and
compare with trefoil oversee open. It is drawn after the log was read, from
random bytes of yours and the checkpoint, and added to the file of --samples.

Examples:
  trefoil oversee report https://log.example/2026 --charter-sha256 5f2b… --shard-key shard.key
  trefoil oversee report LOG --log-policy policy.txt --from 2026-11-01 --to 2026-11-30 --json
  trefoil oversee report LOG --log-policy policy.txt --sample 20 --samples samples.ndjson`;

/** Longest list of protected people: 100,000 lines of 17 characters, and its first lines. */
const MOST_PROTECTED_BYTES = 2_097_152;

interface ReportCommandOptions extends LogOptions {
  readonly from?: number;
  readonly to?: number;
  readonly shardKey?: string;
  readonly protected?: string;
  readonly sample?: number;
  readonly samples?: string;
  readonly json?: boolean;
}

export function addOverseeReport(parent: Command, context: Context): void {
  const command = parent
    .command('report')
    .summary('report who opened what, and what stands out')
    .description('Reports what was opened, by whom and for what purpose, and what stands out, after verifying the log.')
    .argument('<LOG>', 'folder of the log, or its address: http://… or https://…');
  addLogOptions(command)
    .addOption(seenOption())
    .addOption(timeOption('--from', 'first day of the period, or its first second (default: the first entry)'))
    .addOption(timeOption('--to', 'last day of the period, or the second after it (default: to the end)', true))
    .addOption(fileOption('--shard-key', 'key of the shard: without it, no person is recognised again'))
    .addOption(fileOption('--protected', 'list of protected people that the charter names'))
    .addOption(integerOption('--sample', 'N', 'draw so many entries whose openings are demanded', 1, MOST_SAMPLED))
    .addOption(fileOption('--samples', 'file that keeps what was drawn; the first run makes it'))
    .option('--json', 'one JSON object')
    .addHelpText('after', helpText(HELP))
    .action((log: string, options: ReportCommandOptions) => report(log, options, context));
}

async function report(place: string, options: ReportCommandOptions, context: Context): Promise<void> {
  const { shardKey, protected: list, samples: samplesFile, sample: count, json = false } = options;
  refuseTwoDashes('input', [
    ['--log-policy', options.logPolicy],
    ['--seen', options.seen],
    ['--shard-key', shardKey],
    ['--protected', list],
  ]);
  checkTogether(options);
  const sealer = shardKey === undefined ? null : await readShardKey(shardKey, context.voice);
  const people =
    list === undefined
      ? undefined
      : await readSmallFile(list, MOST_PROTECTED_BYTES, 'the list of --protected', 'charter_invalid', parseProtected);
  const before = samplesFile === undefined ? null : await readSamples(samplesFile);
  const { source, reading } = await wholeLogOptions(place, options, context);
  const now = Math.floor(Date.now() / 1000);
  const { from, to, charterSha256: firstCharter } = options;
  const { builder, begin, drawn } = passes(
    () => reportBuilder({ firstCharter, openSubject: sealer?.open, protected: people, from, to, now }),
    count,
    { from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER },
  );
  const whole = await readWholeLog(source, reading, begin);
  if (!(await isVerified(whole, json, context.exit))) return;
  const made = builder().finish(whole.look.found);
  if (firstCharter === undefined) {
    context.voice.note(
      `the first charter is the log's own: sha256:${made.charter.first}; pin it with --charter-sha256`,
    );
  }
  const sample = drawn(now, builder().charter()?.openings ?? null, before);
  if (sample !== null) await keepSample(samplesFile!, before!, sample);
  if (json) await writeJsonLine({ ...made, ...(sample === null ? {} : { sample }) });
  else await writeOut(reportText(made) + (sample === null ? '' : sampleText(sample)));
}

/** @throws UsageError for options that need each other. */
function checkTogether({ sample, samples, protected: list, shardKey, from, to }: ReportCommandOptions): void {
  if ((sample === undefined) !== (samples === undefined)) {
    throw new UsageError(
      'set --sample N and --samples FILE together',
      'the file keeps what was drawn, because the charter limits how much an overseer may demand',
    );
  }
  if (list !== undefined && shardKey === undefined) {
    throw new UsageError('--protected needs --shard-key, because people are found by their pseudonyms');
  }
  if (from !== undefined && to !== undefined && to <= from) throw new UsageError('--to is not after --from');
}

/** A pass over the log: the report, and the sample, which is drawn once the checkpoint is known. */
function passes(
  make: () => ReturnType<typeof reportBuilder>,
  count: number | undefined,
  period: { readonly from: number; readonly to: number },
) {
  let builder = make();
  let draw: SampleDraw | null = null;
  let head: Pick<Sample, 'origin' | 'size' | 'root' | 'random'> | null = null;
  const begin: BeginPass = ({ origin, size, root }) => {
    builder = make();
    if (count !== undefined) {
      const random = Uint8Array.from(randomBytes(32));
      draw = drawSample(random, root, count);
      head = { origin, size, root: base64(root), random: Buffer.from(random).toString('hex') };
    }
    return visiting(builder.add, (index, bytes) => {
      if (draw === null) return;
      const { event, at } = readEntry(bytes);
      if (event !== null && 'commit' in event && at >= period.from && at < period.to) draw.see(index);
    });
  };
  const drawn = (at: number, limit: { count: number; seconds: number } | null, before: readonly Sample[] | null) => {
    if (draw === null || head === null) return null;
    const entries = draw.entries();
    checkOpenings(entries.length, at, limit, before ?? []);
    return { trefoil: 'sample-v1', ...head, at, from: period.from, to: period.to, count: count!, entries } as const;
  };
  return { builder: () => builder, begin, drawn };
}

/**
 * Passes entries on up to the first one that is not one: the verification names it, and nothing after it counts.
 *
 * @throws TrefoilError for a charter that is not the pinned one.
 */
function visiting(...takers: readonly ((index: number, bytes: Uint8Array) => void)[]): VisitEntry {
  let isOver = false;
  return (index, bytes) => {
    if (isOver) return;
    try {
      for (const take of takers) take(index, bytes);
    } catch (error) {
      if (!(error instanceof TrefoilError) || error.code !== 'entry_invalid') throw error;
      isOver = true;
    }
  };
}

/** The charter bounds what an overseer may demand: an overseer, too, could ask for everything. */
function checkOpenings(
  wanted: number,
  at: number,
  limit: { readonly count: number; readonly seconds: number } | null,
  before: readonly Sample[],
): void {
  if (limit === null) return;
  const recent = before.filter((one) => one.at > at - limit.seconds);
  const had = recent.reduce((sum, { entries }) => sum + entries.length, 0);
  if (had + wanted <= limit.count) return;
  const message = 'the charter does not allow an overseer so many openings in this time; draw fewer, or wait';
  throw new TrefoilError([{ code: 'rate_spent', message, maximum: Math.max(0, limit.count - had), actual: wanted }]);
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
