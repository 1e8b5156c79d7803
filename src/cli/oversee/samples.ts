/// <reference types="node" />
/** The file of `--samples`: what an overseer has drawn (docs/spec/govern/sample-v1.md), one JSON object a line. */

import { stat } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import { openOutput } from '../../files/outputs/output-file.ts';
import { errorCode } from '../../files/system-error.ts';
import { readSmallFile } from '../policy-file.ts';

/** Longest file in bytes: thousands of samples. */
const MOST_BYTES = 16_777_216;

/** A sample that was drawn. Times are seconds since 1970. */
export interface Sample {
  readonly trefoil: 'sample-v1';
  readonly origin: string;
  readonly size: number;
  /** The root of the checkpoint, in base64. */
  readonly root: string;
  /** What the overseer drew, in hexadecimal digits. */
  readonly random: string;
  /** When it was drawn. */
  readonly at: number;
  /** The period that it was drawn from. */
  readonly from: number;
  readonly to: number;
  /** How many were asked for. */
  readonly count: number;
  readonly entries: readonly number[];
}

/** Reads the file; none if it is not there yet. @throws TrefoilError `seen_invalid` with the line; `io_failed`. */
export async function readSamples(path: string): Promise<readonly Sample[]> {
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
  }
  return readSmallFile(path, MOST_BYTES, 'the file of --samples', 'seen_invalid', (text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map(parseSample),
  );
}

function parseSample(line: string, i: number): Sample {
  const value = parsed(line);
  const { trefoil, origin, size, root, random, at, from, to, count, entries } = value as unknown as Sample;
  const isWhole = (number: unknown): boolean => Number.isSafeInteger(number) && (number as number) >= 0;
  const isSample =
    trefoil === 'sample-v1' &&
    [origin, root, random].every((text) => typeof text === 'string') &&
    [size, at, from, to, count].every(isWhole) &&
    Array.isArray(entries) &&
    entries.every(isWhole);
  if (!isSample) fail('seen_invalid', 'the line is not a sample', { line: i + 1 });
  return { trefoil, origin, size, root, random, at, from, to, count, entries };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(line) as Readonly<Record<string, unknown>> | null) ?? {};
  } catch {
    return {};
  }
}

/** Adds a sample to the file, in one step. */
export async function keepSample(path: string, before: readonly Sample[], sample: Sample): Promise<void> {
  const file = await openOutput(path, { force: true, mode: 0o600 });
  try {
    const text = [...before, sample].map((one) => `${JSON.stringify(one)}\n`).join('');
    await file.write(new TextEncoder().encode(text));
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** The sample at the end of a report. */
export function sampleText({ entries, random, root, size, count }: Sample): string {
  const few = entries.length < count ? `, all that there are` : '';
  return [
    '',
    `sample: demand the openings of ${entries.length} entries${few}: ${entries.join(' ')}`,
    `  drawn from ${random} and the root ${root} of ${size} entries`,
    '',
  ].join('\n');
}
