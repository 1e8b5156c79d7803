/**
 * What a reading is: it turns a value that is written in a form of its own into the text that trefoil knows, before the
 * prepare steps and the rule. It enters no key. readings.ts has the readings themselves; a rule needs only this file.
 */

import { badRange, badType, typeName } from '../core/checks.ts';

const ENGINE = Symbol.for('trefoil.reading.v1');

/** What the values of a reading are. */
export type ReadingKind = 'date' | 'number' | 'phone';

/** A reading: frozen data with its name in a policy file. The option `read` of a rule takes it. */
export interface Reading<Name extends string = string> {
  readonly name: Name;
}

/** A date that was read, and how it is written back. */
export interface ReadDate {
  /** Day number of `core/civil-date.ts`. */
  readonly day: number;
  /** Returns the value with another date: in the same form and of the same type, with the same time. */
  readonly withDay: (day: number) => unknown;
}

/** The work of a reading. */
export interface ReadingEngine {
  readonly kind: ReadingKind;
  /** What it makes of a value, in words for `explain`: `YYYY-MM-DD`. */
  readonly makes: string;
  /** Returns the canonical text of a value. Throws the value's issue. */
  readonly read: (value: unknown) => string;
  /** For readings of dates: reads the date, so that it can be moved. */
  readonly readDate?: (value: unknown) => ReadDate;
}

/** Makes a reading. */
export function makeReading<const Name extends string>(name: Name, engine: ReadingEngine): Reading<Name> {
  return Object.freeze(Object.defineProperty({ name }, ENGINE, { value: engine }));
}

/** Returns the work of a reading, or `null` if the value is not one. */
export function readingEngine(value: unknown): ReadingEngine | null {
  if (typeof value !== 'object' || value === null) return null;
  return ((value as Record<symbol, unknown>)[ENGINE] as ReadingEngine | undefined) ?? null;
}

/** A reading with its name and its work. */
export type OpenedReading = ReadingEngine & { readonly name: string };

/**
 * Returns the reading that an option names; `null` if it is not set.
 *
 * @param kinds what the rule can do something with.
 * @throws TypeError if the value is not a reading, RangeError if it is one of another kind.
 */
export function checkReading(value: unknown, kinds: readonly ReadingKind[]): OpenedReading | null {
  if (value === undefined) return null;
  const engine = readingEngine(value);
  if (engine === null) {
    badType('read', `expected a reading of trefoil/prepare, such as readDate('DD.MM.YYYY'), got ${typeName(value)}`);
  }
  if (kinds.length === 0) badRange('read', 'is not an option of this kind of bucket');
  if (!kinds.includes(engine.kind)) {
    badRange('read', `expected a reading of a ${kinds.join(' or a ')}, and this one is of a ${engine.kind}`);
  }
  return { ...engine, name: (value as Reading).name };
}
