/** Cells of a field whose rule takes scalars of JSON (`seal` with `value: json`). */

import { jsonNumber } from '../../core/json/number.ts';

/** A number of JSON (RFC 8259, section 6). */
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** A cell that is spelled as a number, `true` or `false` is that value; any other cell is text. */
export function readScalar(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true';
  return NUMBER.test(cell) ? jsonNumber(cell) : cell;
}
