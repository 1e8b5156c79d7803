/**
 * What is unwise in a charter that can be read, and what nobody may sign: limits that contradict each other, quorums
 * that protect from nothing, purposes that one person can use alone.
 */

import { badType, checkOptions } from '../../core/checks.ts';
import type { Charter } from './charter.ts';
import type { CharterFinding } from './check/finding.ts';
import { peopleFindings } from './check/people.ts';
import { purposeFindings } from './check/purposes.ts';
import { rateFindings } from './check/rates.ts';
import { witnessFindings } from './check/witnesses.ts';
import { checkIsCharter } from './parse.ts';

/** How many values the format of a scope of `fpe` has. */
export interface FormatSpace {
  /** The scope with its kind: `fpe:card.pan`. */
  readonly scope: string;
  readonly size: bigint;
}

/** Options of {@link checkCharter}. */
export interface CheckCharterOptions {
  /** The formats of `fpe` rules. A charter names scopes alone, so their sizes are only known from a policy. */
  readonly spaces?: readonly FormatSpace[];
}

/**
 * Checks a charter for what is allowed and unwise (`warning`), and for what no keeper may sign (`refused`). Findings
 * about the whole charter come first, the others in the order of the lines.
 *
 * Nothing here looks at signatures.
 *
 * @throws TypeError if the first argument is not a charter that was read, or for wrong options.
 *
 * @example
 * ```ts
 * import { checkCharter, parseCharter } from 'trefoil/govern';
 * import { newNoteKey } from 'trefoil/log';
 *
 * const text =
 *   'trefoil charter v1\nversion 1\ndomain eu-enclave\n' +
 *   `log ${newNoteKey('log.example').verifierKey}\nquorum none\n` +
 *   `officer eva keeper note ${newNoteKey('eva.example').verifierKey}\nchange 1:keeper\n`;
 * const [first] = checkCharter(parseCharter(text));
 * first?.word; // → 'unwitnessed'
 * ```
 */
export function checkCharter(charter: Charter, options: CheckCharterOptions = {}): readonly CharterFinding[] {
  checkIsCharter('charter', charter);
  const { spaces = [] } = checkOptions<CheckCharterOptions>('options', options, ['spaces']);
  const found = [
    ...witnessFindings(charter),
    ...peopleFindings(charter),
    ...purposeFindings(charter),
    ...rateFindings(charter, checkedSpaces(spaces)),
  ];
  // The sort is stable, so findings of one line keep their order.
  return Object.freeze(found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).map((finding) => Object.freeze(finding)));
}

function checkedSpaces(spaces: unknown): ReadonlyMap<string, bigint> {
  if (!Array.isArray(spaces)) badType('spaces', 'expected an array');
  const sizes = new Map<string, bigint>();
  for (const space of [...spaces] as unknown[]) {
    if (typeof space !== 'object' || space === null) badType('spaces', 'expected objects with scope and size');
    const { scope, size } = space as Partial<FormatSpace>;
    if (typeof scope !== 'string' || typeof size !== 'bigint')
      badType('spaces', 'expected a text scope and a bigint size');
    // Two fields of one scope may have two formats. The smaller one is enumerated first.
    const other = sizes.get(scope);
    sizes.set(scope, other === undefined || size < other ? size : other);
  }
  return sizes;
}
