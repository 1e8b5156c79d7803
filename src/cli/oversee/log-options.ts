/// <reference types="node" />
/** The options of commands that read a log of a gateway: whom to trust, and which part of it. */

import { type Command, Option } from 'commander';
import { timeOf } from '../../govern/text/items.ts';
import type { LogSource } from '../../log.ts';
import { type LogPolicy, parseLogPolicy, type Seen } from '../../log.ts';
import { UsageError } from '../exit.ts';
import { type Context, fileOption, option } from '../options.ts';
import { readLogPolicy, vkeysOption } from './keys.ts';
import { logThere, sourceOf } from './log-source.ts';
import { readSeenFile } from './seen-file.ts';
import type { WholeLogOptions } from './whole-log.ts';

/** The options, as commander returns them. */
export interface LogOptions {
  readonly charterSha256?: string;
  readonly logPolicy?: string;
  readonly logKey?: readonly string[];
  readonly witnesses: boolean;
  readonly seen?: string;
}

/** Adds the options to a command. */
export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      option(
        '--charter-sha256',
        'HEX',
        'digest of the text of the first charter: its keys, then those that follow',
        digest,
      ),
    )
    .addOption(fileOption('--log-policy', 'keys of the log and of its witnesses (C2SP tlog-policy)'))
    .addOption(vkeysOption('--log-key', 'verifier key of a log that has no witnesses, instead of a policy'))
    .addOption(new Option('--no-witnesses', 'do not ask the witnesses'));
}

/** The option `--seen` of commands that do not write the file. */
export const seenOption = (): Option =>
  fileOption('--seen', 'file of what oversee verify has verified last; it is read, and not changed');

/** The policy that the options name; `null`: that of the charters. */
export async function policyOf({ charterSha256, logPolicy, logKey = [] }: LogOptions): Promise<LogPolicy | null> {
  if (logPolicy !== undefined && logKey.length > 0) throw new UsageError('set either --log-policy or --log-key');
  if (logPolicy !== undefined) {
    const policy = await readLogPolicy(logPolicy);
    if (policy.logs.length === 0) throw new UsageError('the policy of --log-policy names no log');
    return policy;
  }
  if (logKey.length > 0) return parseLogPolicy(`${logKey.map((key) => `log ${key}\n`).join('')}quorum none\n`);
  if (charterSha256 !== undefined) return null;
  throw new UsageError(
    'set --charter-sha256 HEX, --log-policy FILE or --log-key VKEY',
    'the digest of the first charter is the one of sha256sum over its text; get it from a person, not from the log',
  );
}

/** What a whole log is read with. */
export async function wholeLogOptions(
  place: string,
  options: LogOptions,
  { signal }: Context,
): Promise<{ readonly source: LogSource; readonly reading: WholeLogOptions }> {
  const policy = await policyOf(options);
  const seen: Seen | null = options.seen === undefined ? null : (await readSeenFile(options.seen)).seen;
  const source = await readable(place, signal);
  const firstCharter = options.charterSha256 ?? null;
  return { source, reading: { place, policy, firstCharter, seen, isAsked: options.witnesses, signal } };
}

/** The log at a place, which ends when the run is interrupted. */
export async function readable(place: string, signal: AbortSignal): Promise<LogSource> {
  const there = logThere(await sourceOf(place), place);
  return {
    async read(path, limit) {
      signal.throwIfAborted();
      return there.read(path, limit);
    },
  };
}

function digest(value: string): string {
  const digits = /^(?:sha256:)?([0-9a-f]{64})$/.exec(value)?.[1];
  if (digits !== undefined) return digits;
  throw new UsageError('--charter-sha256 expected 64 hexadecimal digits in lower case');
}

/** An option that is a day, `2026-11-30`, or a time, `2026-11-30T20:00:00Z`. A day is its beginning, or its end. */
export function timeOption(flag: string, text: string, isEnd = false): Option {
  return option(flag, 'TIME', text, (value): number => {
    const day = timeOf(`${value}T00:00:00Z`);
    const time = day === null ? timeOf(value) : day + (isEnd ? 86_400 : 0);
    if (time !== null) return time;
    throw new UsageError(`${flag} expected a day such as 2026-11-30, or a time such as 2026-11-30T20:00:00Z`);
  });
}
