/** Numbers, times and tables of reports in words. */

/** A number with thousands separators: `1,904`. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 use`, `2 uses`. */
export function plural(value: number, one: string, several: string = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : several}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listOf(items: readonly string[]): string {
  return [items.slice(0, -1).join(', '), items[items.length - 1]].filter(Boolean).join(' and ');
}

/** `12 s`, `3 min`, `5 h`, `21 d`: rounded down, as far as it is a whole number of something. */
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${number(Math.floor(seconds / 86_400))} d`;
}

/** `2026-11-30 20:00:00`, in UTC. */
export function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** A period in whole days if it is one: `2026-11-01 to 2026-11-30`, both included; else with its times. */
export function periodInWords({ from, to }: { readonly from: number; readonly to: number }): string {
  const isDays = from % 86_400 === 0 && to % 86_400 === 0;
  if (!isDays) return `${time(from)} to ${time(to)} UTC`;
  const [first, last] = [from, to - 86_400].map((at) => time(at).slice(0, 10));
  return first === last ? `${first} UTC` : `${first} to ${last} UTC`;
}

/** Lines of cells, the first column to the left and numbers to the right, the last one as it is. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === 0) return cell.padEnd(widths[0]!);
        return column === row.length - 1 ? cell : cell.padStart(widths[column]!);
      })
      .join('  ')
      .trimEnd(),
  );
}
