/**
 * Frozen: a warrant, a refusal, a ratification and a clock statement that test/reference/generators/warrant-vectors.py
 * has written with hashlib and OpenSSL. docs/spec/govern/warrant-v1.md has them, too. If one of them is no longer read,
 * notes that officers have signed are lost.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { caseCommitment } from '../../src/govern/warrant/dossier.ts';
import { writeWarrant } from '../../src/govern/warrant/warrant.ts';
import {
  openCharter,
  parseDossier,
  parseWarrant,
  verifyClock,
  verifyRatification,
  verifyRefusal,
  verifyWarrant,
  writeClock,
  writeDossier,
  writeRatification,
  writeRefusal,
} from '../../src/govern.ts';

const read = (name: string): string => readFileSync(new URL(`warrants/${name}`, import.meta.url), 'utf8');
const page = readFileSync(new URL('../../docs/spec/govern/warrant-v1.md', import.meta.url), 'utf8');
const program = fileURLToPath(new URL('../reference/generators/warrant-vectors.py', import.meta.url));

/** The values of the table of the page. */
const rows = new Map(
  [...page.slice(page.indexOf('## Vectors')).matchAll(/^\| (.+?) \| `(.+?)` \|$/gm)].map(([, name, value]) => [
    name!,
    value!,
  ]),
);
const NOW = Date.parse('2026-11-30T20:30:00Z') / 1000;
const dossier = read('warrant.dossier');
const charter = openCharter(read('charter.note'), {
  sha256: '8ca1d545f014a44640abe14c2f11971435720bb1997538183770128a0705d802',
});
const under = { charter, dossier, now: NOW };

describe('warrant-v1', () => {
  test('the page has the frozen texts and digests', () => {
    for (const name of ['warrant.note', 'refusal.note', 'ratification.note', 'clock.note']) {
      expect(page).toContain(`\`\`\`text\n${read(name)}\`\`\``);
    }
    expect(page).toContain(`\`\`\`json\n${dossier}\n\`\`\``);
    expect(rows.get("SHA-256 of the charter's text")).toBe(charter.sha256);
    for (const who of ['chris', 'anna', 'bela', 'eva']) {
      expect(read('charter.note')).toContain(`note ${rows.get(`verifier key of ${who}`)}\n`);
    }
  });

  test('the warrant verifies, and is what it was', () => {
    const { warrant, approvers, note, sha256 } = verifyWarrant(read('warrant.note'), under);
    expect(sha256).toBe('1b646fbfc3422ca5ca6d6b1284666f94e75b108b5c740171b9beaedda1393d4f');
    expect(rows.get("SHA-256 of the warrant's text")).toBe(sha256);
    expect(approvers.map(({ handle }) => handle)).toEqual(['anna', 'bela']);
    // In the order of the charter, which is not that of the vector.
    expect([...note.matchAll(/^— (\w+)\.example /gm)].map(([, who]) => who)).toEqual(['anna', 'bela', 'chris']);
    expect(writeWarrant(warrant).text).toBe(warrant.text);
  });

  test('the dossier is read, and written with the same bytes', () => {
    const { sha256, ...fields } = parseDossier(dossier);
    expect(sha256).toBe(rows.get("SHA-256 of the dossier's bytes"));
    expect(writeDossier(fields)).toBe(dossier);
    expect(fields.subjects).toEqual([{ token: 'cust_0123456789' }, { text: 'Zoë "Z" Müller' }]);
    expect(caseCommitment(fields)).toBe('36a71504978352a95e9e31c20382a7cfbd4bc2d9121fbb0e09621b60e68635ed');
    expect(rows.get('commitment to the case')).toBe(caseCommitment(fields));
  });

  test('the same warrant with a commitment in place of the case', () => {
    const hidden = parseWarrant(read('hidden.note'));
    expect(hidden.case).toEqual({ commit: rows.get('commitment to the case') });
    expect(hidden.sha256).toBe(rows.get("SHA-256 of the same warrant's text with the commitment"));
  });

  test('refusal, ratification and clock statement verify', () => {
    const warrant = parseWarrant(read('warrant.note'));
    const { refusal } = verifyRefusal(read('refusal.note'), { charter, warrant });
    expect(refusal.sha256).toBe(rows.get("SHA-256 of the refusal's text"));
    expect(writeRefusal(refusal).text).toBe(refusal.text);
    const glass = verifyWarrant(read('glass.note'), under).warrant;
    expect(glass.sha256).toBe(rows.get('SHA-256 of the text of the break-glass warrant'));
    const { ratification } = verifyRatification(read('ratification.note'), { charter, warrant: glass });
    expect(ratification.sha256).toBe(rows.get("SHA-256 of the ratification's text"));
    expect(writeRatification(ratification).text).toBe(ratification.text);
    const { statement } = verifyClock(read('clock.note'), { charter });
    expect(statement.sha256).toBe(rows.get("SHA-256 of the clock statement's text"));
    expect(writeClock(statement).text).toBe(statement.text);
  });

  test('the program writes the frozen texts', (context) => {
    const run = (name: string) => execFileSync('python3', [program, name], { encoding: 'utf8', stdio: 'pipe' });
    try {
      run('table');
    } catch (error) {
      // Without Python or its package cryptography, the frozen texts are the vectors.
      if (!/ENOENT|No module named/.test(String(error))) throw error;
      return context.skip();
    }
    for (const name of ['charter', 'warrant', 'hidden', 'glass', 'refusal', 'ratification', 'clock']) {
      expect(run(name)).toBe(read(`${name}.note`));
    }
    expect(run('dossier')).toBe(dossier);
    for (const line of run('table').trimEnd().split('\n')) expect(page).toContain(`${line}\n`);
  });
});
