/** Names and texts, quoted for SQL. */

/** A quoted name. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted text. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A list of quoted texts. */
export function textList(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`;
}
