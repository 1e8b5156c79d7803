/** The verdict on a log in words that a privacy officer reads, and as JSON. */

import { formatIssue } from '../../errors.ts';
import { CHECKPOINT_PATH } from '../../log/tree/source.ts';
import type { Finding, LogPolicy, Verification } from '../../log.ts';
import { count, plural, wordFor } from '../voice.ts';

/** What one look at a log came to. */
export interface Look {
  readonly found: Verification;
  readonly policy: LogPolicy;
  /** The folder or address that was asked. */
  readonly place: string;
  /** The size at the last look; `null` if this is the first one. */
  readonly before: number | null;
  /** Whether all entries were read, and not only those after the last look. */
  readonly isAll: boolean;
  /** Whether the witnesses were asked for their own checkpoints. */
  readonly isAsked: boolean;
  /** Why each silent witness says nothing, by its name. */
  readonly reasons: ReadonlyMap<string, string>;
  /** The clock of this machine, in seconds since 1970. */
  readonly now: number;
}

/** The lines for standard output. The first one is the verdict. */
export function verdictLines(look: Look): string[] {
  const { found } = look;
  return found.ok ? goodLines(look) : badLines(look);
}

/** The same as an object for `--json`. */
export function verdictJson(look: Look): object {
  const { found, policy, before } = look;
  const { ok, origin, size, checked, witnessed, findings, unread, kinds, unknown, ahead, cosigned, silent } = found;
  return {
    verified: ok,
    origin: origin ?? logNames(policy),
    place: look.place,
    size,
    before,
    checked,
    quorum: isWitnessed(policy) ? 'witnesses' : 'none',
    witnessed: isWitnessed(policy) ? witnessed : 0,
    late: found.late,
    cosigned,
    silent: silent.map((name) => ({ name, reason: reasonOf(look, name) })),
    findings,
    unread,
    kinds,
    unknown,
    ahead,
  };
}

/** That the log's clock is ahead of ours; `null` if no entry shows it. */
export function aheadText({ found, now }: Look): string | null {
  const { ahead } = found;
  if (ahead === null) return null;
  return (
    `the time of entry ${count(ahead.entry)} is ${span(ahead.time - now)} ahead of the clock of this machine, and the ` +
    'times of the entries after it are no earlier; if this clock is right, that of the log was wrong: ask its operator'
  );
}

/** Whether the policy demands a witness at all. */
export function isWitnessed({ satisfiedBy }: LogPolicy): boolean {
  return !satisfiedBy(new Set());
}

/** Why a witness says nothing. */
export function reasonOf({ found, isAsked, reasons, now }: Look, name: string): string {
  const mistimed = found.mistimed.find((one) => one.name === name);
  if (mistimed !== undefined) {
    if (mistimed.time === 0) return 'its cosignature has no time, so it does not count';
    return (
      `its cosignature is from the future, so it does not count: ${dateOf(mistimed.time)}, ` +
      `${span(mistimed.time - now)} ahead of the clock of this machine; check this clock, and that of the witness`
    );
  }
  if (!isAsked) return 'it was not asked (--no-witnesses)';
  return reasons.get(name) ?? 'it answers with something else than a checkpoint that it and the log have signed';
}

const logNames = ({ logs }: LogPolicy): string => logs.map(({ name }) => name).join(' or ');

function goodLines(look: Look): string[] {
  const { found, policy, before, isAll, now, isAsked } = look;
  const { origin, size, witnessed, kinds, cosigned } = found;
  const old = before === null ? '' : `${count(size - before)} new since the last look`;
  const news = [old, isAll ? 'all of them read' : ''].filter(Boolean).join(', ');
  const what = `${origin}, ${plural(size, 'entry').replace(/entrys$/, 'entries')}, ${news}`;
  const names = cosigned.map(({ name, time }) => `${name} ${ago(now - time)}`);
  const by = names.length === 0 ? 'cosigned by nobody yet' : `cosigned by ${listOf(names)}`;
  let line: string;
  if (!isWitnessed(policy) && names.length === 0) {
    line = `verified WITHOUT A WITNESS: ${what}; the holder of its key could show others a different log`;
  } else if (!isWitnessed(policy)) {
    line = `verified, BUT THE POLICY DEMANDS NO WITNESS: ${what}; ${by}`;
  } else {
    const open = size - witnessed;
    const covered = `; enough witnesses have cosigned the first ${count(witnessed)}, and not yet the newest ${count(open)}`;
    const rest = open === 0 ? '' : covered;
    line = `verified: ${what}; ${by}${rest}`;
  }
  const mute = isAsked && found.silent.length > 0 ? `; NO ANSWER FROM ${listOf(found.silent)}` : '';
  const lines = [isAsked || policy.witnesses.length === 0 ? line + mute : `${line}; witnesses were not asked`];
  const counts = Object.entries(kinds).map(([kind, number]) => `${kind} ${count(number)}`);
  if (counts.length > 0) lines.push(`  ${isAll ? 'entries' : 'new entries'}: ${counts.join(', ')}`);
  return lines;
}

function badLines(look: Look): string[] {
  const { found, place } = look;
  const { findings, origin } = found;
  const more = findings.length - 1;
  const others = more === 0 ? '' : `; ${count(more)} more ${wordFor(more, 'finding', 'findings')} below`;
  return [
    // Without a checkpoint that it has signed, the log of the policy is not known to be at this place.
    `NOT VERIFIED: ${origin ?? place}: ${headline(gravest(findings))}${others}`,
    ...findings.flatMap((one) => [
      `  ${one.word}: ${one.message}${detailOf(one)}`,
      `    what to do: ${one.hint}`,
      ...(one.evidence === undefined ? [] : ['    `evidence` is printed with --json only: run again with it']),
    ]),
    ...(found.unread === null
      ? []
      : [`  not all of the log or its copies could be read: ${formatIssue(found.unread)}`]),
    ...witnessLines(look),
    '  there may be more: of the files, only the first thing that is wrong is named',
  ];
}

/**
 * The finding for the first line. What the log has signed twice is graver than a file that is damaged, and both are
 * graver than too few cosignatures, which may follow from either. Of one gravity, the one that says most exactly where.
 */
function gravest(findings: readonly Finding[]): Finding {
  const rank = ({ word }: Finding): number =>
    word === 'forked' || word === 'rolled back' ? 0 : word === 'unwitnessed' ? 2 : 1;
  const spread = ({ entry, range }: Finding): number =>
    entry !== undefined ? 1 : range === undefined ? Number.POSITIVE_INFINITY : range[1] - range[0];
  const isOfWitness = ({ witness }: Finding): number => Number(witness !== undefined);
  const sorted = findings.toSorted(
    (a, b) => rank(a) - rank(b) || isOfWitness(a) - isOfWitness(b) || spread(a) - spread(b) || 0,
  );
  return sorted[0]!;
}

/** The file and the entries of a finding, if its message does not name them. */
function detailOf({ word, message, path, entry, range }: Finding): string {
  const isNamed = /\bentr(?:y|ies from) [0-9]/.test(message) || word === 'rolled back';
  const place = isNamed ? null : word === 'unwitnessed' ? entriesOf(range!) : placeOf(entry, range);
  const parts = [path === undefined || message.includes(path) ? '' : path, place?.replace(/ was$/, '') ?? ''];
  const detail = parts.filter(Boolean).join('; ');
  return detail === '' ? '' : ` (${detail})`;
}

/** Who has not cosigned, and who said nothing. */
function witnessLines(look: Look): string[] {
  const { cosigned, silent, checkpoint } = look.found;
  // If there is no checkpoint, nobody was asked.
  if (checkpoint === null) return [];
  const names = look.policy.witnesses.map(({ name }) => name);
  const without = names.filter((name) => !cosigned.some((one) => one.name === name));
  return [
    ...(without.length === 0 ? [] : [`  no cosignature that counts: ${listOf(without)}`]),
    ...silent.map((name) => `  the witness ${name} said nothing: ${reasonOf(look, name)}`),
  ];
}

/** The path of a hash tile, and not of a bundle of entries. */
const HASH_TILE = /^tile\/[0-9]/;

/** A finding in a few words. */
function headline({ word, code, entry, range, witness, path, message }: Finding): string {
  // The entries may be right: a finding about a hash tile says of the entries what is known.
  if (path !== undefined && HASH_TILE.test(path) && !message.startsWith('entry ')) {
    if (witness !== undefined || word === 'rewritten') return message;
    return word === 'deleted' ? `hash tile ${path} was deleted` : `hash tile ${path} cannot be read`;
  }
  const place = placeOf(entry, range);
  switch (word) {
    case 'deleted':
      if (path === CHECKPOINT_PATH) return 'its checkpoint was deleted';
      if (range === undefined) return place === null ? 'entries were deleted' : `${place} deleted`;
      return `${entriesOf(range)} were deleted`;
    case 'cut':
      return `the log is cut: the entries from ${count(entry ?? 0)} on are missing`;
    case 'rewritten':
      return place === null ? 'the log was rewritten' : `${place} rewritten`;
    case 'forked':
      if (witness !== undefined) {
        const where = place === null ? '' : `; ${place.replace(/ was$/, '')} is another there`;
        return `the log was forked: the witness ${witness} has seen another one${where}`;
      }
      return `the log was forked: ${place?.replace(/ was$/, '') ?? 'entries'} changed since the last look`;
    case 'rolled back':
      return entry === undefined ? 'the log was rolled back' : `the log was rolled back to ${count(entry)} entries`;
    case 'unreadable':
      return place === null ? 'a file cannot be read' : `${place.replace(/ was$/, '')} cannot be read`;
    case 'unsigned':
      if (code === 'signature_invalid') return 'its checkpoint has a signature that does not verify: it was changed';
      // The log that the policy names has signed it, and something else is wrong.
      if (!message.startsWith('the checkpoint of the log is not good')) return message;
      return 'its checkpoint is not signed by a log of the policy';
    case 'unwitnessed':
      return 'too few witnesses have cosigned it';
  }
}

/** `entry 812 was`, `one of the entries 0 to 255 was`; `null` if the place is not known. Entries count from 0. */
function placeOf(entry: number | undefined, range: Finding['range']): string | null {
  if (range !== undefined && range[1] - range[0] > 1) {
    return `one of the entries ${count(range[0])} to ${count(range[1] - 1)} was`;
  }
  return entry === undefined ? null : `entry ${count(entry)} was`;
}

/** `entries from 12 to 15`. */
const entriesOf = ([from, to]: readonly [from: number, to: number]): string =>
  `entries from ${count(from)} to ${count(to - 1)}`;

/** A time in seconds since 1970. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${count(seconds)} s after 1970` : date.toISOString().replace('.000Z', 'Z');
}

/** `12 s ago`, `3 min ago`; the clock of a witness may be ahead of ours. */
function ago(seconds: number): string {
  if (seconds < -60) return `${span(-seconds)} ahead of this clock`;
  return `${span(Math.max(0, seconds))} ago`;
}

function span(seconds: number): string {
  if (seconds < 120) return `${count(Math.round(seconds))} s`;
  if (seconds < 7200) return `${count(Math.round(seconds / 60))} min`;
  return seconds < 172_800 ? `${count(Math.round(seconds / 3600))} h` : `${count(Math.round(seconds / 86_400))} days`;
}

/** `a`, `a and b`, `a, b and c`. */
function listOf(items: readonly string[]): string {
  return [items.slice(0, -1).join(', '), items[items.length - 1]].filter(Boolean).join(' and ');
}
