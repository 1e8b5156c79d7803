/**
 * Field paths of the policy file: names joined by `.`, `[]` for each element of an array, `\` before `. [ ] \` in a
 * name.
 */

/** One step: a name, and how many arrays are around what it names. */
export interface Step {
  readonly name: string;
  readonly arrays: number;
}

/** Names that a record cannot have as a field of its own, whatever the policy says. */
const RESERVED = new Set(['__proto__']);

/** Writes a name so that `parsePath` reads it as one. */
export function escapeName(name: string): string {
  return name.replace(/[.[\]\\]/g, '\\$&');
}

/** The name without its escapes. */
function unescapeName(text: string): string {
  return text.replace(/\\([.[\]\\])/g, '$1');
}

/** Why a name cannot stand in a policy, or `null`. */
export function badName(name: string): string | null {
  if (name === '') return 'a name is empty';
  if (RESERVED.has(name)) return 'the name __proto__ cannot be a field';
  return name.isWellFormed() ? null : 'a name holds half of a surrogate pair';
}

/** The steps of a path, or why it is none. */
export function parsePath(path: string): readonly Step[] | string {
  const steps: Step[] = [];
  // A segment is a run of plain or escaped characters, then any number of "[]".
  const segment = /((?:[^.[\]\\]|\\[.[\]\\])*)((?:\[\])*)(\.|$)/y;
  for (;;) {
    const match = segment.exec(path);
    if (match === null)
      return 'a path is names joined by ".", with "[]" for each element; "\\" goes before . [ ] \\ in a name';
    const name = unescapeName(match[1]!);
    const wrong = badName(name);
    if (wrong !== null) return wrong;
    steps.push({ name, arrays: match[2]!.length / 2 });
    if (match[3] === '') return steps;
  }
}
