/** Types of values that are missing. */

/** What of a type stands for "no value": `null` and `undefined`, which every rule returns as they are. */
export type Missing<V> = Extract<V, null | undefined>;
