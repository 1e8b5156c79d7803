/**
 * The published vectors and real data beside the project. A fresh clone works without them; CI fails without them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const folder = fileURLToPath(new URL('../../shared/', import.meta.url));

/** Whether the folder is there. */
export const sharedIsThere: boolean = existsSync(`${folder}vectors`);

if (!sharedIsThere && process.env.CI) throw new Error('CI needs ../shared with vectors and data, and it is not there');

/** Path of a file of the folder. */
export const sharedPath = (name: string): string => folder + name;

/** A JSON file of the folder, unpacked. */
export function sharedJson<T>(name: string): T {
  const bytes = readFileSync(sharedPath(name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as T;
}
