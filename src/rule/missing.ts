/** Which values count as missing. Every rule returns a missing value as it is: it is not a person. */

/** The texts that count as missing in a field, made ready once: `isMissing` asks them for every value. */
export interface MissingTexts {
  readonly texts: ReadonlySet<string>;
  /** Whether the empty text is one of them. */
  readonly empty: boolean;
  /** The most UTF-16 code units of any of them; -1 if there is none. A longer text need not be looked up. */
  readonly longest: number;
}

/** The missing texts of a field, and those of other fields of the record, by their paths. */
export interface MissingLists {
  readonly own: MissingTexts;
  readonly of: (path: string) => MissingTexts;
}

/** Makes a list of missing texts ready. */
export function missingTexts(list: readonly string[]): MissingTexts {
  const texts = new Set(list);
  return Object.freeze({
    texts,
    empty: texts.has(''),
    longest: list.reduce((longest, text) => Math.max(longest, text.length), -1),
  });
}

/** The default: the empty text alone. */
export const EMPTY_TEXT: MissingTexts = /* @__PURE__ */ missingTexts(['']);

/** No text at all: only `null` and `undefined` are missing. */
export const NO_TEXT: MissingTexts = /* @__PURE__ */ missingTexts([]);

/**
 * Whether a value is missing: `null`, `undefined`, or a text that is in the list letter for letter. A value of another
 * type is never missing, so the list `['0']` does not name the number 0. Rules call it for every value before they do
 * anything else.
 */
export function isMissing(value: unknown, { texts, longest }: MissingTexts): boolean {
  return (
    value === null ||
    value === undefined ||
    // Most values are longer than every text of the list, and this comparison is all that they cost.
    (typeof value === 'string' && value.length <= longest && texts.has(value))
  );
}

/** The lists of a rule that is bound alone, outside a policy: its own list, or the empty text, for all fields. */
export function ownLists({ missing }: { readonly missing?: readonly string[] }): MissingLists {
  const own = missing === undefined ? EMPTY_TEXT : missingTexts(missing);
  return { own, of: () => own };
}
