/** The mapping of one scope of a vault: values to random tokens, and tokens back to values. All verbs take lists. */

import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change } from '../stores/store.ts';
import { type Claimed, revealClaimed } from './claimed.ts';
import { forgetTokens } from './forgetting.ts';
import { renewPairs } from './renewal.ts';
import { openScope, type ReportIssue, type ScopeOptions } from './scope.ts';
import { existTokens, inspectTokens, type OpenedToken, revealTokens, valueRowsOf } from './tokens.ts';
import { lookUpValues, type Named, protectValues } from './values.ts';

/** The mapping of one scope. If an item has an issue, it is reported and its result is `undefined`. */
export interface Mapping {
  /** Returns the tokens of values: those they have, or new ones. */
  readonly protect: (values: readonly Named[], report: ReportIssue) => Promise<(string | undefined)[]>;
  /** Returns the token that each value has, or `null`. */
  readonly lookup: (values: readonly Named[], report: ReportIssue) => Promise<(string | null | undefined)[]>;
  readonly reveal: (tokens: readonly string[], report: ReportIssue) => Promise<(string | undefined)[]>;
  /** Reveals tokens of the people who are expected; only for scopes with subjects. */
  readonly revealOf: (items: readonly Claimed[], report: ReportIssue) => Promise<(string | undefined)[]>;
  /** Returns whether the vault has made these tokens, forgotten ones included. */
  readonly exists: (tokens: readonly string[], report: ReportIssue) => Promise<(boolean | undefined)[]>;
  /** Destroys mappings, and returns which of them still existed. */
  readonly forget: (tokens: readonly string[], report: ReportIssue) => Promise<(boolean | undefined)[]>;
  /** Opens the rows of tokens, for verification and for a change of the inner key. */
  readonly inspect: (tokens: readonly string[], report: ReportIssue) => Promise<(OpenedToken | undefined)[]>;
  /** Returns the rows by value of opened tokens; `null` if there is none, or if it belongs to another token. */
  readonly valueRowsOf: (opened: readonly OpenedToken[]) => Promise<(OpenedRow | null)[]>;
  /**
   * Returns the changes that write both rows of mappings under the first keys of the metadata: none for a mapping that
   * is under them already, and `null` for one that cannot be moved, because it has no row by value or because its value
   * has another token, which `protect` returns.
   */
  readonly renew: (
    view: View,
    opened: readonly OpenedToken[],
    values: readonly (OpenedRow | null)[],
  ) => Promise<readonly (readonly Change[] | null)[]>;
}

/** Opens the mapping of a scope. */
export function openMapping(session: Session, options: ScopeOptions): Mapping {
  const scope = openScope(session, options);
  return {
    protect: (values, report) => protectValues(scope, values, report),
    lookup: (values, report) => lookUpValues(scope, values, report),
    reveal: (tokens, report) => revealTokens(scope, tokens, report),
    revealOf: (items, report) => revealClaimed(scope, items, report),
    exists: (tokens, report) => existTokens(scope, tokens, report),
    forget: (tokens, report) => forgetTokens(scope, tokens, report),
    inspect: (tokens, report) => inspectTokens(scope, tokens, report),
    valueRowsOf: (opened) => valueRowsOf(scope, opened),
    renew: (view, opened, values) => renewPairs(scope, view, opened, values),
  };
}
