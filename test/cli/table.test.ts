import { describe, expect, it } from 'vitest';
import { drawProgress } from '../../src/cli/run/progress.ts';
import { cutToFit, displayWidth, renderTable } from '../../src/cli/table.ts';

describe('tables', () => {
  it('counts terminal columns, not characters', () => {
    expect(displayWidth('Zoë')).toBe(3);
    expect(displayWidth('Zoe\u0308')).toBe(3);
    expect(displayWidth('山田')).toBe(4);
    expect(displayWidth('😀')).toBe(2);
  });

  it('cuts long cells and shows control characters', () => {
    expect(cutToFit('x'.repeat(40), 10)).toBe('xxxxxxxxx…');
    expect(cutToFit('山田太郎', 5)).toBe('山田…');
    expect(cutToFit('a\u001b[31mb\n')).toBe('a\\u001b[31mb\\n');
  });

  it('lines up columns and leaves no space at the end of a line', () => {
    expect(
      renderTable([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
        ['山', 'b', 'c'],
      ]),
    ).toBe('  a    bb  c\n  aaa  b\n  山   b   c\n');
  });
});

describe('the progress line', () => {
  it('is drawn at most five times a second, over itself, and erased', () => {
    let time = 0;
    let out = '';
    const line = drawProgress(
      (text) => {
        out += text;
      },
      () => time,
    );
    for (let rows = 0; rows < 100; rows++) {
      time += 10;
      line.update({ rows, bytesIn: rows * 100_000 });
    }
    line.clear();
    expect(out.split('\r')).toHaveLength(1 + 5 + 1);
    expect(out).toContain('\r19 rows, 95 rows/s, 1.9 MB\u001b[K');
    expect(out.endsWith('\r\u001b[K')).toBe(true);
  });

  it('has nothing to erase when it was never drawn', () => {
    let out = '';
    drawProgress((text) => {
      out += text;
    }, performance.now.bind(performance)).clear();
    expect(out).toBe('');
  });
});
