/** Missing values. */

/** The part of a type that means "no value": `null` and `undefined`. Every rule returns them as they are. */
export type Missing<V> = Extract<V, null | undefined>;
