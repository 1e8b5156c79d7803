/** Counting tokens, sealed values and rejected records in texts, and the report of a scan. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { inspect, keyset, seal, token } from '../../src/index.ts';
import { type Found, makeScan } from '../../src/io/scan.ts';
import { readScanReport, type ScanReport, writeScanReport } from '../../src/io/scan-report.ts';

const keys = keyset.generate().domain('eu');
const others = keyset.generate().domain('eu');
const cust = token({ scope: 'person', label: 'cust' }).bind(keys);
const bare = token({ scope: 'person' }).bind(others);
const short = token({ scope: 'person', label: 'c', length: 6, population: 2 }).bind(keys);
const name = seal({ scope: 'person.name' }).bind(keys);

const encode = (text: string) => new TextEncoder().encode(text);

/** Counts in a text that is passed in pieces. */
function found(text: string | Uint8Array, ...cuts: readonly number[]): Found {
  const bytes = typeof text === 'string' ? encode(text) : text;
  const { push, end } = makeScan();
  let from = 0;
  for (const cut of [...cuts.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    push(bytes.subarray(from, cut));
    from = cut;
  }
  return end();
}

function problem(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.issues[0]!;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const plain = ({ keys: all, damaged }: Found) => JSON.parse(JSON.stringify({ keys: all, damaged }));

/** The tokens of a run, as the page says it: whole, in capitals, or around an underscore. Slow, with expressions. */
function tokensOf(run: string): string[] {
  const read = (text: string): string | null => {
    const token = inspect(text);
    return token?.intact === true ? `${token.keyId} ${token.label ?? ''}` : null;
  };
  const whole = read(run) ?? (run === run.toUpperCase() ? read(run.toLowerCase()) : null);
  if (whole !== null) return [whole];
  // The other case becomes something that no token has.
  const cases = [run.replace(/[A-Z]/g, '!'), run.replace(/[a-z]/g, '!').toLowerCase()];
  return [...run.matchAll(/_/g)].flatMap(({ index }) => {
    for (const text of cases) {
      const symbols = /^[0-9a-hjkmnp-tv-z]*/.exec(text.slice(index + 1))![0];
      const before = /[a-z0-9]*$/.exec(text.slice(0, index))![0].replace(/^[0-9]+/, '');
      const labels = Array.from({ length: Math.min(16, before.length) }, (_, i) => before.slice(before.length - i - 1));
      const tried = labels.toReversed().filter((label) => /^[a-z]/.test(label) && symbols.length >= 15);
      const allowed = symbols.length === 35 ? tried : tried.filter((label) => label === before);
      const found = allowed.map((label) => read(`${label}_${symbols.slice(0, 35)}`)).find((one) => one !== null);
      if (found !== undefined) return [found];
    }
    return [];
  });
}

describe('a text', () => {
  it('is counted by key and label, with the line of the first value', () => {
    const text = `a\n${cust.protect(1)},${name.protect('x')}\n"${bare.protect(1)}" ${short.protect(2)}\n${cust.protect(2)}`;
    expect(plain(found(text))).toEqual({
      keys: {
        [keys.keyId]: { tokens: { cust: 2, c: 1 }, sealed: 1, rejects: 0, first: 2 },
        [others.keyId]: { tokens: { '': 1 }, sealed: 0, rejects: 0, first: 3 },
      },
      damaged: 0,
    });
    expect(found(text).bytes).toBe(text.length);
  });

  it('without values has no keys', () => {
    for (const text of [
      '',
      '\n',
      'id,name\n7,Zoë\n',
      'a'.repeat(3_000_000),
      `x${bare.protect(1)}`,
      `${bare.protect(1)}x`,
    ]) {
      expect(plain(found(text)).keys).toEqual({});
    }
  });

  it('property: finds what the page says, wherever the text is cut', () => {
    const piece = fc.oneof(
      fc.integer({ min: 0, max: 99 }).map((n) => cust.protect(n) as string),
      fc.integer({ min: 0, max: 99 }).map((n) => bare.protect(n) as string),
      fc.integer({ min: 0, max: 99 }).map((n) => short.protect(n) as string),
      fc.integer({ min: 0, max: 99 }).map((n) => (cust.protect(n) as string).toUpperCase()),
      fc.integer({ min: 0, max: 99 }).map((n) => (bare.protect(n) as string).toUpperCase()),
      fc.constantFrom(' ', ',', '\n', 'é', '_', 'x', '9', '-', '"', '\r\n', '日本', '\u2028', 'X', 'i', 'Zq', 'u_'),
      fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replace(/[\0\\%]/g, '/')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 8 }), (pieces, cuts) => {
        const text = pieces.join('');
        const expected: Record<string, number> = {};
        let damaged = 0;
        for (const [run] of text.matchAll(/[A-Za-z0-9_]+/g)) {
          const shown = tokensOf(run);
          if (shown.length === 0 && inspect(run) !== null) damaged++;
          for (const one of shown) expected[one] = (expected[one] ?? 0) + 1;
        }
        const { keys: all, damaged: bad } = found(text, ...cuts);
        const seen = Object.fromEntries(
          Object.entries(all).flatMap(([id, { tokens }]) =>
            Object.entries(tokens).map(([label, number]) => [`${id} ${label}`, number]),
          ),
        );
        expect(seen).toEqual(expected);
        expect(bad).toBe(damaged);
      }),
      { numRuns: 500 },
    );
  });

  it('property: escapes of JSON before a value do not hide it', () => {
    const space = fc.constantFrom('\n', '\t', '\b', '"', '\\', '\u2028', 'é', '日', '/', '\r', '{', ' ');
    const value = fc.constantFrom(cust.protect(1) as string, bare.protect(2) as string, name.protect('Zoë') as string);
    fc.assert(
      fc.property(fc.array(fc.tuple(space, value), { minLength: 1, maxLength: 5 }), (pairs) => {
        const text = `${pairs.map(([before, one]) => before + one).join('. ')}.`;
        const counted = plain(found(text)).keys;
        // As a string of JSON, with escapes for everything beyond ASCII, and as JSON inside JSON.
        const ascii = JSON.stringify({ text }).replace(
          /[^\x20-\x7e]/g,
          (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
        );
        for (const written of [JSON.stringify({ text }), ascii, JSON.stringify({ cell: JSON.stringify({ text }) })]) {
          expect(sums(plain(found(written)).keys)).toEqual(sums(counted));
        }
      }),
    );
  });

  it('property: percent-encoding does not hide a value', () => {
    const mark = fc.constantFrom('=', '"', ' ', '/', 'é', '日', '{', ',');
    const value = fc.constantFrom(
      cust.protect(1) as string,
      bare.protect(2) as string,
      short.protect(3) as string,
      name.protect('Zoë') as string,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(mark, value), { minLength: 1, maxLength: 5 }), (pairs) => {
        const text = `${pairs.map(([before, one]) => before + one).join('. ')}.`;
        const once = encodeURIComponent(text);
        const small = once.replace(/%../g, (one) => one.toLowerCase());
        for (const written of [once, small, encodeURIComponent(once)]) {
          expect(sums(plain(found(written)).keys)).toEqual(sums(plain(found(text)).keys));
        }
      }),
    );
    // In pieces, too.
    const text = `?q=%3D${bare.protect(2)}%26`;
    for (let cut = 0; cut <= text.length; cut++)
      expect(sums(plain(found(text, cut)).keys)).toEqual({ [others.keyId]: 1 });
  });

  it('property: an escape does not hide a value in capitals, whatever its length and its label', () => {
    const written = fc.oneof(
      fc.integer({ min: 1, max: 255 }).chain((code) => {
        const hex = code.toString(16).padStart(2, '0');
        return fc.constantFrom(...[hex, hex.toUpperCase()].flatMap((two) => [`%${two}`, `%25${two}`, `\\x${two}`]));
      }),
      fc.integer({ min: 0x80, max: 0xffff }).chain((code) => {
        const hex = code.toString(16).padStart(4, '0');
        return fc.constantFrom(`\\u${hex}`, `\\u${hex.toUpperCase()}`);
      }),
      fc.integer({ min: 1, max: 255 }).map((code) => `\\${code.toString(8).padStart(3, '0')}`),
      fc.constantFrom('\\n', '\\t', '\\0', ''),
    );
    const value = fc.oneof(
      fc
        .tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/), fc.integer({ min: 6, max: 26 }), fc.nat(99))
        .map(([label, length, n]) => {
          const plan = length < 26 ? { length, population: 2, maxCollisionProbability: 0.5 } : {};
          const { protect } = token({ scope: 'person', label, ...plan }).bind(keys);
          return protect(n) as string;
        }),
      fc.constantFrom(token({ scope: 'person' }).bind(keys).protect(3) as string, name.protect('Zoë') as string),
    );
    fc.assert(
      fc.property(written, value, fc.constantFrom('', ' ', ',', '"', '%0A'), (before, one, after) => {
        const text = `GET /x?ids=1${before === '' ? ',' : before}${one.toUpperCase()}${after}`;
        expect(sums(plain(found(text)).keys), text).toEqual({ [keys.keyId]: 1 });
      }),
      { numRuns: 1000 },
    );
  });

  it('capitals, and characters that are glued to a token, do not hide it', () => {
    const one = cust.protect(1) as string;
    const two = cust.protect(2) as string;
    for (const text of [
      `?next=%3D${one}`,
      one.toUpperCase(),
      `x${one}`,
      `${one}x`,
      `id${one}`,
      `${one}and more`,
      `7${one}_7`,
      `averylongnamebefore${one}`,
      `00000000000000000${one}x`,
      `3D${one.toUpperCase()}x`,
    ]) {
      expect(plain(found(text)), text).toMatchObject({ keys: { [keys.keyId]: { tokens: { cust: 1 } } }, damaged: 0 });
    }
    expect(plain(found(`${one}${two}_${one.toUpperCase()}`)).keys[keys.keyId].tokens).toEqual({ cust: 3 });
    expect(sums(plain(found(`${bare.protect(1)}`.toUpperCase())).keys)).toEqual({ [others.keyId]: 1 });
    expect(plain(found(`${name.protect('x')}`.toUpperCase())).keys[keys.keyId].sealed).toBe(1);
    const six = short.protect(2) as string;
    for (const text of [six.toUpperCase(), `${six}_`, `7${six}`, `X${six}u`]) {
      expect(plain(found(text)).keys, text).toMatchObject({ [keys.keyId]: { tokens: { c: 1 } } });
    }
  });

  it('what the page says is not found is not found', () => {
    const six = short.protect(2) as string;
    for (const text of [
      `x${bare.protect(1)}`,
      `x${six}`,
      `${six}x`,
      `x${cust.protect(1)}x`,
      `Cust${(cust.protect(1) as string).slice(4)}`,
    ]) {
      expect(plain(found(text)).keys, text).toEqual({});
    }
  });

  it('texts that only look like tokens are counted as rarely as the page says', () => {
    // 35 symbols after an underscore and 16 letters before it: 16 texts, of which each passes with 2^-23.
    let state = 7;
    const symbol = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return '0123456789abcdefghjkmnpqrstvwxyz'[(state >>> 16) & 31]!;
    };
    let hits = 0;
    const line = () => `abcdefghijklmnop_${Array.from({ length: 35 }, symbol).join('')}`;
    for (let i = 0; i < 40; i++) {
      const all = found(Array.from({ length: 1000 }, line).join('\n')).keys;
      hits += Object.values(sums(all)).reduce((sum, number) => sum + number, 0);
    }
    // 40,000 lines: 0.08 on average; more than 4 in one of 10^8 runs of other seeds.
    expect(hits).toBeLessThanOrEqual(4);
  });

  it('a backslash that is no escape does not hide a value either', () => {
    const one = cust.protect(1);
    for (const text of [`C:\\${one}`, `\\${one}`, `\\\\${one}`, `\\n${one}`, `\\x0a${one}`, `\\012${one}`]) {
      expect(sums(plain(found(text)).keys), text).toEqual({ [keys.keyId]: 1 });
    }
  });

  it('damaged tokens are counted, and no key is', () => {
    const one = cust.protect(1) as string;
    const other = one.at(-1) === '0' ? '1' : '0';
    expect(plain(found(`${one.slice(0, -1)}${other}`))).toEqual({ keys: {}, damaged: 1 });
    expect(plain(found(`\\n${one.slice(0, -1)}${other}`))).toEqual({ keys: {}, damaged: 1 });
  });

  it('long sealed values are found across pieces, and longer runs are passed over', () => {
    const long = name.protect('x'.repeat(200_000)) as string;
    const text = `${'a'.repeat(2_500_000)} ${long} ${'b'.repeat(4_000_000)}\n${cust.protect(1)}`;
    const cuts = Array.from({ length: 60 }, (_, i) => i * 131_072);
    for (const one of [found(text), found(text, ...cuts)]) {
      expect(plain(one).keys).toEqual({ [keys.keyId]: { tokens: { cust: 1 }, sealed: 1, rejects: 0, first: 1 } });
    }
  });

  it('that is not UTF-8, or has a NUL byte, is refused with its line', () => {
    const bytes = Buffer.concat([encode('é\nb\n'), Buffer.from([0xe9, 0x20]), encode('\nc')]);
    expect(problem(() => found(bytes))).toMatchObject({ code: 'not_utf8', line: 3 });
    expect(problem(() => found(bytes, 1, 2))).toMatchObject({ code: 'not_utf8', line: 3 });
    expect(problem(() => found(Buffer.from([0x61, 0xc3])))).toMatchObject({ code: 'not_utf8', line: 1 });
    expect(problem(() => found('a\nb\n\0'))).toMatchObject({ code: 'nul_byte', line: 3 });
  });

  it('the memory does not grow with the text', () => {
    const line = encode(`${cust.protect(1)},${name.protect('x')}\n`);
    const chunk = new Uint8Array(Buffer.concat(Array.from({ length: 2000 }, () => line)));
    const { push, end } = makeScan();
    let most = 0;
    for (let i = 0; i < 200; i++) {
      push(chunk);
      if (i === 20) most = process.memoryUsage().heapUsed;
    }
    expect(end().keys[keys.keyId]).toMatchObject({ tokens: { cust: 400_000 }, sealed: 400_000 });
    expect(process.memoryUsage().heapUsed - most).toBeLessThan(60 * 2 ** 20);
  });
});

/** How many values each key has. */
function sums(all: Found['keys']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(all).map(([id, { tokens, sealed }]) => [
      id,
      Object.values(tokens).reduce((sum, number) => sum + number, sealed),
    ]),
  );
}

describe('a file of rejects', () => {
  const head = `{"trefoil":"rejects-v1","domain":"eu","keyId":"k3m7a","fileId":"AAAAAAAAAAAAAAAAAAAAAA","format":"csv"}`;
  const reject = (sealed: string) => `{"input":0,"row":1,"line":2,"issues":[],"sealed":${sealed}}`;

  it('counts its sealed records, wherever it is cut', () => {
    const text = `${head}\n${reject('"AAAA"')}\n${reject('null')}\n{"file":"a.csv",${reject('"BB_B"').slice(1)}\n`;
    for (let cut = 0; cut <= text.length; cut++) {
      expect(plain(found(text, cut)).keys).toEqual({ k3m7a: { tokens: {}, sealed: 0, rejects: 2, first: 2 } });
    }
  });

  it('two of them in one file are told apart, and what follows is no reject', () => {
    const second = head.replace('k3m7a', '00000');
    const text = [head, reject('"AA"'), second, reject('"AA"'), reject('"AA"'), 'id,name', reject('"AA"')].join('\n');
    expect(plain(found(text)).keys).toEqual({
      k3m7a: { tokens: {}, sealed: 0, rejects: 1, first: 2 },
      '00000': { tokens: {}, sealed: 0, rejects: 2, first: 4 },
    });
  });

  it('without records names no key', () => {
    expect(found(`${head}\n`).keys).toEqual({});
  });
});

describe('a report', () => {
  const report: ScanReport = {
    at: '2026-12-01T08:00:00.000Z',
    files: [
      {
        file: 'a.csv',
        bytes: 7,
        keys: { k3m7a: { tokens: { cust: 2, '': 1 }, sealed: 0, rejects: 0, first: 3 } },
        damaged: 0,
      },
    ],
    silent: [{ policy: 'p.yaml', field: 'plate', rule: 'fpe' }],
  };
  const text = writeScanReport(report);

  it('is read as it was written', () => {
    expect(readScanReport(text)).toEqual(report);
  });

  type Loose = Record<string, unknown> & { files: Record<string, unknown>[] };
  const changed = (change: (value: Loose) => void) => {
    const value = JSON.parse(text) as Loose;
    change(value);
    return JSON.stringify(value);
  };

  it.each([
    ['nothing', ''],
    ['a report that is cut', text.slice(0, -4)],
    ['another version', text.replace('scan-v1', 'scan-v2')],
    ['no files', changed((value) => (value.files = []))],
    ['no list of silent fields', changed((value) => delete value.silent)],
    ['an unknown field', changed((value) => (value.more = 1))],
    ['a name twice', text.replace('"at"', '"trefoil": "scan-v1", "at"')],
    ['a time that is none', changed((value) => (value.at = 'today'))],
    ['a file without keys', changed((value) => delete value.files[0]!.keys)],
    ['keys as a list', changed((value) => (value.files[0]!.keys = []))],
    ['another id', changed((value) => (value.files[0]!.keys = { k3: report.files[0]!.keys.k3m7a }))],
    ['a count below zero', changed((value) => (value.files[0]!.damaged = -1))],
    ['a count that is text', changed((value) => (value.files[0]!.bytes = '7'))],
    [
      'a key without values',
      changed((value) => (value.files[0]!.keys = { k3m7a: { tokens: {}, sealed: 0, rejects: 0, first: 1 } })),
    ],
    [
      'a label that is none',
      changed((value) => (value.files[0]!.keys = { k3m7a: { tokens: { 'A b': 1 }, sealed: 0, rejects: 0, first: 1 } })),
    ],
    ['a list', '[]'],
    ['null', 'null'],
  ])('refuses %s', (_, bad) => {
    expect(problem(() => readScanReport(bad))).toMatchObject({ code: 'invalid_report' });
  });

  it('property: any text is refused, and none of it is quoted', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (any) => {
        const { code, message } = problem(() => readScanReport(any));
        expect(code).toBe('invalid_report');
        if (any.length > 12) expect(message).not.toContain(any);
      }),
    );
  });
});
