/**
 * The verbs of a rule with a period: each period is a rule of its own, with a key of its own (docs/spec/token-v1.md,
 * "Periods").
 */

import { fail } from '../../errors.ts';
import type { Step } from '../../keys/derive.ts';
import type { DomainKey, OpenedKeys } from '../../keys/domain-keys.ts';
import { isMissing, type MissingLists } from '../missing.ts';
import type { Siblings } from '../rule.ts';
import { parametersOf } from './keys.ts';
import { setUp } from './making.ts';
import { byPeriod, periodStep, periodText } from './periods.ts';
import type { Settings } from './settings.ts';
import { type MakingVerbs, makingVerbs } from './verbs.ts';

/** Periods whose keys are kept. A bound on memory, not on periods. */
const KEPT_PERIODS = 1024;

/** The verbs of a rule with a period: each period is a rule of its own, without `per`. */
export function periodicVerbs(settings: Settings, opened: OpenedKeys, lists: MissingLists): MakingVerbs {
  const period = settings.period!;
  const dates = lists.of(period.path);
  const known = new Map<string, MakingVerbs>();
  function verbsOf(text: string): MakingVerbs {
    const below = periodStep(text);
    let made = known.get(text);
    if (made !== undefined) return made;
    checkPeriod(settings, opened.primary, below);
    made = makingVerbs(setUp(settings, opened, lists, below));
    if (known.size >= KEPT_PERIODS) known.clear();
    known.set(text, made);
    return made;
  }
  const verbs = (siblings: Siblings | null) => verbsOf(periodText(period, siblings!(period.path)[0], dates));
  const isAbsent = (value: unknown) => isMissing(value, lists.own);
  return {
    verb: byPeriod(period, dates, isAbsent, (text) => verbsOf(text).verb),
    protectOne: () => fail('missing_context', `the date, field ${period.path}, is missing`),
    matches: (value, candidate, siblings) => verbs(siblings).matches(value, candidate, null),
    candidates: (value, siblings) => verbs(siblings).candidates(value, null),
  };
}

/**
 * Refuses a period that the keys do not have while they have others. That is a matter of the record: keys that have
 * nothing of the rule are the wrong keys, and end the run.
 */
function checkPeriod(settings: Settings, key: DomainKey, below: readonly Step[]): void {
  const { scope, period } = settings;
  const parameters = parametersOf(settings);
  if (!key.hasParts('token', scope, parameters) || key.has('token', scope, parameters, below)) return;
  fail(
    'period_not_granted',
    `the date, field ${period!.path}, is in a ${period!.unit} that the key file does not have; use the key file of ` +
      `that ${period!.unit}`,
  );
}
