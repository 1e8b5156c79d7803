/**
 * Field paths of the policy file: names separated by `.`, `[]` after a name for the elements of its array, `\` before
 * each of `. [ ] \` in a name.
 */

/** One step: a name, and how many levels of arrays its value has. */
export interface Step {
  readonly name: string;
  readonly arrays: number;
}

/** Names that a record cannot have as a field of its own. */
const RESERVED = new Set(['__proto__']);

/** Writes a name so that `parsePath` reads it as one. */
export function escapeName(name: string): string {
  return name.replace(/[.[\]\\]/g, '\\$&');
}

/** The name without its escapes. */
function unescapeName(text: string): string {
  return text.replace(/\\([.[\]\\])/g, '$1');
}

/** Says why a policy cannot have a field of this name; `null` if it can. */
export function badName(name: string): string | null {
  if (name === '') return 'a name is empty';
  if (RESERVED.has(name)) return 'the name __proto__ cannot be a field';
  return name.isWellFormed() ? null : 'a name has half of a surrogate pair';
}

/** The steps of a path; a text that says what is wrong if it is not a path. */
export function parsePath(path: string): readonly Step[] | string {
  const steps: Step[] = [];
  // A segment is a run of plain or escaped characters, then any number of "[]".
  const segment = /((?:[^.[\]\\]|\\[.[\]\\])*)((?:\[\])*)(\.|$)/y;
  for (;;) {
    const match = segment.exec(path);
    if (match === null)
      return 'the path is malformed: write names separated by ".", "[]" after an array, and "\\" before . [ ] \\ in a name';
    const name = unescapeName(match[1]!);
    const wrong = badName(name);
    if (wrong !== null) return wrong;
    steps.push({ name, arrays: match[2]!.length / 2 });
    if (match[3] === '') return steps;
  }
}
