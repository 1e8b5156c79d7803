/// <reference types="node" />
/**
 * Units of work from paths and patterns: all inputs are written to one output, or each input to a folder under its own
 * name.
 */

import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import type { Direction } from '../policy/bound.ts';
import { hasOtherName } from './file-format.ts';
import { expandInputs, STDIN } from './inputs/inputs.ts';
import type { Output } from './outputs/output-file.ts';
import { checkPath, type FileOptions, type FileResult, makePlan, type Unit } from './plan.ts';
import { runPlan } from './run.ts';
import { systemError } from './system-error.ts';

/** The units of a run, and the path of its manifest. */
export interface Units {
  readonly units: readonly Unit[];
  readonly manifest: string;
}

/** All inputs, one after the other, become one output. */
export async function intoOne(inputs: unknown, output: string | Output): Promise<Units> {
  const found = await expandInputs(checkInputs(inputs));
  const manifest = typeof output === 'string' ? `${output}.resume.json` : '';
  return { units: [{ inputs: found, output }], manifest };
}

/**
 * Each input becomes an output in a folder, under its own name. The folder is created if it does not exist.
 *
 * @throws TrefoilError `same_file` if two inputs have the same name.
 */
export async function intoFolder(inputs: unknown, folder: string): Promise<Units> {
  const found = await expandInputs(checkInputs(inputs));
  const byName = new Map<string, string>();
  for (const input of found) {
    if (input === STDIN)
      fail('io_failed', 'standard input has no file name to use in the folder; set an output file instead');
    const name = basename(input);
    if (byName.has(name))
      fail('same_file', 'two inputs would get this name in the folder; rename one of them', { file: name });
    byName.set(name, input);
  }
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw systemError(error, 'cannot be made', folder);
  }
  const units = [...byName].map(([name, input]) => ({ inputs: [input], output: join(folder, name) }));
  return { units, manifest: join(folder, 'trefoil.resume.json') };
}

function checkInputs(inputs: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(inputs) ? inputs : [inputs];
  if (list.length === 0) badType('input', 'expected a path, or a list of at least one path');
  for (const input of list) checkPath('input', input);
  return list as string[];
}

/** Runs `protectFile` and `revealFile`. */
export async function runFile(
  direction: Direction,
  inputs: unknown,
  output: unknown,
  bound: unknown,
  options: FileOptions,
): Promise<FileResult> {
  checkPath('output', output);
  const { units, manifest } = await intoOne(inputs, output);
  const plan = makePlan(direction, units, bound, options, manifest);
  if (hasOtherName(output, plan.work.fileFormat.name, options.delimiter)) {
    badRange('output', `has the extension of another file format; the inputs are ${plan.work.fileFormat.name}`);
  }
  return runPlan(plan);
}

/** Runs `protectFiles` and `revealFiles`. */
export async function runFiles(
  direction: Direction,
  inputs: unknown,
  folder: unknown,
  bound: unknown,
  options: FileOptions,
): Promise<FileResult> {
  checkPath('folder', folder);
  if (!Array.isArray(inputs)) badType('inputs', `expected a list of paths, got ${typeName(inputs)}`);
  const { units, manifest } = await intoFolder(inputs, folder);
  return runPlan(makePlan(direction, units, bound, options, manifest));
}
