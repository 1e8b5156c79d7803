/// <reference types="node" />
/**
 * Functions of SQL: one for each field of a policy and each direction, over whole vectors. DuckDB calls them with up to
 * 2,048 values at once, on this thread.
 *
 * What goes wrong becomes the text of an SQL error, which ends up in logs: it names the field and the code, never a
 * value. Nothing that this library or the engine throws passes through.
 */

import { fail, type Issue } from '../errors.ts';
import { checkTabular, hidesEmpty, type TableColumn } from '../io/header.ts';
import { turnTable } from '../io/table.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import type { CallInfo, Chunk, DuckdbConnection, DuckdbModule, Vector } from './module.ts';
import { makeVectors, type Vectors } from './vectors.ts';

/** A field's function. */
export interface FieldFunction {
  readonly name: string;
  readonly column: TableColumn;
  /** Fields whose values it takes behind the field's own, in this order. */
  readonly needs: readonly string[];
}

/** The functions of a policy; dropped fields have none. */
export function fieldFunctions(inside: BoundInside, direction: Direction): readonly FieldFunction[] {
  checkTabular(inside);
  const taken = new Map<string, string>();
  const functions: FieldFunction[] = [];
  for (const [index, leaf] of inside.leaves.entries()) {
    if (leaf.engine.removes) continue;
    const name = `trefoil_${direction}_${leaf.header!.replace(/[^A-Za-z0-9_]/g, '_')}`;
    // SQL does not tell upper and lower case apart.
    const other = taken.get(name.toLowerCase());
    if (other !== undefined)
      fail('path_conflict', `the field has the same name in SQL as field ${other}; rename one of them`, {
        field: leaf.path,
      });
    taken.set(name.toLowerCase(), leaf.path);
    functions.push({ name, column: { name: leaf.header!, leaf, index, from: 0 }, needs: leaf.engine.needs ?? [] });
  }
  return functions;
}

/**
 * Registers the functions of one direction.
 *
 * @param nullIsEmpty NULL is a cell of CSV with nothing in it, which is the empty text for rules, as `""` is. Where the
 * rule leaves it empty, NULL comes out again: it is written as it came.
 */
export function registerFields(
  duckdb: DuckdbModule,
  connection: DuckdbConnection,
  inside: BoundInside,
  direction: Direction,
  nullIsEmpty = false,
): void {
  inside.demand(direction);
  const { VARCHAR, DuckDBScalarFunction } = duckdb;
  const vectors = makeVectors();
  for (const field of fieldFunctions(inside, direction)) {
    connection.registerScalarFunction(
      DuckDBScalarFunction.create({
        name: field.name,
        mainFunction: vectorFunction(inside, direction, field, vectors, nullIsEmpty),
        returnType: VARCHAR,
        parameterTypes: [VARCHAR, ...field.needs.map(() => VARCHAR)],
        // The rule says what becomes of a missing value, not the engine.
        specialHandling: true,
      }),
    );
  }
}

/** One vector through one rule. */
function vectorFunction(
  inside: BoundInside,
  direction: Direction,
  { column, needs }: FieldFunction,
  vectors: Vectors,
  nullIsEmpty: boolean,
): (info: CallInfo, input: Chunk, output: Vector) => void {
  const positions = new Map(needs.map((path, i) => [path, i + 1]));
  const { path } = column.leaf;
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
      // Said below: what it says could hold a value.
    }
    const { code, message } = (found as Issue | null) ?? { code: 'engine_failed', message: 'the rule failed' };
    info.setError(`trefoil: field ${path}: ${message} (${code})`);
  };
}
