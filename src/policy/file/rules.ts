/**
 * The registry of rules: for each rule that a policy file can name, its options and its constructor.
 */

import * as v from 'valibot';
import { ownProperties, typeName } from '../../core/checks.ts';
import type { Reading } from '../../prepare/reading.ts';
import { READING_NAMES, readingByName } from '../../prepare/readings.ts';
import { PREPARE_NAMES, type Prepare, prepareByName } from '../../prepare/steps.ts';
import { type CoarsenBucket, coarsen } from '../../rule/coarsen.ts';
import { constant } from '../../rule/constant.ts';
import { makeDrop } from '../../rule/drop.ts';
import { fpe } from '../../rule/fpe.ts';
import { makeKeep } from '../../rule/keep.ts';
import { mask } from '../../rule/mask.ts';
import { ROLES, type Rule } from '../../rule/rule.ts';
import { SEAL_VALUES } from '../../rule/seal/values.ts';
import { seal } from '../../rule/seal.ts';
import { shiftDate } from '../../rule/shift-date.ts';
import { token } from '../../rule/token.ts';
import { vault } from '../../rule/vault.ts';
import { FORMS } from '../../wire/token-forms.ts';
import { entry, type Registry } from './entry.ts';
import { readFormat } from './formats.ts';
import { admits, attempt, type Complain, isMap, nameOneOf, type ValuePath } from './options.ts';
import { closed, formatOption } from './schema.ts';

/** Every rule. Made by a call without side effects, so that a bundle without policy files drops it. */
export const RULES: Registry<Rule> = /* @__PURE__ */ makeRules();

function makeRules(): Registry<Rule> {
  const text = v.string();
  const whole = v.number();
  const flag = v.boolean();
  const steps = v.optional(v.union([text, v.array(text)]));
  const perField = v.record(text, text) as unknown as v.GenericSchema<{ field: string; name: string }>;
  const read = v.optional(text);
  // The options that every rule has.
  const common = {
    optional: v.optional(flag),
    why: v.optional(text),
    role: v.optional(v.picklist(ROLES)),
    missing: v.optional(v.array(text)),
  };

  return {
    keep: entry(common, makeKeep),
    drop: entry(common, makeDrop),
    constant: entry({ ...common, value: v.union([text, v.number(), flag, v.null()]) }, constant),
    mask: entry({ ...common, first: v.optional(whole), last: v.optional(whole), with: v.optional(text) }, mask),
    coarsen: entry(
      {
        ...common,
        date: v.optional(v.picklist(['month', 'quarter', 'year', 'decade'])),
        number: v.optional(v.number()),
        prefix: v.optional(whole),
        ip: v.optional(closed({ v4: whole, v6: whole })),
        min: v.optional(v.number()),
        max: v.optional(v.number()),
        merge: v.optional(v.record(text, v.array(text))),
        read,
      },
      // The constructor checks that exactly one of the four kinds is set.
      (options) => coarsen(options as CoarsenBucket),
      { read: readReading },
    ),
    shiftDate: entry({ ...common, scope: text, subject: text, days: whole, prepareSubject: steps, read }, shiftDate, {
      prepareSubject: readPrepare,
      read: readReading,
    }),
    vault: entry(
      {
        ...common,
        scope: text,
        store: text,
        label: v.optional(text),
        ttl: v.optional(whole),
        subject: v.optional(text),
        onErased: v.optional(v.picklist(['error', 'new', 'missing'])),
      },
      vault,
    ),
    token: entry(
      {
        ...common,
        scope: text,
        read,
        prepare: steps,
        after: v.optional(text),
        // The constructor knows the members of a map: a field and its name, or a period.
        per: v.optional(v.union([text, v.array(v.union([text, perField])), perField])),
        form: v.optional(v.picklist(FORMS)),
        length: v.optional(whole),
        population: v.optional(whole),
        maxCollisionProbability: v.optional(v.number()),
        prf: v.optional(v.picklist(['hmac-sha256', 'blake3'])),
        label: v.optional(text),
        onToken: v.optional(v.picklist(['error', 'pass'])),
      },
      token,
      { prepare: readPrepare, read: readReading },
    ),
    fpe: entry({ ...common, scope: text, format: formatOption(), allowCodebook: v.optional(text) }, fpe, {
      format: readFormat,
    }),
    seal: entry({ ...common, scope: text, value: v.optional(v.picklist(SEAL_VALUES)) }, seal),
  };
}

/** Reads the rule of one field; `null` if it has reported a problem. */
export function readRule(value: unknown, path: ValuePath, complain: Complain): Rule | null {
  if (typeof value === 'string') {
    if (value === 'keep') return makeKeep({});
    if (value === 'drop') return makeDrop({});
    const known = Object.hasOwn(RULES, value);
    if (known) complain('missing_option', path, `${value} needs options: write { rule: ${value}, … }`);
    else complain('unknown_rule', path, `there is no such rule; ${nameOneOf(value, Object.keys(RULES))}`);
    return null;
  }
  if (!isMap(value)) {
    complain(
      'wrong_option',
      path,
      `the rule of a field must be keep, drop or a map with "rule", got ${typeName(value)}`,
    );
    return null;
  }
  const { rule: name, ...rest } = ownProperties(value);
  const options = ownProperties(rest);
  if (name === undefined) {
    complain('missing_option', [...path, 'rule'], 'rule is missing');
    return null;
  }
  if (typeof name !== 'string') {
    complain('must_be_text', [...path, 'rule'], 'rule must be text: quote it');
    return null;
  }
  const found = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (found === undefined) {
    complain('unknown_rule', [...path, 'rule'], `there is no such rule; ${nameOneOf(name, Object.keys(RULES))}`);
    return null;
  }
  let fits = admits(found.entries, options, path, name, complain);
  const read: Record<string, unknown> = {};
  for (const [option, reader] of Object.entries(found.readers)) {
    if (options[option] === undefined) continue;
    read[option] = reader(options[option], [...path, option], complain, 0);
    if (read[option] === null) fits = false;
  }
  if (!fits) return null;
  return attempt(path, options, complain, 'wrong_option', () => found.make({ ...options, ...read }));
}

function readReading(value: unknown, path: ValuePath, complain: Complain): Reading | null {
  // The schema has already reported anything other than text.
  if (typeof value !== 'string') return null;
  const reading = attempt(path, {}, complain, 'wrong_option', () => readingByName(value));
  if (reading !== undefined) return reading;
  // No near name: a wrong one would read other dates.
  const names = READING_NAMES.join(', ');
  complain(
    'wrong_option',
    path,
    `there is no such reading; there are ${names}; after phone comes a country in two capital letters`,
  );
  return null;
}

function readPrepare(value: unknown, path: ValuePath, complain: Complain): Prepare | readonly Prepare[] | null {
  // The schema has already reported anything other than names.
  const names = Array.isArray(value) ? value : [value];
  if (!names.every((name) => typeof name === 'string')) return null;
  const steps = names.map((name, index) => {
    const step = prepareByName(name);
    if (step === undefined) {
      const place = Array.isArray(value) ? [...path, index] : path;
      complain('unknown_prepare', place, `there is no such prepare step; ${nameOneOf(name, PREPARE_NAMES)}`);
    }
    return step;
  });
  if (steps.some((step) => step === undefined)) return null;
  return (Array.isArray(value) ? steps : steps[0]) as Prepare | readonly Prepare[];
}
