/** A report as text, for a person: one line that says all, and then what it is made of. What stands out is marked. */

import { visible } from '../../core/visible.ts';
import { type Cut, checkReport, type PurposeRow, type Report } from './report.ts';
import { listOf, number, periodInWords, plural, span, table, time } from './words.ts';

/** How many items of a list a line names. The JSON has more. */
const NAMED = 10;

const MARK = '  !';

/**
 * Writes a report as text.
 *
 * The first line has the period, what was opened, the state of the log, and what is missing. Lines that stand out end
 * with an exclamation mark. A line about something that is not there is left out, but for the ones whose absence is the
 * news.
 *
 * @param report one of `reportOf` or a builder; one that was read from JSON is not.
 * @throws TypeError for another value.
 * @returns lines, each with a line feed. Texts from outside are shown with everything escaped that could repaint a
 *   terminal.
 *
 * @example
 * ```ts
 * import { type Report, reportText } from 'trefoil/govern';
 *
 * const firstLine = (report: Report): string => reportText(report).split('\n')[0]!;
 * ```
 */
export function reportText(report: Report): string {
  checkReport(report);
  const lines = [
    headline(report),
    ...blindness(report),
    standing(report),
    '',
    ...purposeLines(report),
    ...officerLines(report),
    ...peopleLines(report),
    ...breadthLines(report),
    ...useLines(report),
    ...denialLines(report),
    ...logLines(report),
    ...keyLines(report),
    ...forwardLines(report),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

function headline({ domain, period, totals, log, level, ...report }: Report): string {
  const { uses, warrants, values, people, sealed } = totals;
  const who = people === null ? `${plural(sealed, 'sealed pseudonym')} of people` : plural(people, 'person', 'people');
  const what = `${plural(uses, 'use')} under ${plural(warrants, 'warrant')}, ${plural(values, 'value')}, ${who}`;
  const parts = [`${domain}, ${periodInWords(period)}: ${what}`];
  if (log === null) parts.push('the state of the log is not known');
  else {
    const by = log.cosigned.map(({ name, time: at }) => `${name} ${ago(at, report.now)}`);
    const cosigned = by.length === 0 ? 'cosigned by nobody' : `cosigned by ${listOf(by)}`;
    parts.push(`log ${plural(log.size, 'entry', 'entries')}, ${level === 'G1' ? outside(by) : cosigned}`);
  }
  if (log === null && level === 'G1') parts.push(outside([]));
  const missing = missingOf(report, log, level);
  parts.push(missing.length === 0 ? 'nothing missing' : `MISSING: ${listOf(missing)}`);
  return parts.join('; ');
}

function outside(by: readonly string[]): string {
  if (by.length === 0) return 'level G1: nobody outside has cosigned';
  return `level G1: the charter demands no witness (quorum none); cosigned by ${listOf(by)}`;
}

function ago(at: number, now: number): string {
  return at > now + 60 ? `${span(at - now)} ahead of this clock` : `${span(Math.max(0, now - at))} ago`;
}

/** What should be there and is not. */
function missingOf(
  { withoutOutcome, silences, unknown }: Pick<Report, 'withoutOutcome' | 'silences' | 'unknown'>,
  log: Report['log'],
  level: Report['level'],
): string[] {
  const missing: string[] = [];
  const add = (count: number, text: string): void => void (count > 0 && missing.push(text));
  add(silences.count, `entries in ${plural(silences.count, 'silence')}`);
  add(withoutOutcome.count, `the outcome of ${plural(withoutOutcome.count, 'use')}`);
  add(unknown, `${plural(unknown, 'entry', 'entries')} that this version cannot read`);
  if (log === null) return missing;
  const open = log.size - log.witnessed;
  add(level === 'G2' ? open : 0, `cosignatures of the newest ${plural(open, 'entry', 'entries')}`);
  add(log.silent.length, `an answer of ${listOf(log.silent)}`);
  return missing;
}

/** What the report cannot see. It follows the first line. */
function blindness({ sees, charter }: Report): string[] {
  const lines: string[] = [];
  if (!sees.people) {
    lines.push(
      'without the key of the shard this report does not see who was looked at, how many people they were, and who ' +
        'was looked at again and again' +
        MARK,
    );
  }
  if (sees.protected === false) {
    lines.push(
      `without the list of protected people this report does not see whether one of them was looked at${MARK}`,
    );
  }
  if (!charter.isPinned) {
    lines.push(`the first charter was not pinned: its rules are those that the log states${MARK}`);
  }
  return lines;
}

function standing({ standsOut, charter }: Report): string {
  const what =
    standsOut === 0
      ? 'nothing stands out'
      : `${plural(standsOut, 'thing')} ${standsOut === 1 ? 'stands' : 'stand'} out (!)`;
  return `${what}; judged by version ${charter.version} of the charter, sha256:${charter.sha256}`;
}

function purposeLines({ purposes }: Report): string[] {
  if (purposes.length === 0) return [];
  const head = ['  purpose', 'warrants', 'uses', 'values', 'opened', 'people', ''];
  return [...table([head, ...purposes.map(purposeCells)])];
}

function purposeCells({
  purpose,
  dpv,
  isGlass,
  warrants,
  uses,
  values,
  opened,
  people,
  unbound,
}: PurposeRow): string[] {
  const notes = [
    ...(isGlass ? ['BREAK-GLASS'] : []),
    ...(dpv === null ? [] : [`dpv:${dpv}`]),
    ...(unbound === 0 ? [] : [`people as the desk said in ${plural(unbound, 'use')}`]),
  ];
  const numbers = [warrants, uses, values, opened].map(number);
  return [`  ${purpose}`, ...numbers, people === null ? '?' : number(people), notes.join(', ')];
}

function officerLines({ officers, pairs, thresholds }: Report): string[] {
  if (officers.length === 0) return [];
  const cell = (count: number): string => (count === 0 ? '–' : number(count));
  const rows = officers.map(({ handle, asked, approved }) => [`  ${handle}`, cell(asked), cell(approved), '']);
  const { percent, least, isDefault } = thresholds.pair;
  return [
    ...table([['  officer', 'asked', 'approved', ''], ...rows]),
    `one approver for ${percent} % of at least ${plural(least, 'warrant')}${stated(isDefault)}: ${noneOr(pairs.length)}`,
    ...pairs.map(
      (pair) => `  ${pair.requester} → ${pair.approver}: ${number(pair.warrants)} of ${number(pair.of)}${MARK}`,
    ),
  ];
}

const noneOr = (count: number): string => (count === 0 ? 'none' : number(count));

const stated = (isDefault: boolean): string => (isDefault ? ' (the charter states no number)' : '');

function peopleLines({ repeated, thresholds, totals, protected: touched }: Report): string[] {
  if (repeated === null) return [];
  const { count, seconds, isDefault } = thresholds.subject;
  const rule = `people with ${plural(count, 'warrant')} in ${span(seconds)}${stated(isDefault)}`;
  const lines = [`${rule}: ${noneOr(repeated.count)}`];
  for (const { pseudonym, warrants, requesters, purposes, from, to } of repeated.first.slice(0, NAMED)) {
    const by = requesters.length === 1 ? `all by ${requesters[0]}` : `by ${plural(requesters.length, 'officer')}`;
    const why = `for ${plural(purposes.length, 'purpose')}`;
    lines.push(`  ${pseudonym}: ${plural(warrants, 'warrant')} ${by} ${why} in ${span(to - from)}${MARK}`);
  }
  lines.push(...more(repeated, NAMED));
  if (totals.people !== null && totals.sealed > 1 && totals.people === totals.sealed) {
    lines.push(
      `  nobody of ${number(totals.sealed)} was looked at twice; it would look the same if the key of the shard ` +
        'were another one',
    );
  }
  if (touched !== null && touched.count > 0) {
    lines.push(`uses about protected people: ${number(touched.count)} (${entries(touched)})${MARK}`);
  }
  return lines;
}

/** That a list has more than was named. */
function more({ count }: Cut<unknown>, named: number): string[] {
  return count > named ? [`  and ${number(count - named)} more`] : [];
}

/** `entries 12, 40 and 3 more`. */
function entries({ count, first }: Cut<number>): string {
  const some = first.slice(0, NAMED);
  const rest = count - some.length;
  const named = rest > 0 ? `${some.join(', ')} and ${number(rest)} more` : listOf(some.map(String));
  return `${count === 1 ? 'entry' : 'entries'} ${named}`;
}

function breadthLines({ unused, barelyUsed, refusals }: Report): string[] {
  const lines: string[] = [];
  if (unused.count > 0) {
    lines.push(`asked and never used: ${plural(unused.count, 'warrant')}, ${plural(unused.values, 'value')}`);
  }
  if (barelyUsed.count > 0) lines.push(`less than a tenth used: ${plural(barelyUsed.count, 'warrant')}`);
  if (refusals > 0) lines.push(`refused by an officer: ${plural(refusals, 'warrant')}`);
  return lines;
}

function useLines({ outsideHours, thresholds, unratified, withoutOutcome, unnamed, contradictions }: Report): string[] {
  const lines: string[] = [];
  if (outsideHours !== null && outsideHours.count > 0) {
    const [from, to] = [thresholds.hours!.from, thresholds.hours!.to].map((hour) => String(hour).padStart(2, '0'));
    lines.push(`outside ${from}–${to} h UTC: ${plural(outsideHours.count, 'use')} (${entries(outsideHours)})${MARK}`);
  }
  if (unratified.count > 0) {
    const late = unratified.overdue === 0 ? 'none too late yet' : `${number(unratified.overdue)} too late`;
    lines.push(`break-glass that nobody has ratified: ${plural(unratified.count, 'use')}, ${late}`);
    for (const { entry, requester, purpose, at, isOverdue } of unratified.first.slice(0, NAMED)) {
      lines.push(`  entry ${entry}: ${requester} for ${purpose}, ${time(at)}${isOverdue ? MARK : ''}`);
    }
    lines.push(...more(unratified, NAMED));
  }
  if (withoutOutcome.count > 0) {
    lines.push(
      `without an outcome, so counted as opened: ${plural(withoutOutcome.count, 'use')} (${entries(withoutOutcome)})${MARK}`,
    );
  }
  if (unnamed.count > 0) {
    lines.push(
      `name nobody, although their purpose counts people: ${plural(unnamed.count, 'use')} (${entries(unnamed)})${MARK}`,
    );
  }
  if (contradictions.count > 0) {
    lines.push(`the writer of the log should not have written: ${plural(contradictions.count, 'thing')}`);
    for (const { entry, code, message } of contradictions.first.slice(0, NAMED)) {
      lines.push(`  entry ${entry}: ${code}: ${message}${MARK}`);
    }
    lines.push(...more(contradictions, NAMED));
  }
  return lines;
}

function denialLines({ denials }: Report): string[] {
  if (denials.count === 0) return [];
  const codes = Object.entries(denials.codes).map(([code, count]) => `${code} ${number(count)}`);
  const lines = [`refused requests: ${number(denials.count)} (${codes.join(', ')})`];
  for (const { from, to, count } of denials.bursts.first.slice(0, NAMED)) {
    lines.push(`  a burst of ${number(count)} from ${time(from)} to ${time(to)}${MARK}`);
  }
  return [...lines, ...more(denials.bursts, NAMED)];
}

function logLines({ silences, clocks, starts, charters, entries: count, unknown }: Report): string[] {
  const lines = [
    `log: ${plural(count, 'entry', 'entries')} in the period, ${plural(starts, 'start')} of its writer`,
    `beats missing: ${silences.count === 0 ? 'none' : plural(silences.count, 'silence')}`,
  ];
  for (const { after, from, seconds, hasEnded } of silences.first.slice(0, NAMED)) {
    const end = hasEnded ? '' : ', and nothing since';
    lines.push(`  ${span(seconds)} after entry ${after}, from ${time(from)}${end}${MARK}`);
  }
  lines.push(...more(silences, NAMED));
  for (const { witness, ahead } of clocks) {
    const which = ahead > 0 ? 'ahead of' : 'behind';
    lines.push(`the clock of the log is ${span(Math.abs(ahead))} ${which} that of the witness ${witness}${MARK}`);
  }
  for (const { entry, version } of charters) lines.push(`version ${version} of the charter from entry ${entry} on`);
  if (unknown > 0) lines.push(`of a newer version, not read: ${plural(unknown, 'entry', 'entries')}${MARK}`);
  return lines;
}

function keyLines({ keys, exports, erasures }: Report): string[] {
  const events = Object.entries(keys).map(([event, count]) => `${event} ${number(count)}`);
  const lines = events.length === 0 ? [] : [`keys: ${events.join(', ')}`];
  for (const { entry, key } of exports.first.slice(0, NAMED)) {
    lines.push(`  entry ${entry}: the key ${key} was exported${MARK}`);
  }
  lines.push(...more(exports, NAMED));
  if (erasures > 0) lines.push(`erasures: ${number(erasures)}`);
  return lines;
}

function forwardLines({ forward }: Report): string[] {
  if (forward.length === 0) return [];
  const rows = forward.map(({ client, verb, scope, values }) => [`  ${client}`, verb, number(values), scope]);
  return ['clients were allowed (they may not have used all of it):', ...table(rows)];
}
