/// <reference types="node" />
/**
 * Functions of SQL: one for each field of a policy and each direction. DuckDB calls them with vectors of up to 2,048
 * values, on this thread.
 *
 * An issue becomes an SQL error, which may be logged. So it names the field and the code, never a value, and no message
 * of another error is passed on.
 */

import { fail, type Issue } from '../errors.ts';
import type { Position, TableColumn } from '../io/columns.ts';
import { checkTabular, hidesEmpty, refuseArrays } from '../io/header.ts';
import { turnTable } from '../io/table.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import type { CallInfo, Chunk, DuckdbConnection, DuckdbModule, Vector } from './module.ts';
import { makeVectors, type Vectors } from './vectors.ts';

/** The function of a field, or of a column with values in its cells. */
export interface FieldFunction {
  readonly name: string;
  /** Its first argument. */
  readonly column: TableColumn;
  /** Paths of the fields whose values are its further arguments, in this order, and where in the argument they are. */
  readonly needs: readonly { readonly path: string; readonly inside: Position['inside'] }[];
}

/** The functions of the fields of a policy, for statements of SQL. Dropped fields have none. */
export function fieldFunctions(inside: BoundInside, direction: Direction): readonly FieldFunction[] {
  checkTabular(inside);
  refuseArrays(inside);
  const taken = new Map<string, string>();
  const functions: FieldFunction[] = [];
  for (const [index, leaf] of inside.leaves.entries()) {
    if (leaf.engine.removes) continue;
    const name = `trefoil_${direction}_${leaf.header!.replace(/[^A-Za-z0-9_]/g, '_')}`;
    // Names in SQL are the same in upper and lower case.
    const other = taken.get(name.toLowerCase());
    if (other !== undefined)
      fail('path_conflict', `the field has the same name in SQL as field ${other}; rename one of them`, {
        field: leaf.path,
      });
    taken.set(name.toLowerCase(), leaf.path);
    const needs = (leaf.engine.needs ?? []).map((path) => ({ path, inside: null }));
    functions.push({ name, column: { name: leaf.header!, leaf, index, from: 0 }, needs });
  }
  return functions;
}

/**
 * Registers functions of one direction.
 *
 * @param nullIsEmpty for CSV, where NULL is an empty cell without quotes. For the rules it is the empty text, as `""`
 * is. If the rule leaves it empty, the function returns NULL again, so that the cell is written as it was read.
 */
export function registerFields(
  duckdb: DuckdbModule,
  connection: DuckdbConnection,
  inside: BoundInside,
  direction: Direction,
  functions: readonly FieldFunction[],
  nullIsEmpty = false,
): void {
  inside.demand(direction);
  const { VARCHAR, DuckDBScalarFunction } = duckdb;
  const vectors = makeVectors();
  for (const field of functions) {
    connection.registerScalarFunction(
      DuckDBScalarFunction.create({
        name: field.name,
        mainFunction: vectorFunction(inside, direction, field, vectors, nullIsEmpty),
        returnType: VARCHAR,
        parameterTypes: [VARCHAR, ...field.needs.map(() => VARCHAR)],
        // With this option DuckDB passes NULL to the function: the rule decides about missing values.
        specialHandling: true,
      }),
    );
  }
}

/** Makes the function that runs a vector through a rule. */
function vectorFunction(
  inside: BoundInside,
  direction: Direction,
  { column, needs }: FieldFunction,
  vectors: Vectors,
  nullIsEmpty: boolean,
): (info: CallInfo, input: Chunk, output: Vector) => void {
  const positions = new Map(needs.map(({ path, inside }, i) => [path, { from: i + 1, inside }]));
  const path = column.node === undefined ? column.leaf.path : column.node.path;
  const hides = hidesEmpty(column.leaf, direction);
  return (info, input, output) => {
    let found: Issue | null = null;
    try {
      const rows = input.rowCount;
      const bare: number[] = [];
      const read = (from: number): (string | null)[] => {
        const texts = vectors.read(input.getColumnVector(from), rows);
        if (!nullIsEmpty) return texts;
        for (let i = 0; i < rows; i++) {
          if (texts[i] !== null) continue;
          texts[i] = '';
          if (from === column.from && !hides) bare.push(i);
        }
        return texts;
      };
      const cells = { rows, column: read };
      const [out] = turnTable(cells, [column], positions, direction, inside, (_, issue) => {
        found ??= issue;
      });
      if (found === null) {
        for (const i of bare) if (out![i] === '') out![i] = null;
        vectors.write(output, out!);
        return;
      }
    } catch {
      // Its message could contain a value. The error set below does not.
    }
    const {
      code,
      message,
      field = path,
    } = (found as Issue | null) ?? {
      ...{ code: 'engine_failed', message: 'the rule failed' },
    };
    info.setError(`trefoil: field ${field}: ${message} (${code})`);
  };
}
