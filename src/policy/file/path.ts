/**
 * Field paths of the policy file: names separated by `.`, `[]` after a name for the elements of its array, `\` before
 * each of `. [ ] * \` in a name. The empty path is a field whose name is empty, such as a column without a name.
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
  return name.replace(/[.[\]*\\]/g, '\\$&');
}

/** Returns a path as a message shows it: `""` for the empty path, which nobody would see. */
export function shownPath(path: string): string {
  return path === '' ? '""' : path;
}

/**
 * Writes a path with the index of each array in place of its `[]`, outermost first: `items[2].sku`. Indices count from
 * 0, as in JSON path expressions and in JavaScript.
 */
export function elementPath(path: string, indices: readonly number[]): string {
  let next = 0;
  return path.replace(/\\.|\[\]/gs, (part) => (part === '[]' && next < indices.length ? `[${indices[next++]}]` : part));
}

/** The path of the outermost array that a path leads into; the path itself if it leads into none. */
export function arrayPath(path: string): string {
  const steps = parsePath(path);
  if (typeof steps === 'string') return path;
  const at = steps.findIndex(({ arrays }) => arrays > 0);
  if (at === -1) return path;
  return steps
    .slice(0, at + 1)
    .map(({ name }) => escapeName(name))
    .join('.');
}

/** A place in a record as a field path, and as the path of the element if the place is in an array. */
export interface RecordPlace {
  readonly field: string;
  readonly element?: string;
}

/** Writes a place in a record, as names of objects and indices of arrays, as paths: `items[].sku`, `items[2].sku`. */
export function placeOfSteps(steps: readonly (string | number)[]): RecordPlace {
  const inArray = steps.some((step) => typeof step === 'number');
  const write = (index: (step: number) => string): string =>
    steps
      .map((step) => (typeof step === 'number' ? `[${index(step)}]` : `.${escapeName(step)}`))
      .join('')
      .slice(1);
  const field = write(() => '');
  return inArray ? { field, element: write(String) } : { field };
}

/** The name without its escapes. */
function unescapeName(text: string): string {
  return text.replace(/\\([.[\]*\\])/g, '$1');
}

/** Says why a policy cannot have a field of this name; `null` if it can. The empty name is judged by its place. */
export function badName(name: string): string | null {
  if (RESERVED.has(name)) return 'the name __proto__ cannot be a field';
  return name.isWellFormed() ? null : 'a name has half of a surrogate pair';
}

/** Only a whole path may be empty: inside a path, an empty name is nearly always a dot too many. */
export const EMPTY_INSIDE = 'a name inside a path is empty; only a field at the top may have no name';

/** Why a `*` is refused. If it were read as a name, a field under any other name would go unnoticed. */
export const STAR = 'a path has no patterns, and here is a *';

/** The steps of a path; a text that says what is wrong if it is not a path. */
export function parsePath(path: string): readonly Step[] | string {
  if (path === '') return [{ name: '', arrays: 0 }];
  const steps: Step[] = [];
  // A segment is a run of plain or escaped characters, then any number of "[]".
  const segment = /((?:[^.[\]*\\]|\\[.[\]*\\])*)((?:\[\])*)(\.|$)/y;
  for (;;) {
    const match = segment.exec(path);
    if (match === null) {
      if (path.replace(/\\./gs, '').includes('*')) {
        const map = path.endsWith('.*') ? `; to leave out the whole map, write ${path.slice(0, -2)}: drop` : '';
        return `${STAR}${map}; write \\* for a name that has one`;
      }
      return 'the path is malformed: write names separated by ".", "[]" after an array, and "\\" before . [ ] * \\ in a name';
    }
    const name = unescapeName(match[1]!);
    if (name === '') return EMPTY_INSIDE;
    const wrong = badName(name);
    if (wrong !== null) return wrong;
    steps.push({ name, arrays: match[2]!.length / 2 });
    if (match[3] === '') return steps;
  }
}
