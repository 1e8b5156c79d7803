/** Entries of log-v1: what is refused when one is written, and when one is read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ENTRY } from '../../../src/log/entry/entry.ts';
import { KINDS, type LogEvent } from '../../../src/log/entry/kinds.ts';
import { entryReader, readEntry, subjectSealer, writeEntry } from '../../../src/log.ts';
import { MARKER } from '../../hostile.ts';

const AT = 1_796_126_400;
const HASH = 'ab'.repeat(32);
const NOTE = 'trefoil charter v1\n\n\u2014 anna.example AAAAAQ==\n';
const sealed = () => subjectSealer(new Uint8Array(32).fill(7)).seal('0123456789abcdef');

/** One event of every kind. */
const EVENTS: readonly LogEvent[] = [
  { kind: 'start', host: 'gateway-1', boot: '0'.repeat(32) },
  { kind: 'charter', note: NOTE },
  { kind: 'warrant', note: NOTE },
  { kind: 'refusal', note: NOTE },
  ...(['use', 'glass'] as const).map(
    (kind): LogEvent => ({
      kind,
      warrant: HASH,
      n: 1,
      scopes: { 'vault:people/person.phone': 2, 'seal:person.name': 1 },
      subjects: [sealed(), sealed()],
      bound: false,
      request: HASH,
      commit: HASH,
    }),
  ),
  { kind: 'done', entry: 4, opened: 3, failed: 0, refused: 0 },
  { kind: 'forward', client: 'etl-1', scope: 'token:person', verb: 'protect', count: 10_000, from: AT, to: AT },
  { kind: 'deny', code: 'budget_spent', count: 2, warrant: HASH },
  { kind: 'ratified', note: NOTE },
  { kind: 'key', event: 'exported', key: 'epoch-2', hash: HASH },
  { kind: 'erase', commit: HASH },
  { kind: 'beat' },
  { kind: 'clock', note: NOTE },
  { kind: 'carry', of: 'rate', name: 'etl-1', verb: 'exists', scope: 'vault:person', count: 1, from: AT, to: AT },
  { kind: 'end', verifierKey: 'log.example/2028+530d903a+AekyeRrm56hApGFkyQR4ZA==', checkpoint: NOTE },
];

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (entry: string): Uint8Array => new TextEncoder().encode(entry);
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code} ${message}`;
  }
  return 'accepted';
};

describe('writing', () => {
  test('every kind is written and read again', () => {
    expect(new Set(EVENTS.map(({ kind }) => kind))).toEqual(new Set(Object.keys(KINDS)));
    for (const event of EVENTS) {
      const entry = readEntry(writeEntry(event, AT));
      expect(entry).toMatchObject({ known: true, kind: event.kind, at: AT });
      expect(entry.event).toEqual(event);
    }
  });

  test('the order of the fields is that of the page, whatever the order in the object', () => {
    expect(text(writeEntry({ refused: 1, failed: 2, opened: 3, entry: 4, kind: 'done' }, AT))).toBe(
      `{"trefoil":"log-v1","kind":"done","at":${AT},"entry":4,"opened":3,"failed":2,"refused":1}`,
    );
  });

  test('a field of every kind that is missing, of a wrong type or unknown is refused, without its value', () => {
    for (const event of EVENTS) {
      for (const { name, isOptional } of KINDS[event.kind]) {
        const { [name as 'kind']: _, ...without } = event;
        if (!isOptional) expect(refusal(() => writeEntry(without as LogEvent, AT))).toMatch(/^entry_invalid .*missing/);
        for (const wrong of [MARKER, null, -1, 1.5, Number.NaN, {}, [MARKER], [[]], '', { [MARKER]: 1 }, -0]) {
          const message = refusal(() => writeEntry({ ...event, [name]: wrong } as LogEvent, AT));
          if (name === 'subjects' && Array.isArray(wrong) && wrong.length === 0) continue;
          expect(message, `${event.kind} ${name}`).toMatch(/^entry_invalid /);
          expect(message).toContain(`field ${name}`);
          expect(message).not.toContain(MARKER);
        }
      }
      const message = refusal(() => writeEntry({ ...event, [MARKER]: MARKER } as unknown as LogEvent, AT));
      expect(message).toMatch(/^entry_invalid .*does not have/);
      expect(message).not.toContain(MARKER);
    }
  });

  test('an inherited field does not count', () => {
    const inherited = Object.assign(Object.create({ commit: HASH }), { kind: 'erase' });
    expect(refusal(() => writeEntry(inherited, AT))).toMatch(/^entry_invalid .*missing/);
  });

  test('nothing that somebody writes to Object.prototype counts', () => {
    const later = { to: AT - 1, from: AT, kind: 'beat', commit: HASH, warrant: MARKER };
    const deny: LogEvent = { kind: 'deny', code: 'budget_spent', count: 2 };
    const expected = text(writeEntry(deny, AT));
    let found: string[] = [];
    for (const [name, value] of Object.entries(later)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true });
    }
    try {
      found = [
        text(writeEntry(deny, AT)),
        refusal(() => writeEntry({ kind: 'erase' } as LogEvent, AT)),
        refusal(() => writeEntry({} as LogEvent, AT)),
      ];
    } finally {
      for (const name of Object.keys(later)) Reflect.deleteProperty(Object.prototype, name);
    }
    expect(found).toEqual([
      expected,
      expect.stringMatching(/^entry_invalid .*missing/),
      expect.stringMatching(/^entry_invalid .*kind/),
    ]);
  });

  test('a getter is called once, a hidden property and a symbol never', () => {
    let calls = 0;
    const event = {
      kind: 'erase',
      get commit() {
        calls++;
        return calls === 1 ? HASH : MARKER;
      },
      [Symbol('more')]: MARKER,
    } as const;
    Object.defineProperty(event, 'more', { value: MARKER });
    expect(text(writeEntry(event, AT))).toContain(`"commit":"${HASH}"}`);
    expect(calls).toBe(1);
  });

  test('a field that the kind does not have may be undefined', () => {
    const event = { kind: 'beat', commit: undefined, to: undefined } as LogEvent;
    expect(text(writeEntry(event, AT))).toBe(text(writeEntry({ kind: 'beat' }, AT)));
    const own = JSON.parse('{"kind":"beat","__proto__":1}') as LogEvent;
    expect(refusal(() => writeEntry(own, AT))).toMatch(/^entry_invalid .*does not have/);
  });

  test('names of Object.prototype are no kinds', () => {
    for (const kind of ['toString', '__proto__', 'constructor', 'segment', '']) {
      expect(refusal(() => writeEntry({ kind } as unknown as LogEvent, AT))).toMatch(/^entry_invalid .*kind/);
    }
  });

  test('a time outside the range, or a window that ends before it begins', () => {
    for (const at of [-1, 0.5, 253_402_300_800, Number.NaN]) {
      expect(refusal(() => writeEntry({ kind: 'beat' }, at))).toMatch(/^entry_invalid .*field at/);
    }
    const window: LogEvent = { kind: 'carry', of: 'glass', name: 'chris', count: 1, from: AT, to: AT - 1 };
    expect(refusal(() => writeEntry(window, AT))).toMatch(/^entry_invalid .*field to/);
  });

  test('1,000 people fit into an entry, 1,001 and an entry of 65,536 bytes do not', () => {
    const use = EVENTS.find(({ kind }) => kind === 'use')! as Extract<LogEvent, { kind: 'use' | 'glass' }>;
    const people = (length: number) => ({ ...use, subjects: Array.from({ length }, sealed) });
    expect(writeEntry(people(1000), AT).length).toBeLessThan(MAX_ENTRY);
    expect(refusal(() => writeEntry(people(1001), AT))).toMatch(/^entry_invalid .*at most 1000/);
    // 32,768 bytes of which each is escaped.
    const long = `${'"'.repeat(32_768 - NOTE.length - 4)}${NOTE}`;
    expect(refusal(() => writeEntry({ kind: 'charter', note: long }, AT))).toMatch(/^entry_invalid .*too long/);
  });

  test('notes: no end, no signature, control characters, halves of a pair, 32,769 bytes', () => {
    const notes = [
      'trefoil charter v1\n',
      'trefoil charter v1\n\n',
      NOTE.slice(0, -1),
      `${NOTE}\n`,
      `${NOTE}\ntext without a signature\n`,
      NOTE.replace('v1', 'v1\r'),
      NOTE.replace('v1', 'v1\0'),
      NOTE.replace('v1', 'v1\u009b2K'),
      NOTE.replace('v1', '\ud800'),
      NOTE.replace('AAAAAQ==', 'AAAA AQ=='),
      'a'.repeat(32_769 - NOTE.length) + NOTE,
    ];
    for (const note of notes)
      expect(refusal(() => writeEntry({ kind: 'charter', note }, AT))).toMatch(/^entry_invalid/);
    const most = 'a'.repeat(32_768 - bytes(NOTE).length) + NOTE;
    expect(readEntry(writeEntry({ kind: 'charter', note: most }, AT)).kind).toBe('charter');
  });
});

describe('reading', () => {
  const beat = `{"trefoil":"log-v1","kind":"beat","at":${AT}}`;
  const done = text(writeEntry({ kind: 'done', entry: 4, opened: 3, failed: 2, refused: 1 }, AT));

  test.each([
    ['a byte order mark', `\ufeff${beat}`],
    ['a line feed after it', `${beat}\n`],
    ['spaces', beat.replace(',', ', ')],
    ['another order', `{"kind":"beat","trefoil":"log-v1","at":${AT}}`],
    ['another order of fields', done.replace('"opened":3,"failed":2', '"failed":2,"opened":3')],
    ['a name twice', beat.replace('"kind"', '"kind":"use","kind"')],
    ['a name twice with one value', beat.replace('"kind"', '"kind":"beat","kind"')],
    ['a name twice, one of them escaped', done.replace('"failed":2', '"failed":2,"f\\u0061iled":2')],
    ['an unknown field', beat.replace('}', ',"more":1}')],
    ['__proto__ as a field', beat.replace('}', ',"__proto__":1}')],
    ['a missing field', done.replace(',"failed":2', '')],
    ['null for a field', done.replace(':2', ':null')],
    ['a number in another form', done.replace('"opened":3', '"opened":3.0')],
    ['a number with an exponent', done.replace('"opened":3', '"opened":3e0')],
    ['minus zero', done.replace('"opened":3', '"opened":-0')],
    ['an integer beyond 2^53 - 1', done.replace('"opened":3', '"opened":9007199254740993')],
    ['an escape that is not needed', beat.replace('beat', 'b\\u0065at')],
    ['no version', `{"kind":"beat","at":${AT}}`],
    ['version 0', beat.replace('log-v1', 'log-v0')],
    ['another format', beat.replace('log-v1', 'vault-v1')],
    ['no object', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['two entries', beat + beat],
    ['an unknown kind with spaces', `{"trefoil":"log-v1","kind":"later", "at":${AT}}`],
    ['an unknown kind in another order', `{"trefoil":"log-v1","at":${AT},"kind":"later"}`],
    ['an unknown kind with a name twice', `{"trefoil":"log-v1","kind":"later","at":${AT},"a":1,"a":1}`],
    [
      'an unknown kind, nested 101 deep',
      `{"trefoil":"log-v1","kind":"later","at":${AT},"a":${'['.repeat(101)}${']'.repeat(101)}}`,
    ],
    [
      'an unknown kind, nested 30,000 deep',
      `{"trefoil":"log-v1","kind":"later","at":${AT},"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ],
    ['an unknown kind without a time', '{"trefoil":"log-v1","kind":"later"}'],
    ['a kind that is not a name', beat.replace('beat', 'Beat!')],
  ])('refuses %s', (_, entry) => {
    expect(refusal(() => readEntry(bytes(entry)))).toMatch(/^entry_invalid /);
  });

  test('bytes that are not UTF-8, and an entry of 65,536 bytes', () => {
    expect(refusal(() => readEntry(Uint8Array.of(0x7b, 0xff, 0x7d)))).toMatch(/^entry_invalid .*UTF-8/);
    expect(refusal(() => readEntry(new Uint8Array(65_536).fill(32)))).toMatch(/^entry_invalid .*too long/);
    expect(refusal(() => readEntry(beat as unknown as Uint8Array))).toMatch(/^entry_invalid .*not bytes/);
  });

  test('an unknown kind and a newer version are reported as unknown', () => {
    for (const entry of [
      `{"trefoil":"log-v1","kind":"later","at":${AT},"more":[{"a":"b"}]}`,
      `{"trefoil":"log-v2","kind":"beat","at":${AT},"more":1}`,
    ]) {
      const { kind } = JSON.parse(entry) as { kind: string };
      expect(readEntry(bytes(entry))).toEqual({ known: false, kind, at: AT, event: null });
    }
  });

  test('the time never falls, and the message has the index', () => {
    const read = entryReader();
    read(0, writeEntry({ kind: 'beat' }, AT));
    read(1, writeEntry({ kind: 'beat' }, AT));
    expect(refusal(() => read(2, writeEntry({ kind: 'beat' }, AT - 1)))).toMatch(/^entry_invalid .*entry 2: /);
    expect(refusal(() => read(3, bytes('{}')))).toMatch(/^entry_invalid .*entry 3: /);
  });

  test('every entry with one byte flipped, left out or doubled is refused, or is another entry of the same form', () => {
    for (const event of EVENTS) {
      const whole = writeEntry(event, AT);
      for (let i = 0; i < whole.length; i++) {
        const flipped = Uint8Array.from(whole);
        flipped[i]! ^= 1;
        const parts = [whole.subarray(0, i), whole.subarray(i, i + 1), whole.subarray(i)];
        const changed = [flipped, Buffer.concat([parts[0]!, whole.subarray(i + 1)]), Buffer.concat(parts)];
        for (const bytes of changed) {
          if (refusal(() => readEntry(bytes)) !== 'accepted') continue;
          const { known, event: read, at } = readEntry(bytes);
          if (known) expect(text(writeEntry(read!, at))).toBe(text(bytes));
        }
      }
    }
  });

  test('no text is read in two ways', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const entry = bytes(json);
        if (refusal(() => readEntry(entry)) === 'accepted') expect(JSON.stringify(JSON.parse(json))).toBe(json);
      }),
    );
  });
});
