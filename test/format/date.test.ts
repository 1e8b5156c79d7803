import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { date, dateTime, readDay, writeDay } from '../../src/format/date.ts';
import { thrown } from '../helpers/errors.ts';
import { random } from '../reference/random.ts';
import { counted, engineOf, enumerated, JUNK, kept, outlined, plainData, refusal } from './values.ts';

const DAY = 86_400_000;
/** Years 0001 to 9999 are written without a sign. */
const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
const FIRST = Date.parse('0001-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T00:00:00Z');

describe('date', () => {
  it('every day of the calendar, against Date', () => {
    const format = date({ from: '0001-01-01', to: '9999-12-31' });
    const { split, assemble, sample } = engineOf(format);
    expect(format.size).toBe(BigInt((LAST - FIRST) / DAY + 1));
    expect(format.size).toBe(3_652_059n);
    // 400 years are a whole cycle of the calendar: here the years 1 to 401 and 1900 to 2300 day by day.
    let wrong = 0;
    const check = (time: number) => {
      const text = iso(time).slice(0, 10);
      const index = (time - FIRST) / DAY;
      if (split(text).index !== index || assemble(sample, index) !== text) wrong++;
    };
    for (let i = 0; i <= 146_097; i++) {
      check(FIRST + i * DAY);
      check(Date.UTC(1900, 0, 1) + i * DAY);
    }
    for (let time = FIRST; time <= LAST; time += 13 * DAY) check(time);
    for (let i = 0; i < 1000; i++) check(LAST - i * DAY);
    expect(wrong).toBe(0);
  });

  it('takes the days that there are, and no other', () => {
    const format = date({ from: '0001-01-01', to: '9999-12-31' });
    let wrong = 0;
    for (const year of [1, 4, 100, 400, 1600, 1700, 1800, 1900, 1999, 2000, 2023, 2024, 2100, 9996, 9999]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const text = [`${year}`.padStart(4, '0'), `${month}`.padStart(2, '0'), `${day}`.padStart(2, '0')].join('-');
          // Date.parse takes February 30; writing the day back shows whether there is one.
          const time = Date.parse(`${text}T00:00:00Z`);
          const real = !Number.isNaN(time) && iso(time).startsWith(text);
          if (format.test(text) !== real) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it('counts from the first day', () => {
    const format = date({ from: '1900-01-01', to: '2029-12-31' });
    const values = enumerated(format);
    expect(values[0]).toBe('1900-01-01');
    expect(values.at(-1)).toBe('2029-12-31');
    expect(values).toEqual([...values].sort());
    outlined(format, values.slice(0, 2000));
    counted(format);
    for (const value of ['1900-02-28', '1999-12-31', '2000-01-01', '2000-02-29', '2024-02-29']) kept(format, value);
    expect(enumerated(date({ from: '2024-02-28', to: '2024-03-01' }))).toEqual([
      '2024-02-28',
      '2024-02-29',
      '2024-03-01',
    ]);
    expect(format.strength()).toMatchObject({
      size: 47_482n,
      engine: 'table',
      codebook: false,
      because: 'the days from 1900-01-01 to 2029-12-31: 47482',
    });
    expect(date({ from: '2000-01-01', to: '2020-12-31' }).strength().codebook).toBe(true);
  });

  it.each([
    ...JUNK,
    '1899-12-31',
    '2030-01-01',
    '0000-01-01',
    '1900-02-29',
    '2023-02-29',
    '2024-02-30',
    '2024-04-31',
    '2024-00-10',
    '2024-13-10',
    '2024-01-00',
    '2024-01-32',
    '2024-1-1',
    '24-01-01',
    '20240101',
    '2024-W01-1',
    '2024-001',
    '2024/01/01',
    '01-01-2024',
    '01.01.2024',
    '+2024-01-01',
    '-2024-01-1',
    ' 2024-01-01',
    '2024-01-01 ',
    '2024-01-01\n',
    '2024-01-0',
    '2024-01-0１',
    '２024-01-01',
    '2024–01–01',
    '2024-01-01T00:00:00',
    '2024-01-01Z',
    'YYYY-MM-DD',
    '/:24-01-01',
    '2024-01-0:',
  ])('%.30j is refused', (value) => {
    refusal(date({ from: '1900-01-01', to: '2029-12-31' }), value);
  });

  it('says what there is not', () => {
    const format = date({ from: '1900-01-01', to: '2029-12-31' });
    expect(refusal(format, '2023-02-29').message).toBe(
      'the date does not exist; expected the form YYYY-MM-DD, from 1900-01-01 to 2029-12-31',
    );
    expect(refusal(format, '1899-12-31').message).toBe(
      'the value is not a date of the form YYYY-MM-DD, from 1900-01-01 to 2029-12-31',
    );
  });

  it.each([
    [{ from: '2024-01-01', to: '2024-01-01' }, RangeError],
    [{ from: '2024-01-02', to: '2024-01-01' }, RangeError],
    [{ from: '2023-02-29', to: '2024-01-01' }, RangeError],
    [{ from: '0000-12-31', to: '2024-01-01' }, RangeError],
    [{ from: '2024-01-01', to: '10000-01-01' }, RangeError],
    [{ from: '2024-01-01', to: '2024-12-31T00:00:00' }, RangeError],
    [{ from: '', to: '2024-12-31' }, RangeError],
    [{ from: '2024-01-01' }, TypeError],
    [{ to: '2024-01-01' }, TypeError],
    [{ from: 2023, to: 2024 }, TypeError],
    [{ from: new Date(0), to: new Date(1) }, TypeError],
    [{ from: '2024-01-01', to: '2024-01-02', zone: 'Z' }, TypeError],
    [undefined, TypeError],
  ])('the options %o are refused', (options, error) => {
    expect(() => date(options as never)).toThrow(error as never);
  });

  it('descriptor and data', () => {
    const span = { from: '1900-01-01', to: '2029-12-31' };
    expect(engineOf(date(span)).descriptor).toEqual(['date@1', '1900-01-01', '2029-12-31']);
    plainData(date(span), { type: 'date', ...span });
  });

  it('the day arithmetic has the days of 400 years', () => {
    let wrong = 0;
    const start = readDay('1970-01-01');
    for (let i = -146_097; i <= 146_097; i++) {
      if (writeDay(start + i) !== iso(i * DAY).slice(0, 10) || readDay(iso(i * DAY)) !== start + i) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe('dateTime', () => {
  const decade = { from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' };

  it('every second of two days around a leap day, against Date', () => {
    const format = dateTime({ from: '2024-02-28T12:00:00', to: '2024-03-01T11:59:59' });
    const values = enumerated(format);
    const from = Date.UTC(2024, 1, 28, 12);
    expect(values).toEqual(Array.from({ length: 2 * 86_400 }, (_, i) => iso(from + i * 1000).slice(0, 19)));
    outlined(format, values.slice(0, 4000));
  });

  it('random seconds of all years, against Date', () => {
    const format = dateTime({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' });
    expect(format.size).toBe(3_652_059n * 86_400n);
    const next = random('dateTime');
    const digest = createHash('sha256');
    for (let i = 0; i < 5000; i++) {
      const index = next.below(3_652_059) * 86_400 + next.below(86_400);
      const text = format.unrank(index);
      expect(text).toBe(`${iso(FIRST + index * 1000).slice(0, 19)}Z`);
      expect(kept(format, text).index).toBe(index);
      digest.update(`${index} ${text}\n`);
    }
    expect(digest.digest('hex')).toBe('e997d41ed526189c70e91973fdc9acb80d8d5a9e7046dc1d0a24ab0bbfe7e200');
    outlined(format, counted(format));
  });

  it('a space is layout: it comes back and changes no index', () => {
    const format = dateTime(decade);
    const spaced = kept(format, '2024-02-29 23:59:58Z');
    const plain = kept(format, '2024-02-29T23:59:58Z');
    expect(spaced).toEqual({ ...plain, layout: ' ' });
    expect(format.unrank(0, '2024-02-29 23:59:58Z')).toBe('2020-01-01 00:00:00Z');
    expect(format.unrank(0)).toBe('2020-01-01T00:00:00Z');
  });

  it('an offset or a fraction is refused with what to do', () => {
    const format = dateTime(decade);
    const message = (one: typeof format, value: string) => thrown(() => engineOf(one).split(value)).message;
    const utc = 'the time has an offset from UTC that the format does not have; write it in UTC, with Z at the end';
    for (const tail of ['+00', '+00:00', ' UTC', '-03', '+05:30', '-00:25:21', ' Z'])
      expect(message(format, `2024-02-29 12:00:00${tail}`)).toBe(utc);
    expect(message(format, '2024-02-29 12:00:00.123456+00')).toBe(
      'the time has a fraction of a second, and the format has none',
    );
    const local = dateTime({ from: '2020-01-01T00:00:00', to: '2029-12-31T23:59:59' });
    expect(message(local, '2024-02-29 12:00:00Z')).toContain('write it without an offset');
    expect(message(format, '2024-02-29T12:00:00')).toContain('is not a time of the form');
  });

  it('the limits say whether there is a Z', () => {
    const local = dateTime({ from: '2020-01-01T00:00:00', to: '2029-12-31T23:59:59' });
    expect(local.size).toBe(dateTime(decade).size);
    kept(local, '2024-02-29T12:00:00');
    refusal(local, '2024-02-29T12:00:00Z');
    refusal(dateTime(decade), '2024-02-29T12:00:00');
    expect(engineOf(local).descriptor).not.toEqual(engineOf(dateTime(decade)).descriptor);
    for (const [from, to] of [
      [decade.from, '2029-12-31T23:59:59'],
      ['2020-01-01T00:00:00', decade.to],
    ] as const) {
      expect(() => dateTime({ from, to })).toThrow('"to" expected a "Z" at the end of both limits or of neither');
    }
  });

  it.each([
    ...JUNK,
    '2019-12-31T23:59:59Z',
    '2030-01-01T00:00:00Z',
    '2024-06-30T23:59:60Z',
    '2024-06-30T24:00:00Z',
    '2024-06-30T23:60:00Z',
    '2024-06-31T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-06-30T12:00:00z',
    '2024-06-30t12:00:00Z',
    '2024-06-30_12:00:00Z',
    '2024-06-30  2:00:00Z',
    '2024-06-30\u00a012:00:00Z',
    '2024-06-30T12:00:00+00:00',
    '2024-06-30T12:00:00-01:00',
    '2024-06-30T12:00:00.000Z',
    '2024-06-30T12:00:00,5Z',
    '2024-06-30T12:00Z',
    '2024-06-30T12Z',
    '20240630T120000Z',
    '2024-06-30T12-00-00Z',
    '2024-06-30T1２:00:00Z',
    '2024-06-30T12:00:00Z ',
    ' 2024-06-30T12:00:00Z',
    '2024-06-30T12:00:00Z\n',
    '2024-06-30T12:00:00 ',
    '2024-06-30',
    '12:00:00',
    '1719748800',
  ])('%.30j is refused', (value) => {
    refusal(dateTime(decade), value);
  });

  it.each([
    [{ from: '2024-01-01T00:00:00', to: '2024-01-01T00:00:00' }, RangeError],
    [{ from: '2024-01-01T00:00:01', to: '2024-01-01T00:00:00' }, RangeError],
    [{ from: '2024-01-01 00:00:00', to: '2024-01-02T00:00:00' }, RangeError],
    [{ from: '2024-01-01', to: '2024-01-02' }, RangeError],
    [{ from: '2024-01-01T00:00:00+01:00', to: '2024-01-02T00:00:00+01:00' }, RangeError],
    [{ from: '2024-01-01T00:00:60', to: '2024-01-02T00:00:00' }, RangeError],
    [{ from: '2023-02-29T00:00:00', to: '2024-01-02T00:00:00' }, RangeError],
    [{ from: 0, to: 1 }, TypeError],
    [{}, TypeError],
  ])('the options %o are refused', (options, error) => {
    expect(() => dateTime(options as never)).toThrow(error as never);
  });

  it('descriptor and data', () => {
    expect(engineOf(dateTime(decade)).descriptor).toEqual(['dateTime@1', decade.from, decade.to]);
    plainData(dateTime(decade), { type: 'dateTime', ...decade });
    expect(dateTime(decade).strength()).toMatchObject({ size: 315_619_200n, engine: 'ff1-cycle-walking' });
    expect(refusal(dateTime(decade), '2024-06-30T23:59:60Z').message).toBe(
      `the time does not exist; expected the form YYYY-MM-DDTHH:MM:SSZ, from ${decade.from} to ${decade.to}`,
    );
  });
});
