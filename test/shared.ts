/**
 * Reads the published test vectors and real data of the folder ../shared. The tests of a fresh clone run without it; CI
 * fails without it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const folder = fileURLToPath(new URL('../../shared/', import.meta.url));

/** Whether the folder exists. */
export const sharedIsThere: boolean = existsSync(`${folder}vectors`);

if (!sharedIsThere && process.env.CI)
  throw new Error('CI needs the folder ../shared with vectors and data, which does not exist');

/** The path of a file in the folder. */
export const sharedPath = (name: string): string => folder + name;

/** The content of a JSON file in the folder, which may be compressed with gzip. */
export function sharedJson<T>(name: string): T {
  const bytes = readFileSync(sharedPath(name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as T;
}
