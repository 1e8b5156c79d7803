/** The lines of a charter about its log: `answers`, and the others, which as they are form a policy of C2SP. */

import { TrefoilError } from '../../errors.ts';
import { type LogPolicy, parseLogPolicy } from '../../log/tree/policy.ts';
import type { Verifier } from '../../note/verifier.ts';
import type { Line, Refuse } from '../text/lines.ts';
import type { Arranged } from './order.ts';
import { wordsOf } from './words.ts';

/** What a charter says about its log. */
export interface LogLines {
  readonly log: Verifier;
  readonly answers: Verifier | null;
  readonly logPolicy: LogPolicy;
  readonly logPolicyText: string;
  readonly isUnwitnessed: boolean;
}

/** Reads the lines. */
export function readLogLines(arranged: Arranged, refuse: Refuse): LogLines {
  const lines = [
    arranged.one('log'),
    ...arranged.all('witness'),
    ...arranged.all('group'),
    arranged.one('quorum'),
  ] as const;
  const logPolicyText = lines.map(textOf).join('');
  const logPolicy = policyOf(logPolicyText, lines, refuse);
  const answers = arranged.maybe('answers');
  return {
    log: logPolicy.logs[0]!,
    answers: answers === null ? null : readAnswers(answers, refuse),
    logPolicy,
    logPolicyText,
    isUnwitnessed: arranged.one('quorum').rest === 'none',
  };
}

function textOf({ word, rest }: Line): string {
  return rest === '' ? `${word}\n` : `${word} ${rest}\n`;
}

/** Reads the policy. Its errors count its own lines, and those of the charter are named. */
function policyOf(text: string, lines: readonly Line[], refuse: Refuse): LogPolicy {
  try {
    return parseLogPolicy(text);
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'log_policy_invalid') throw error;
    const { message, line } = error.issues[0]!;
    return refuse(message, lines[(line ?? 1) - 1]?.number);
  }
}

function readAnswers(line: Line, refuse: Refuse): Verifier {
  const words = wordsOf(line, refuse);
  const key = words.key();
  words.end();
  return key;
}
