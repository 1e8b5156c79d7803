/** One scope of a vault: values to random tokens and back. */

import type { Session } from '../session.ts';
import { openScope, type ScopeOptions } from './scope.ts';
import { openTokens, type Tokens } from './tokens.ts';
import { openValues, type Values } from './values.ts';

/** All verbs take lists. */
export interface Mapping extends Values, Tokens {}

/** Opens a scope of a vault. */
export function openMapping(session: Session, options: ScopeOptions): Mapping {
  const scope = openScope(session, options);
  return { ...openValues(scope), ...openTokens(scope) };
}
