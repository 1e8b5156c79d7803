/** Revealing through a gateway: what comes back is what the keys would give here, and it is in the log before. */
import { describe, expect, it } from 'vitest';
import { readEntry } from '../../src/log.ts';
import { revealAccess } from '../../src/reveal.ts';
import { rejection } from '../helpers/errors.ts';
import { access, BULK, coded, keysHere, people, rowOf, rows, safe, setting } from './shared.ts';

describe('a policy with keys behind a gateway', () => {
  it('reveals what the warrant names, as one use that is in the log before', async () => {
    const { there, kinds, log, errors } = await setting();
    const opened = await people.open(await there(), {}, await access());
    const back = await opened.revealMany(safe.slice(0, 2));
    expect(errors).toEqual([]);
    expect(back).toEqual(people.bind(keysHere, revealAccess).revealMany(safe.slice(0, 2)));
    expect(await kinds()).toEqual(['charter', 'start', 'warrant', 'use', 'done']);
    const entries = [];
    for await (const bytes of log.entries()) entries.push(readEntry(bytes).event!);
    expect(entries[3]).toMatchObject({ n: 1, scopes: { 'seal:person.name': 2 }, bound: false });
    expect(entries[4]).toMatchObject({ entry: 3, opened: 2, failed: 0, refused: 0 });
    await log.close();
  });

  it('refuses somebody else, and says it with the code of the gateway', async () => {
    const { there, log, kinds } = await setting();
    const opened = await people.open(await there(), {}, await access());
    const error = await rejection(opened.revealMany(safe));
    expect(error.code).toBe('other_subject');
    expect(await kinds()).not.toContain('use');
    await log.close();
  });

  it('does not bind here, and a rule alone neither', async () => {
    const { there, log } = await setting();
    const keys = await there();
    expect(() => people.bind(keys)).toThrow(expect.objectContaining({ code: 'keys_elsewhere' }));
    expect(() => people.fields.name.bind(keys)).toThrow(expect.objectContaining({ code: 'keys_elsewhere' }));
    expect(() => people.bind(keys, revealAccess)).toThrow(expect.objectContaining({ code: 'warrant_required' }));
    expect((await rejection(people.open(keys, {}, revealAccess))).code).toBe('warrant_required');
    expect(JSON.stringify(keys)).not.toMatch(/PRIVATE|http/);
    await log.close();
  });

  it('gives fpe and broken values as the keys here do', async () => {
    const { there, log, errors } = await setting();
    const table = coded.bind(keysHere).protectMany(
      Array.from({ length: 2500 }, (_, i) => ({
        id: String(i),
        name: i % 7 === 0 ? '' : `Person ${i}`,
        code: String(100_000_000 + i),
      })),
    );
    const broken = [...table];
    broken[3] = {
      ...table[3]!,
      name: `${table[3]!.name.slice(0, -1)}${table[3]!.name.endsWith('0') ? '1' : '0'}`,
    } as never;
    const opened = await coded.open(await there(), {}, await access(BULK));
    const issues: unknown[] = [];
    const back = await opened.revealMany(broken, { onReject: (issue) => issues.push(issue) });
    const here: unknown[] = [];
    const wanted = coded.bind(keysHere, revealAccess).revealMany(broken, { onReject: (issue) => here.push(issue) });
    expect(errors).toEqual([]);
    expect(back).toEqual(wanted);
    expect(back).toHaveLength(2499);
    expect(issues).toEqual(here);
    await log.close();
  });

  it('is asked for its dossier again after the gateway has begun anew', async () => {
    const first = await setting();
    let handle = first.handle;
    const fetch: typeof globalThis.fetch = async (input, init) => handle(new Request(input as string, init));
    const keys = await first.there('chris-desk', { fetch });
    const opened = await people.open(keys, {}, await access());
    await opened.reveal(safe[0]!);
    const second = await setting({ options: { sequencer: first.sequencer } });
    handle = second.handle;
    expect((await opened.reveal(safe[1]!)).name).toBe('Person Number 2');
    await first.log.close();
  });

  it('takes no more than the budget when hundred ask at once', async () => {
    const { there, kinds, log } = await setting();
    const opened = await people.open(await there(), {}, await access());
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => opened.reveal(safe[0]!)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    for (const one of results) if (one.status === 'rejected') expect(one.reason.code).toBe('budget_spent');
    expect((await kinds()).filter((kind) => kind === 'use')).toHaveLength(4);
    await log.close();
  });
});

describe('a client', () => {
  it('protects within its rates, with the same outputs', async () => {
    const { there, log, errors, kinds } = await setting();
    const opened = await people.open(await there('etl'), {});
    const many = Array.from({ length: 40 }, (_, i) => rowOf(i));
    expect(await opened.protectMany(many)).toEqual(people.bind(keysHere).protectMany(many));
    expect(errors).toEqual([]);
    expect(await kinds()).toEqual(['charter', 'start', 'forward', 'forward']);
    expect((await rejection(opened.protectMany(many))).code).toBe('rate_spent');
    await log.close();
  });

  it('reveals nothing, and a desk protects nothing', async () => {
    const { there, log } = await setting();
    expect((await rejection(people.open(await there('etl'), {}, await access()))).code).toBe('not_in_charter');
    const desk = await people.open(await there(), {});
    expect((await rejection(desk.protect(rows[0]!))).code).toBe('not_in_charter');
    await log.close();
  });
});
