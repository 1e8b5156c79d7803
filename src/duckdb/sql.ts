/** Pieces of SQL. */

/** A name, quoted. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text, quoted. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A list of texts. */
export function textList(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`;
}
