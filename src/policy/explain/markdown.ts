/**
 * The one place where text becomes Markdown. A page about a policy has two authors: trefoil, and whoever wrote the policy.
 * What comes from the policy is in code type and nothing else of it is; there no markup works, whichever reader is used.
 */

import { escapeOf, visible } from '../../core/visible.ts';

/** Words of trefoil's own, and texts of the policy among them. */
export type Words = readonly (string | Quoted)[];

/** A text of the policy: a name, a path, a reason. */
export interface Quoted {
  readonly quoted: string;
}

/**
 * A text of the policy in code type. In it a reader of Markdown obeys only the backtick that ends it and, in a table, the
 * bar that ends a cell, so these two and what nobody sees are written as escapes: `\u0060`, `\u007c`, `\u202e`.
 */
export function code(text: string): string {
  if (text === '') return '(empty)';
  return `\`${visible(text).replace(/[`|]|^\p{M}/gu, escapeOf)}\``;
}

/** Several of them. */
export function codes(texts: readonly string[]): string {
  return texts.map(code).join(', ');
}

/** Words of trefoil's own. They have no markup; should a text of the policy be among them by mistake, it has none either. */
export function words(text: string): string {
  return visible(text).replace(/[&<>`*_[\]|\\~$@#]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A sentence of both. */
export function sentence(parts: Words): string {
  return parts.map((part) => (typeof part === 'string' ? words(part) : code(part.quoted))).join('');
}
