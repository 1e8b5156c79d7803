/**
 * The key of fields whose outputs do not show it, record by record. Nothing is ever tried: the record shows the key, or
 * the caller names it, or there is only one. If these contradict each other, the record has an issue.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { fail, type Issue } from '../../errors.ts';
import type { DomainKey, OpenedKeys } from '../../keys/domain-keys.ts';
import { isMissing, type MissingLists } from '../../rule/missing.ts';
import type { BoundColumns, ColumnVerb, Move, RevealUnder } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { hidesKey, SEVERAL, type Witnesses } from './witnesses.ts';

/** The keys that records may be revealed with, and how the key of a record is found. */
export interface RecordKeys {
  readonly opened: OpenedKeys;
  /** Shown id of the key that the caller names; `null` if the record has to show it. */
  readonly fromKey: string | null;
  readonly witnesses: Witnesses;
}

/**
 * Checks a shown key id that a caller passes as `fromKey`. Returns `null` without one.
 *
 * @throws TypeError, RangeError if there is no such key; the message says if it was retired.
 */
export function checkFromKey(fromKey: unknown, { keys, retired }: OpenedKeys): string | null {
  if (fromKey === undefined) return null;
  if (typeof fromKey !== 'string') badType('fromKey', `expected a key id, got ${typeName(fromKey)}`);
  if (keys.some(({ id }) => id === fromKey)) return fromKey;
  const day = retired.get(fromKey);
  const why = day === undefined ? '' : `; key ${fromKey} was retired on ${day} and is not in the keyset any more`;
  return badRange('fromKey', `expected one of the key ids ${keys.map(({ id }) => id).join(', ')}${why}`);
}

/**
 * Refuses to reveal a field whose outputs do not show their key if nothing says which key that is.
 *
 * @throws TrefoilError `key_check_required` if no key is pinned, or not the one that is named; `epoch_required` if
 *   there are several keys, none is named, and no field of the policy shows its key.
 */
export function demandKey(recordKeys: RecordKeys, { path, engine }: Leaf): void {
  const { opened, fromKey, witnesses } = recordKeys;
  const field = { field: path };
  const pin = 'as trefoil keys inspect shows it';
  if (opened.pinned === null) {
    fail(
      'key_check_required',
      'an fpe field cannot detect a wrong key and the policy pins no key check: pin the key check of the key that the ' +
        `data was protected with, keyCheck: { <key id>: <check> }, ${pin}`,
      field,
    );
  }
  if (fromKey !== null && !opened.pinned.includes(fromKey)) {
    fail(
      'key_check_required',
      `an fpe field cannot detect a wrong key and key ${fromKey} is not pinned; add its key check to keyCheck, ${pin}`,
      field,
    );
  }
  if (fromKey !== null || witnesses.paths.length > 0 || onlyKey(recordKeys, engine.under!) !== null) return;
  fail('epoch_required', `no field of the policy shows its key, and there are ${several(opened)}; ${ADVICE}`, field);
}

const ADVICE = 'name the key that made the values (--from KEYID, in code fromKey)';

function several({ keys }: OpenedKeys): string {
  return `several keys: ${keys.map(({ id }) => id).join(', ')}`;
}

/**
 * The key of records that show none: the pinned one, if no other key can have made them. A key that is ready has made
 * nothing yet. So a job runs as before when the key file of a rotation's first step arrives.
 */
function onlyKey({ opened }: RecordKeys, { has }: RevealUnder): DomainKey | null {
  const { pinned, keys } = opened;
  if (pinned?.length !== 1) return null;
  const pin = keys.find(({ id }) => id === pinned[0]) ?? null;
  return keys.some((key) => key !== pin && !key.isReady && has(key)) ? null : pin;
}

/** The bound columns of a field in a policy. If its outputs do not show their key, it is revealed record by record. */
export function withRecordKeys(
  columns: BoundColumns,
  { engine: { under } }: Leaf,
  recordKeys: RecordKeys,
  missing: MissingLists,
): BoundColumns {
  return under === undefined ? columns : { ...columns, reveal: revealByRecord(under, recordKeys, missing) };
}

/** The verb that reveals each value with the key of its record. The keys are set up when they are first needed. */
export function revealByRecord(under: RevealUnder, recordKeys: RecordKeys, { own }: MissingLists): ColumnVerb {
  const { witnesses } = recordKeys;
  const verbs = new Map<DomainKey, ColumnVerb>();
  const keyOf = judgeOf(recordKeys, under);
  const verbFor = (key: DomainKey): ColumnVerb => {
    let verb = verbs.get(key);
    if (verb === undefined) {
      verb = under.reveal(key, own);
      verbs.set(key, verb);
    }
    return verb;
  };
  return (column, report, siblings) => {
    const ids = witnesses.idsOf(siblings!, column.length);
    const [first = null] = ids;
    const same = ids.every((id) => id === first) ? keyOf(first) : null;
    // Most tables have one key, and need no parts.
    if (same !== null && !('code' in same)) return verbFor(same)(column, report, siblings);
    const groups = new Map<DomainKey, number[]>();
    const out = new Array<unknown>(column.length);
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (isMissing(value, own)) {
        out[i] = value;
        continue;
      }
      const key = keyOf(ids[i]!);
      if ('code' in key) {
        report(i, key);
        continue;
      }
      const rows = groups.get(key);
      if (rows === undefined) groups.set(key, [i]);
      else rows.push(i);
    }
    for (const [key, rows] of groups) {
      const values = rows.map((i) => column[i]);
      const revealed = verbFor(key)(values, (n, issue) => report(rows[n]!, issue), siblings);
      for (const [n, i] of rows.entries()) out[i] = revealed[n];
    }
    return out;
  };
}

/** Makes the function that finds the key of a record by the id that it shows, or says what is wrong. */
export function judgeOf(recordKeys: RecordKeys, under: RevealUnder): (id: string | null) => DomainKey | Issue {
  const { opened, fromKey } = recordKeys;
  const named = opened.keys.find(({ id }) => id === fromKey) ?? null;
  const known = new Map<string | null, DomainKey | Issue>();
  const judge = (id: string | null): DomainKey | Issue => {
    if (id === SEVERAL) return severalShown();
    if (id === null) {
      const message = `the record does not show which key made the value, and there are ${several(opened)}; ${ADVICE}`;
      return named ?? onlyKey(recordKeys, under) ?? { code: 'epoch_required', message };
    }
    const key = opened.keys.find((one) => one.id === id);
    if (key === undefined) return unknownKey(opened, id);
    if (named !== null) return key === named ? key : otherShown(id, named.id);
    if (opened.pinned?.includes(id) === true) return key;
    const pins = opened.pinned === null ? 'none' : opened.pinned.join(', ');
    const advice = 'pin the key check of that key as well, or rekey the records first';
    return {
      code: 'wrong_key',
      message: `other fields of the record show key ${id}, and the keys that are pinned are ${pins}; ${advice}`,
    };
  };
  return (id) => {
    let found = known.get(id);
    if (found === undefined) {
      found = judge(id);
      // Ids of keys that are not there come from the data, and there may be any number of them.
      if (id === null || opened.keys.some((key) => key.id === id)) known.set(id, found);
    }
    return found;
  };
}

function severalShown(): Issue {
  const message =
    'other fields of the record show more than one key, so nobody knows which one made the value; ' +
    'repair the record from a copy that one key made';
  return { code: 'wrong_key', message };
}

function otherShown(id: string, named: string): Issue {
  const message =
    `other fields of the record show key ${id}, and the value was said to be of key ${named}; ` +
    'name the key that the records show, and keep records of different keys apart';
  return { code: 'wrong_key', message };
}

function unknownKey({ retired }: OpenedKeys, id: string): Issue {
  const day = retired.get(id);
  if (day === undefined) {
    const message = 'other fields of the record show a key of another domain or keyset; use the keyset that made them';
    return { code: 'unknown_key', message };
  }
  return { code: 'key_retired', message: `the record was made with key ${id}, which was retired on ${day}` };
}

/**
 * Guards the verb that moves a field whose outputs do not show their key: a record that shows another key than the one
 * that is named is refused.
 */
export function guardMove(leaf: Leaf, work: ColumnVerb, move: Move, witnesses: Witnesses): ColumnVerb {
  const { from, to, fromKey, missing, kind } = move;
  if (!hidesKey(leaf) || fromKey === null) return work;
  const wrong = (id: string | null): Issue | null => {
    if (id === null || id === fromKey) return null;
    if (id === SEVERAL) return severalShown();
    // The field that shows this key says itself that it has moved already.
    if (kind === 'rekey' && id === to.primary.id) return null;
    return from.keys.some((key) => key.id === id) ? otherShown(id, fromKey) : unknownKey(from, id);
  };
  return (column, report, siblings) => {
    const ids = witnesses.idsOf(siblings!, column.length);
    const checked = column.map((value, i) => {
      const issue = isMissing(value, missing.own) ? null : wrong(ids[i]!);
      if (issue === null) return value;
      report(i, issue);
      return null;
    });
    return work(checked, report, siblings);
  };
}
