/**
 * Formats for `fpe`: which values there are, what of them stays public, and how many can be hidden among each other.
 */

export { type CardFormat, type CardOptions, card } from './format/card.ts';
export type { Format } from './format/engine.ts';
export type { Lengths } from './format/lengths.ts';
export { type PatternFormat, pattern } from './format/pattern.ts';
export { type DigitsFormat, digits, type TextFormat, text } from './format/text.ts';
