/** `trefoil apply` as a process: one answer per line, in order, at once. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keep, policy, seal, token } from '../../src/index.ts';
import { makeApply } from '../../src/io/apply.ts';
import { openBound } from '../../src/policy/bound.ts';
import { revealAccess } from '../../src/reveal.ts';
import { keys } from '../io/helpers.ts';
import { expectVoice, makePlace, type Place } from './harness.ts';

let place: Place;
const N = ['apply', '--ndjson', '--policy', 'p.yaml', '--keys', 'k.json'];
const T = ['apply', '--tsv', '--policy', 'p.yaml', '--keys', 'k.json'];

beforeAll(async () => {
  place = makePlace();
  place.write(
    'p.yaml',
    'trefoil: 1\ndomain: lines\nfields:\n  id: { rule: token, scope: p }\n  name: { rule: seal, scope: n }\n' +
      '  born: { rule: coarsen, date: year }\n  gone: { rule: drop, optional: true }\n  note: keep\n',
  );
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

const line = (i: number, born = '1999-01-31'): string =>
  `${JSON.stringify({ id: `${i}`, name: `Zoë ${i}`, born, note: i % 2 === 0 ? null : i })}\n`;
const many = (count: number): string => Array.from({ length: count }, (_, i) => line(i)).join('');

describe('NDJSON', () => {
  test('gives what protect gives for a file, line for line, and back', async () => {
    const text = many(5000);
    place.write('in.ndjson', text);
    const applied = await place.run(N, text);
    expect(applied).toMatchObject({ code: 0, err: '' });
    const file = await place.run(['protect', 'in.ndjson', '--policy', 'p.yaml', '--keys', 'k.json', '--quiet']);
    expect(applied.out).toBe(file.out);
    const back = await place.run([...N, '--reveal'], applied.out);
    expect(back.out.split('\n')[7]).toContain('"name":"Zoë 7"');
  });

  test('answers a line before the next one is sent', async () => {
    const { child, ended } = place.start(N);
    const answers = createInterface({ input: child.stdout! });
    for (let i = 0; i < 3; i++) {
      child.stdin!.write(line(i));
      const [answer] = (await once(answers, 'line')) as [string];
      expect(JSON.parse(answer)).toMatchObject({ born: '1999' });
    }
    child.stdin!.end();
    expect((await ended).code).toBe(0);
  });

  test('a poisoned line ends the run: what stands before it is answered, nothing behind it', async () => {
    const poisoned = [
      line(2, 'Lovelace'),
      '{"id":\n',
      '\n',
      '[]\n',
      '{"id":"1","id":"2"}\n',
      line(2).replace('note', 'x'),
    ];
    for (const poison of poisoned) {
      const { code, out, err } = await place.run(N, line(0) + line(1) + poison + line(3));
      expect(code, poison).toBe(1);
      expect(out.split('\n'), poison).toHaveLength(3);
      expect(err).toMatch(/^trefoil: error: (2 problems\n {2})?line 3(,|:)/);
      expect(err).not.toContain('Lovelace');
    }
  });

  test('--errors-inline answers it with an error line', async () => {
    const text = `${line(0)}${line(1, 'Lovelace')}\xff\n${line(3)}nonsense`;
    const { code, out, err } = await place.run([...N, '--errors-inline'], Buffer.from(text, 'latin1'));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const answers = out
      .trimEnd()
      .split('\n')
      .map((answer) => JSON.parse(answer));
    expect(answers).toHaveLength(5);
    expect(answers.map(({ trefoil = 'record' }) => trefoil)).toEqual(['error', 'error', 'error', 'error', 'error']);
    expect(answers[1]).toEqual({
      trefoil: 'error',
      line: 2,
      issues: [{ code: 'not_utf8', message: expect.any(String) }],
    });
  });

  test('a reader that has gone ends it', async () => {
    place.write('long.ndjson', many(20_000));
    const { out } = await place.bash(
      'set -o pipefail; $T apply --ndjson --policy p.yaml --keys k.json < long.ndjson | head -1; echo $?',
    );
    expect(out.trim().split('\n')[1]).toBe('5');
  });
});

describe('TSV', () => {
  test('takes columns in the order of the policy or as said, and null apart from the empty text', async () => {
    const plain = await place.run(T, '1\tA\\tB\t1999-01-31\tx\t\\N\n2\t\\N\t\\N\tx\t\n');
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(plain.out).toMatch(/^\S+\t\S+\t1999\t\\N\n\S+\t\\N\t\\N\t\n$/);
    const back = await place.run([...T, '--reveal'], plain.out);
    expect(back.out).toMatch(/^\S+\tA\\tB\t1999\t\\N\n/);
    const [id, name, born, note] = plain.out.split('\n')[0]!.split('\t');
    const said = await place.run([...T, '--columns', 'note,born,id,name'], '\\N\t1999-01-31\t1\tA\\tB\n');
    expect(said.out).toBe(`${note}\t${born}\t${id}\t${name}\n`);
  });

  test('a ragged line, a raw carriage return and an unknown escape are poison', async () => {
    for (const poison of ['1\t2\n', '1\ta\\qb\t1999-01-31\tx\ty\n', '1\ta\t1999-01-31\tx\ty\r\n']) {
      const ended = await place.run(T, poison);
      expect(ended).toMatchObject({ code: 1, out: '' });
      expect(ended.err).toMatch(/^trefoil: error: line 1/);
    }
  });
});

test('usage mistakes', async () => {
  for (const [args, message] of [
    [N.slice(0, 1), '--ndjson or --tsv is required, and not both'],
    [[...N, '--tsv'], '--ndjson or --tsv is required, and not both'],
    [[...N, '--columns', 'a'], '--columns is for --tsv'],
    [['apply', '--tsv'], '--policy FILE is required'],
  ] as const) {
    const ended = await place.run(args, '');
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain(message);
    expectVoice(ended);
  }
});

describe('the work on lines', () => {
  const bound = openBound(
    policy({ a: token({ scope: 'a' }), b: seal({ scope: 'b' }), c: keep }).bind(keys, revealAccess),
  );
  const work = (errorsInline: boolean, maxRecord = 200): ReturnType<typeof makeApply> =>
    makeApply(bound, { direction: 'protect', fileFormat: 'ndjson', columns: null, errorsInline, maxRecord });

  /** All answers for one way to cut the bytes. */
  function run(bytes: Uint8Array, cuts: readonly number[], errorsInline: boolean): { text: string; failure: unknown } {
    const apply = work(errorsInline);
    const places = [0, ...[...cuts].sort((x, y) => x - y), bytes.length];
    let text = '';
    for (let i = 1; i < places.length; i++) {
      const found = apply.push(bytes.subarray(places[i - 1], places[i]));
      text += found.text;
      if (found.failure !== null) return { text, failure: found.failure };
    }
    const last = apply.end();
    return { text: text + last.text, failure: last.failure };
  }

  const someLine = fc.oneof(
    fc.record({ a: fc.string(), b: fc.string(), c: fc.integer() }).map((value) => JSON.stringify(value)),
    fc.constantFrom('', '{', '\xff', '{"a":"x"}', 'null', `{"a":"${'x'.repeat(300)}","b":"","c":1}`),
  );

  test('property: as many lines out as in, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(someLine, { maxLength: 8 }), fc.array(fc.nat(900), { maxLength: 6 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'latin1');
        const within = cuts.filter((cut) => cut <= bytes.length);
        const inline = run(bytes, within, true);
        expect(inline).toEqual(run(bytes, [], true));
        expect(inline.text.split('\n').length - 1).toBe(lines.length);
        const stopping = run(bytes, within, false);
        const firstError = inline.text.split('\n').findIndex((text) => text.startsWith('{"trefoil":"error"'));
        expect(stopping.text.split('\n').length - 1).toBe(firstError === -1 ? lines.length : firstError);
        expect(stopping.failure === null).toBe(firstError === -1);
      }),
      { numRuns: 300 },
    );
  });
});
