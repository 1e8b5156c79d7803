/**
 * token-v1 (docs/spec/token-v1.md) written a second time, slowly, on node:crypto. The value has been prepared by the
 * caller; only the names of the steps are needed here.
 */
import { createHmac } from 'node:crypto';
import { base32, check, domainOf, list, ruleNode } from './tree.ts';

export interface TokenCase {
  readonly root: Uint8Array;
  readonly domain: string;
  readonly scope: string;
  readonly prepare: readonly string[];
  readonly label?: string;
}

/** The token of a prepared value in both forms. */
export function tokenReference(
  { root, domain, scope, prepare, label }: TokenCase,
  prepared: string,
): { bare: string; labelled: string } {
  const key = ruleNode(root, domain, 'token', scope, 'hmac-sha256', list(...prepare), 'equal values');
  const tag = createHmac('sha256', key).update(prepared, 'utf8').digest();
  const bare = base32(tag, 128);
  const head = (label === undefined ? '' : `${label}_`) + domainOf(root, domain).id;
  return { bare, labelled: head + bare + check(head + bare) };
}
