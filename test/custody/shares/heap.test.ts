/**
 * After a ceremony, and after shares were joined or refused, the heap has no identity and no share that the program has
 * let go. The program runs in a process of its own, `heap.mjs`; this one reads its snapshot.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'trefoil-heap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = fileURLToPath(new URL('heap.mjs', import.meta.url));

/** Runs the program and returns what is in its heap, and the secrets that it had. */
function run(what: string): { readonly heap: string; readonly secrets: readonly string[] } {
  const snapshot = join(folder, `${what}.heapsnapshot`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program, what, snapshot], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  expect(status, stderr).toBe(0);
  expect(existsSync(snapshot)).toBe(true);
  return { heap: readFileSync(snapshot, 'latin1'), secrets: stdout.trim().split('\n') };
}

describe('the heap', () => {
  it.each(['split', 'combine', 'refuse'])('after %s has no secret', (what) => {
    const { heap, secrets } = run(what);
    // The lines of three shares and the identity, which a refusal does not have.
    expect(secrets).toHaveLength(what === 'refuse' ? 6 : 7);
    // The snapshot is one of this program.
    expect(heap).toContain('identity-share-v1');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(35);
      expect(heap.includes(secret), secret.slice(0, 4)).toBe(false);
    }
  });

  it('would show a share that is kept', () => {
    const { heap, secrets } = run('keep');
    expect(secrets.some((secret) => heap.includes(secret))).toBe(true);
  });
});
