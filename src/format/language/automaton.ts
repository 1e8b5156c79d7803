/**
 * The minimal deterministic automaton of a finite language, built from the end of the expression to its start.
 *
 * A state consists of whether it accepts, and of its ranges with the states that they lead to, which are made before
 * it. States with the same content are one state (hash-consing, as in binary decision diagrams: Bryant, "Graph-Based
 * Algorithms for Boolean Function Manipulation", IEEE Trans. Computers C-35, 1986; for automata of finite languages:
 * Daciuk et al., "Incremental Construction of Minimal Acyclic Finite-State Automata", Computational Linguistics 26(1),
 * 2000). Every state reaches an accepting state and ranges are in normal form, so two states with the same language
 * have the same content. The automaton is therefore minimal at every step, and building one that is too large stops at
 * the limit, not after it.
 */

import { badRange } from '../../core/checks.ts';
import type { Ranges } from './ranges.ts';
import type { Node } from './syntax.ts';

/** The most states of the minimal automaton. */
const MAX_STATES = 4096;

/** The most ranges of all its states together. They are the size of the descriptor. */
const MAX_RANGES = 65_536;

/** The most steps of building it: a call or a range each. All of them take a tenth of a second. */
const MAX_STEPS = 131_072;

/** A minimal automaton in canonical numbering; state 0 is the start. */
export interface Automaton {
  /** For each state 1 if a value may end there. */
  readonly accepting: Uint8Array;
  /** State s has the ranges from `firstRange[s]` to before `firstRange[s + 1]`. */
  readonly firstRange: Int32Array;
  /** First and last code point of each range, ascending in each state, and the state that it leads to. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly target: Int32Array;
  /** All states; each comes after the states that it leads to. */
  readonly bottomUp: Int32Array;
}

/**
 * Builds the minimal automaton. One closure, because all steps share the states, the tables of known states and the
 * count of steps.
 *
 * @throws RangeError if it has too many states or ranges, or if building it takes too many steps.
 */
export function automatonOf(expression: Node): Automaton {
  const accepts: boolean[] = [];
  /** `[first, last, target, …]` of each state. */
  const ranges: number[][] = [];
  const known = new Map<string, number>();
  const united = new Map<number, number>();
  let steps = 0;

  function spend(cost: number): void {
    steps += cost;
    if (steps > MAX_STEPS) {
      badRange('regex', 'is too large: repeat less, or let alternatives begin with different characters');
    }
  }

  function state(accepting: boolean, leads: number[]): number {
    const content = `${accepting ? '+' : ''}${leads.join()}`;
    const old = known.get(content);
    if (old !== undefined) return old;
    const made = accepts.push(accepting) - 1;
    ranges.push(leads);
    known.set(content, made);
    return made;
  }

  /** The state of `{ x · rest }` for x in the expression and rest in the language of `then`. */
  function before(node: Node, then: number): number {
    spend(1);
    switch (node.kind) {
      case 'class':
        spend(node.ranges.length / 2);
        return state(false, leadingTo(node.ranges, then));
      case 'sequence': {
        let at = then;
        for (let i = node.parts.length - 1; i >= 0; i--) at = before(node.parts[i]!, at);
        return at;
      }
      case 'choice':
        return oneOf(node.choices, 0, node.choices.length, then);
      case 'repeat': {
        // L{0,j}·K = K ∪ L·L{0,j-1}·K, then L{n}.
        let at = then;
        for (let i = node.least; i < node.most; i++) at = union(then, before(node.node, at));
        for (let i = 0; i < node.least; i++) at = before(node.node, at);
        return at;
      }
    }
  }

  // By halves: if choices were added one after another, the k-th would walk over the first k - 1 again.
  function oneOf(choices: readonly Node[], start: number, end: number, then: number): number {
    if (end - start === 1) return before(choices[start]!, then);
    const middle = (start + end) >> 1;
    return union(oneOf(choices, start, middle, then), oneOf(choices, middle, end, then));
  }

  /** The state of the union of two states' languages. */
  function union(one: number, other: number): number {
    if (one === other) return one;
    // Making a state costs a step, so ids are at most MAX_STEPS, and every pair has a number of its own.
    const pair = Math.min(one, other) * MAX_STEPS + Math.max(one, other);
    const old = united.get(pair);
    if (old !== undefined) return old;
    const [a, b] = [ranges[one]!, ranges[other]!];
    const leads: number[] = [];
    const add = (first: number, last: number, target: number): void => {
      const end = leads.length;
      if (end > 0 && leads[end - 1] === target && leads[end - 2] === first - 1) leads[end - 2] = last;
      else leads.push(first, last, target);
    };
    let [i, j] = [0, 0];
    let [firstA, firstB] = [a[0] ?? Infinity, b[0] ?? Infinity];
    while (i < a.length || j < b.length) {
      // The next code point of either state, and the last one up to which the same ranges apply.
      const first = Math.min(firstA, firstB);
      const inA = firstA === first;
      const inB = firstB === first;
      const last = Math.min(inA ? a[i + 1]! : firstA - 1, inB ? b[j + 1]! : firstB - 1);
      add(first, last, inA && inB ? union(a[i + 2]!, b[j + 2]!) : inA ? a[i + 2]! : b[j + 2]!);
      if (inA) {
        if (last === a[i + 1]!) i += 3;
        firstA = i < a.length ? Math.max(a[i]!, last + 1) : Infinity;
      }
      if (inB) {
        if (last === b[j + 1]!) j += 3;
        firstB = j < b.length ? Math.max(b[j]!, last + 1) : Infinity;
      }
    }
    spend(1 + leads.length / 3);
    const made = state(accepts[one]! || accepts[other]!, leads);
    united.set(pair, made);
    return made;
  }

  return canonical(before(expression, state(true, [])), accepts, ranges);
}

function leadingTo(set: Ranges, target: number): number[] {
  const leads: number[] = [];
  for (let i = 0; i < set.length; i += 2) leads.push(set[i]!, set[i + 1]!, target);
  return leads;
}

/** Numbers the states that can be reached, breadth first, with ranges in the order of code points. */
function canonical(start: number, accepts: readonly boolean[], ranges: readonly (readonly number[])[]): Automaton {
  const number = new Map([[start, 0]]);
  const order = [start];
  let count = 0;
  for (const state of order) {
    const leads = ranges[state]!;
    count += leads.length / 3;
    for (let i = 2; i < leads.length; i += 3) {
      const target = leads[i]!;
      if (number.has(target)) continue;
      number.set(target, order.length);
      order.push(target);
    }
  }
  if (order.length > MAX_STATES) badRange('regex', `needs ${order.length} states, expected at most ${MAX_STATES}`);
  if (count > MAX_RANGES) badRange('regex', `needs ${count} ranges, expected at most ${MAX_RANGES}`);

  const accepting = new Uint8Array(order.length);
  const firstRange = new Int32Array(order.length + 1);
  const [from, to, target] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  let next = 0;
  for (const [index, state] of order.entries()) {
    accepting[index] = accepts[state] ? 1 : 0;
    const leads = ranges[state]!;
    for (let i = 0; i < leads.length; i += 3) {
      from[next] = leads[i]!;
      to[next] = leads[i + 1]!;
      target[next++] = number.get(leads[i + 2]!)!;
    }
    firstRange[index + 1] = next;
  }
  // States are made after the states that they lead to, so they were made bottom up.
  const bottomUp = Int32Array.from(
    [...order].sort((a, b) => a - b),
    (state) => number.get(state)!,
  );
  return { accepting, firstRange, from, to, target, bottomUp };
}

/**
 * The one spelling of an automaton (docs/spec/fpe-v1.md, "Regular expressions"): `41-5a>1;+30-39>2;+` is a letter that
 * may be followed by a digit.
 */
export function automatonText(automaton: Automaton): string {
  const { accepting, firstRange, from, to, target } = automaton;
  const states: string[] = [];
  for (let state = 0; state < accepting.length; state++) {
    const leads: string[] = [];
    for (let i = firstRange[state]!; i < firstRange[state + 1]!; i++) {
      const [first, last] = [from[i]!.toString(16), to[i]!.toString(16)];
      leads.push(`${first === last ? first : `${first}-${last}`}>${target[i]}`);
    }
    states.push(`${accepting[state] ? '+' : ''}${leads.join(',')}`);
  }
  return states.join(';');
}
