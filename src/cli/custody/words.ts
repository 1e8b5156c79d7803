/** What the keys of a key file do, in words, and the lines that pin them. */

import type { DescribedBranch, DescribedKey, DescribedKeyset } from '../../keys/described.ts';
import type { DomainKeys } from '../../keys.ts';
import type { LostJoin } from '../../policy/explain/rotation.ts';

/** A branch in words: `seal person.name in eu-enclave`. */
export function branchText({ domain, kind, scope, part }: DescribedBranch): string {
  const what =
    part === null ? (scope === null ? `${kind} of every scope` : `${kind} ${scope}`.trimEnd()) : vaultText(part, scope);
  return `${what} in ${domain}`;
}

function vaultText(part: string, scope: string | null): string {
  if (part === 'inner') return `vault ${scope}, its mappings`;
  return part === 'subjects' ? `vault ${scope}, its subjects` : `vault ${scope}, its outer layer`;
}

/** What each state means. */
const STATES: Readonly<Record<DescribedKey['state'], string>> = {
  primary: 'makes new values',
  ready: 'is ready: it reads, and makes no values yet',
  old: 'reads old values',
  base: 'is a base and nothing else: it makes no values of its own',
  elsewhere: 'is a base that is kept in another file',
};

/** What the primary key does in a file that is narrowed to some verbs. */
function primaryWords(verbs: readonly string[] | null): string {
  if (verbs === null || verbs.includes('protect')) return STATES.primary;
  const can = [
    ...(verbs.includes('reveal') ? ['reads the values that it has made'] : []),
    ...(verbs.includes('rekey') ? ['is the key that values are moved to'] : []),
  ];
  return can.join(', and ');
}

/** What an older key does in a file that is narrowed to some verbs. */
function olderWords(verbs: readonly string[] | null): string {
  if (verbs === null || verbs.includes('reveal')) return STATES.old;
  return verbs.includes('rekey') ? 'is a key that values are moved from' : 'is known by its ids only';
}

/** A line for each key, and lines about the file as a whole. */
export function keyLines({ keys, retired, parents, region, verbs, soft }: DescribedKeyset): readonly string[] {
  return [
    ...keys.flatMap((key) => linesOfKey(key, verbs)),
    ...retired.map(({ id, at, shown }) => {
      const ids = [...shown].map(([domain, one]) => `${one} in ${domain}`).join(', ');
      return `root key ${id}: retired on ${at}${ids === '' ? '' : `; values show ${ids}`}`;
    }),
    ...[...parents].map(([domain, of]) => `domain ${domain}: a recipient of ${of}`),
    ...(region === null ? [] : [`region ${region}: the keys open only where TREFOIL_REGION is ${region}`]),
    ...(verbs === null ? [] : [`narrowed to ${verbs.join(' and ')}${soft.length === 0 ? '' : seatBelt(soft)}`]),
  ];
}

function seatBelt(soft: readonly string[]): string {
  return `; a seat belt, not a wall, for ${soft.join(', ')}`;
}

function linesOfKey(key: DescribedKey, verbs: readonly string[] | null): readonly string[] {
  const { id, state, isTest, base, baseOf, branches } = key;
  const parts = [
    state === 'primary' ? primaryWords(verbs) : state === 'old' ? olderWords(verbs) : STATES[state],
    ...(base === null ? [] : [`its base is ${base}`]),
    ...(baseOf.length === 0 ? [] : [`the base of ${baseOf.join(', ')}`]),
    ...(isTest ? ['public test keys, only for the domains test and test-…'] : []),
    ...(branches === null ? [] : [branches.length === 0 ? 'no branch of it is here' : 'only these branches are here']),
  ];
  const line = `root key ${id}${state === 'primary' ? ' (primary)' : ''}: ${parts.join('; ')}`;
  return [line, ...(branches ?? []).map((branch) => `  ${branchText(branch)}`)];
}

/** The pin for the time in which data show several keys: all of them, and the one that protects. */
export function pinsOf({ keyId, keyCheck }: DomainKeys): Readonly<Record<string, string>> | undefined {
  return Object.keys(keyCheck).length < 2 ? undefined : { ...keyCheck, protects: keyId };
}

/** What keys do in a file that is narrowed to some verbs, for the lines that pin them. */
function pinWords(verbs: readonly string[] | null) {
  const can = (verb: string) => verbs === null || verbs.includes(verb);
  const moves = verbs?.includes('rekey') === true;
  const primary = [
    ...(can('protect') ? ['protects'] : []),
    ...(can('reveal') ? ['reveals'] : []),
    ...(moves ? ['values are moved to it'] : []),
  ];
  const older = [
    ...(can('reveal') ? ['reveals what it has protected'] : []),
    ...(moves ? ['values are moved from it'] : []),
  ];
  return {
    domain: can('protect') ? 'protects with' : can('reveal') ? 'reveals with' : 'moves values to',
    primary: primary.join(' and '),
    older: older.length === 0 ? 'only its ids are here' : older.join(' and '),
  };
}

/** The lines that pin the keys of a domain. */
export function pinLines({ keys, verbs }: DescribedKeyset, domain: DomainKeys): readonly string[] {
  const { keyId, keyCheck } = domain;
  const words = pinWords(verbs);
  const lines = [`domain ${domain.domain}: ${words.domain} key ${keyId}`];
  const pins = pinsOf(domain);
  if (pins !== undefined) lines.push('a policy has one of these lines; they are alternatives:');
  // One line per key. A policy pins one of them: the primary key to protect, or an older one to reveal.
  for (const [id, check] of Object.entries(keyCheck)) {
    const isReady = keys.find(({ shown }) => shown?.id === id)?.state === 'ready';
    const older = isReady ? 'ready: makes no values yet' : `older: ${words.older}`;
    const note = pins === undefined ? '' : `   # ${id === keyId ? `primary: ${words.primary}` : older}`;
    lines.push(`keyCheck: { "${id}": "${check}" }${note}`);
  }
  if (pins !== undefined) {
    const all = Object.entries(pins).map(([id, check]) => `${id === 'protects' ? id : `"${id}"`}: "${check}"`);
    lines.push(`keyCheck: { ${all.join(', ')} }   # while data show several keys; refuses an older key file`);
  }
  return lines;
}

/**
 * What becomes of tokens of two sizes.
 *
 * @param isFirst whether the primary key is its own base, so that their bodies are beginnings of one tag.
 */
export function lostText({ scope, fields, spaces }: LostJoin, isFirst: boolean): string {
  const tokens = `tokens of fields ${fields.join(', ')} (scope ${scope}): the shorter of ${spaces.join(' and ')}`;
  return isFirst
    ? `${tokens} are beginnings of the longer ones, and after a rotation they are not`
    : `${tokens} are not beginnings of the longer ones, so the two never join`;
}
