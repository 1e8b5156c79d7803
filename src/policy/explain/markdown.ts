/**
 * The one place where text becomes Markdown. A page about a policy has two authors: trefoil, and the person who wrote
 * the policy. Texts from the policy are in code type and trefoil's own words are not. In code type no markup works,
 * whichever Markdown reader is used.
 */

import { escapeOf, visible } from '../../core/visible.ts';

/** Words of trefoil, with texts of the policy among them. */
export type Words = readonly (string | Quoted)[];

/** A text of the policy: a name, a path, a reason. */
export interface Quoted {
  readonly quoted: string;
}

/**
 * Writes a text of the policy in code type. There only two characters have an effect: the backtick, which ends it, and
 * in a table the bar, which ends a cell. These two and all invisible characters are written as escapes: `\u0060`,
 * `\u007c`, `\u202e`.
 */
export function code(text: string): string {
  if (text === '') return '`""`';
  return `\`${visible(text).replace(/[`|]|^\p{M}/gu, escapeOf)}\``;
}

/** Writes several texts of the policy in code type, separated by commas. */
export function codes(texts: readonly string[]): string {
  return texts.map(code).join(', ');
}

/** Writes words of trefoil. Markup is escaped, so a text of the policy that gets in by mistake has no effect either. */
export function words(text: string): string {
  return visible(text).replace(/[&<>`*_[\]|\\~$@#]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Writes a sentence of trefoil's words and texts of the policy. */
export function sentence(parts: Words): string {
  return parts.map((part) => (typeof part === 'string' ? words(part) : code(part.quoted))).join('');
}
