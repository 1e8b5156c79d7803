/** A charter in words: what it says, what is unwise in it, and what it changes. */

import type { PartyKey } from '../../govern/officers/party-key.ts';
import type { Demand } from '../../govern/text/items.ts';
import type { Charter, CharterChange, CharterFinding, Purpose, Rate } from '../../govern.ts';
import { count, plural } from '../voice.ts';

/** `eu-enclave, version 4, sha256:…` */
export function titleOf({ domain, version, sha256 }: Charter): string {
  return `${domain}, version ${version}, sha256:${sha256}`;
}

/** What the log of a charter protects from (docs/spec/govern/charter-v1.md, "Levels"). */
export function levelLine({ isUnwitnessed }: Charter): string {
  return isUnwitnessed
    ? 'level G1: quorum none, so nobody outside sees the log, and its operator can rewrite it unseen'
    : 'level G2: others witness the log, so its operator cannot rewrite it unseen';
}

/** A line for each finding. */
export function findingLines(findings: readonly CharterFinding[]): string[] {
  return findings.map(({ level, word, line, message }) => {
    const place = line === null ? '' : `line ${line}, `;
    return `${level}: ${place}${word}: ${message}`;
  });
}

/** Lines for what a charter changes, with the line before and after of what is changed. */
export function changeLines(changes: readonly CharterChange[]): string[] {
  return changes.flatMap(({ kind, what, how, before, after }) => {
    if (kind === 'new') return [`new: ${after}`];
    if (kind === 'gone') return [`gone: ${before}`];
    return [`changed: ${what}`, ...how.map((difference) => `  ${difference}`)];
  });
}

/** How many keepers have signed, and how many are missing. */
export function signedLine(signers: readonly string[], { change, version }: Charter): string {
  const needed = change[0]!.count;
  const missing = Math.max(0, needed - signers.length);
  const who = signers.length === 0 ? 'no keeper' : signers.join(', ');
  const rest = missing === 0 ? 'which suffices' : `and ${count(missing)} more must sign`;
  return `signed by ${who} of version ${version}, ${rest}`;
}

/** Everything that a charter says, for a person who reads it. */
export function charterInWords(charter: Charter): string[] {
  const { officers, desks, clients, purposes, rates, protected: list, alerts, openings, change } = charter;
  return [
    ...logLines(charter),
    ...section('officers', [...officers.values()], ({ handle, roles, keys }) => [
      `${handle}: ${roles.join(', ')}; ${keys.map(keyInWords).join('; ')}`,
    ]),
    ...section('desks', [...desks.values()], ({ handle, of, key }) => [`${handle} of ${of}; ${key.text}`]),
    ...section('clients', [...clients.values()], ({ handle, key }) => [`${handle}; ${key.text}`]),
    ...section('purposes', [...purposes.values()], purposeInWords),
    ...section('rates', rates, (rate) => [rateInWords(rate)]),
    charter.isCaseShown ? 'the log shows case numbers' : 'the log hides case numbers',
    ...(charter.subject === null ? [] : [`people are counted by tokens of the scope ${charter.subject}`]),
    ...(list === null
      ? []
      : [`warrants about protected people also need ${demandsInWords(list.approvals)}; sha256:${list.sha256}`]),
    ...(alerts.subject === null
      ? []
      : [`alert: ${count(alerts.subject.count)} warrants about one person in ${durationOf(alerts.subject.seconds)}`]),
    ...(alerts.pair === null
      ? []
      : [`alert: one approver for ${alerts.pair.percent}% of ${count(alerts.pair.least)} warrants of a requester`]),
    ...(alerts.hours === null ? [] : [`alert: uses before ${alerts.hours.from}:00 or from ${alerts.hours.to}:00 UTC`]),
    ...(openings === null
      ? []
      : [`an overseer may demand ${plural(openings.count, 'opening')} in ${durationOf(openings.seconds)}`]),
    `the next version needs ${demandsInWords(change)} of this one`,
  ];
}

function section<Item>(title: string, items: readonly Item[], words: (item: Item) => readonly string[]): string[] {
  if (items.length === 0) return [`${title}: none`];
  return [title, ...items.flatMap((item) => words(item).map((line) => `  ${line}`))];
}

function logLines({ log, answers, logPolicy, logPolicyText }: Charter): string[] {
  const quorum = logPolicyText
    .trimEnd()
    .split('\n')
    .filter((line) => /^(group|quorum) /.test(line));
  return [
    `log: ${log.text}`,
    ...(answers === null ? [] : [`answers: ${answers.text}`]),
    ...logPolicy.witnesses.map(({ name, verifier, url }) => `witness ${name}: ${verifier.text} ${url ?? ''}`.trimEnd()),
    ...quorum,
  ];
}

function keyInWords(key: PartyKey): string {
  if (key.kind === 'note') return `note key ${key.verifier.text}`;
  const { touch, verified } = key.ssh.demands;
  const demands = [...(touch ? ['touch'] : []), ...(verified ? ['PIN or finger'] : [])];
  return `SSH key ${key.ssh.type}${demands.length === 0 ? '' : ` with ${demands.join(' and ')}`}`;
}

function demandsInWords(demands: readonly Demand[]): string {
  return demands.length === 0 ? 'nobody' : demands.map(({ count: number, role }) => plural(number, role)).join(' and ');
}

function purposeInWords(purpose: Purpose): readonly string[] {
  const { name, isGlass, dpv, verb, scopes, approvals, values, subjects, seconds, witnessed, show } = purpose;
  const people =
    subjects === null ? 'whole tables' : `up to ${plural(subjects, 'person').replace(/persons$/, 'people')}`;
  const amount = values === null ? 'any number of values' : `up to ${plural(values, 'value')}`;
  const cosigned =
    witnessed === null
      ? 'not witnessed'
      : `witnessed ${witnessed === 'before' ? 'before' : `within ${durationOf(witnessed)}`}`;
  const told = show === null ? 'the person is not told' : `the person may be told after ${durationOf(show)}`;
  return [
    `${name}${isGlass ? ' (break-glass)' : ''}${dpv === null ? '' : ` (dpv:${dpv})`}: ${verb} of ${scopes.join(', ')}`,
    `  approved by ${demandsInWords(approvals)}; ${amount}, ${people}, within ${durationOf(seconds)}; ${cosigned}; ${told}`,
    ...(purpose.isUnbound ? ['  unbound: whose values are opened is the word of the desk'] : []),
    ...(purpose.ratify === null
      ? []
      : [`  ratified within ${durationOf(purpose.ratify.seconds)} by ${demandsInWords(purpose.ratify.demands)}`]),
    ...(purpose.atMost === null
      ? []
      : [
          `  at most ${count(purpose.atMost.each)} by one requester and ${count(purpose.atMost.all)} by all in ` +
            durationOf(purpose.atMost.seconds),
        ]),
  ];
}

function rateInWords({ of, handle, verb, scope, count: number, seconds, isCodeBook }: Rate): string {
  const who = handle === '*' ? `each ${of}` : handle;
  const what = scope === '*' ? 'all scopes together' : scope;
  const book = isCodeBook ? '; it is known that this is a whole code book' : '';
  return `${who}: ${verb} of ${what}, ${plural(number, 'value')} in ${durationOf(seconds)}${book}`;
}

/** A duration in the largest unit that it is a whole number of. */
function durationOf(seconds: number): string {
  if (seconds % 86_400 === 0) return plural(seconds / 86_400, 'day');
  if (seconds % 3600 === 0) return plural(seconds / 3600, 'hour');
  return plural(seconds / 60, 'minute');
}
