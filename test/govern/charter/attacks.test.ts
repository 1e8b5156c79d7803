/** Attacks on charters, each by the name under which it was found, and whether officers suffice against brute force. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areMet } from '../../../src/govern/charter/demands.ts';
import { checkCharter, openCharter, parseCharter } from '../../../src/govern.ts';
import {
  cosigner,
  type LogPolicy,
  newNoteKey,
  noteSigner,
  openCheckpoint,
  signNote,
  writeCheckpoint,
} from '../../../src/log.ts';
import { KEYS, LINES, nextLines, refusal, replaced, signedBy, TEXT, textOf } from './small-charter.ts';

const refusedBy = (lines: readonly string[], options = {}) =>
  checkCharter(parseCharter(textOf(lines)), options).flatMap(({ level, word }) => (level === 'refused' ? [word] : []));

/** Whether the witnesses who have cosigned a checkpoint satisfy a policy. */
const suffices = (note: string, policy: LogPolicy) =>
  policy.satisfiedBy(new Set(openCheckpoint(note, policy).witnesses.map(({ name }) => name)));

describe('attacks', () => {
  it("the sample charter's quorum gives no protection against forks", async () => {
    // Two histories of one size. Each honest witness sees one of them, and cosigns it.
    const forkOf = (byte: number, witness: 'ncc' | 'dpa') =>
      signNote(
        writeCheckpoint({ origin: 'log.example/eu-enclave/2027', size: 1, root: new Uint8Array(32).fill(byte) }),
        [noteSigner(KEYS.log.privateKey), cosigner(KEYS[witness].privateKey)],
      );
    const [one, other] = [await forkOf(1, 'ncc'), await forkOf(2, 'dpa')];
    const any = replaced('group', 'group outside any NCC DPA');
    const { logPolicy } = parseCharter(textOf(any));
    expect([one, other].map((note) => suffices(note, logPolicy))).toEqual([true, true]);
    expect(refusedBy(any)).toEqual(['forks']);
    // As the sample is now, neither history satisfies the quorum.
    const { logPolicy: all } = parseCharter(TEXT);
    expect([one, other].map((note) => suffices(note, all))).toEqual([false, false]);
    expect(refusedBy(LINES)).toEqual([]);
  });

  it('a requester opens anybody under a warrant for somebody else', () => {
    const purpose = LINES[22]!.replace('vault:people/person.name', 'seal:person.name');
    expect(refusedBy(replaced('purpose support', purpose))).toEqual(['bound-to-nobody']);
    expect(refusedBy(replaced('purpose support', `${purpose} unbound`))).toEqual([]);
  });

  it('the forward direction is a way back', () => {
    const spaces = [{ scope: 'fpe:postcode', size: 100_000n }];
    const rate = (line: string) => refusedBy(replaced('rate client etl-1 protect fpe', line), { spaces });
    expect(rate('rate client etl-1 protect fpe:postcode 100000 per 1d')).toEqual(['code-book']);
    expect(rate('rate client etl-1 protect fpe:postcode 99999 per 1d')).toEqual([]);
    // A verb that no line allows is none: a client has the verbs of its lines alone.
    const { rates } = parseCharter(TEXT);
    expect(new Set(rates.filter(({ of }) => of === 'client').map(({ verb }) => verb))).toEqual(new Set(['protect']));
  });

  it('approvals are ambiguous', () => {
    const demands = [
      { count: 2, role: 'approver' },
      { count: 1, role: 'legal' },
    ];
    const anna = { handle: 'anna', roles: ['approver'] };
    const bela = { handle: 'bela', roles: ['approver', 'legal'] };
    const lea = { handle: 'lea', roles: ['legal'] };
    expect(areMet(demands, [anna, bela])).toBe(false);
    expect(areMet(demands, [bela, anna, lea])).toBe(true);
    // The old spelling of two demands is none.
    for (const old of ['2 approver,1 legal', '2:approver 1:legal', '+1:legal']) {
      const line = LINES[23]!.replace('2:approver', old);
      expect(refusal(() => parseCharter(textOf(replaced('purpose fraud', line))))[0]).toBe('charter_invalid');
    }
  });

  it('verb, kind and desk are not in what is signed', () => {
    for (const [from, to] of [
      ['verb reveal ', ''],
      ['vault:people/person.name', 'person.name'],
    ] as const) {
      const line = LINES[22]!.replace(from, to);
      expect(refusal(() => parseCharter(textOf(replaced('purpose support', line))))[0]).toBe('charter_invalid');
    }
    expect(parseCharter(TEXT).desks.get('chris-desk')?.of).toBe('chris');
  });

  it('an old charter', async () => {
    const first = openCharter(await signedBy(TEXT, 'eva', 'fritz'), { sha256: parseCharter(TEXT).sha256 });
    const second = textOf(nextLines(TEXT));
    const previous = openCharter(await signedBy(second, 'eva', 'fritz'), { previous: first });
    const old = await signedBy(TEXT, 'eva', 'fritz', 'gerd');
    expect(refusal(() => openCharter(old, { previous }))).toEqual(['charter_outdated', 2]);
  });

  it('a keeper who writes a charter of their own, with the other keepers as strangers', async () => {
    const mine = newNoteKey('mallory.example');
    const lines = nextLines(TEXT).map((line) =>
      /^officer (fritz|gerd)/.test(line)
        ? line.replace(/note .*/, `note ${newNoteKey('x.example').verifierKey}`)
        : line,
    );
    const text = textOf(
      lines.map((line) => (line.startsWith('officer fritz') ? `officer fritz keeper note ${mine.verifierKey}` : line)),
    );
    const note = await signNote(text, [noteSigner(KEYS.eva.privateKey), noteSigner(mine.privateKey)]);
    const previous = openCharter(await signedBy(TEXT, 'eva', 'gerd'), { sha256: parseCharter(TEXT).sha256 });
    expect(refusal(() => openCharter(note, { previous }))).toEqual(['charter_unsigned']);
  });
});

describe('officers and demands', () => {
  /** Tries every assignment of officers to places. */
  function byForce(places: readonly string[], officers: readonly (readonly string[])[]): boolean {
    const [role, ...others] = places;
    if (role === undefined) return true;
    return officers.some((roles, i) => roles.includes(role) && byForce(others, officers.toSpliced(i, 1)));
  }

  it('are met exactly if brute force finds distinct officers for all places', () => {
    const roles = fc.subarray(['a', 'b', 'c'], { minLength: 1 });
    const demand = fc.record({ count: fc.integer({ min: 1, max: 3 }), role: fc.constantFrom('a', 'b', 'c') });
    const demands = fc.uniqueArray(demand, { selector: ({ role }) => role, maxLength: 3 });
    let met = 0;
    fc.assert(
      fc.property(demands, fc.array(roles, { maxLength: 6 }), (wanted, people) => {
        const officers = people.map((held, i) => ({ handle: `p${i}`, roles: held }));
        const places = wanted.flatMap(({ count, role }) => Array<string>(count).fill(role));
        const expected = byForce(places, people);
        met += Number(expected);
        expect(areMet(wanted, officers)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(met).toBeGreaterThan(300);
    expect(met).toBeLessThan(1900);
  });
});
