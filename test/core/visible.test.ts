import { describe, expect, it } from 'vitest';
import { escapeOf, visible } from '../../src/core/visible.ts';

describe('visible', () => {
  it.each([
    ['a\tb\nc\rd', 'a\\tb\\nc\\rd'],
    ['\u001b[2J\u0000\u007f\u0085', '\\u001b[2J\\u0000\\u007f\\u0085'],
    ['a\u202eb\u2066c\u200fd\u061ce', 'a\\u202eb\\u2066c\\u200fd\\u061ce'],
    ['\ufeff\u200b\u00ad\u2060\u2028\u2029', '\\ufeff\\u200b\\u00ad\\u2060\\u2028\\u2029'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud800x', '\\ud800x'],
  ])('%j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves what people write: letters of every script, marks, joiners, emoji, spaces', () => {
    for (const text of ['Zoë Müller', 'می\u200cخواهم', '\u{1f469}\u200d\u{1f4bb}', 'a\u00a0b', '田中', 'e\u0301']) {
      expect(visible(text)).toBe(text);
    }
  });

  it('escapes a character as JavaScript writes it', () => {
    expect(['`', '|', '\n', '\u{1f600}'].map(escapeOf)).toEqual(['\\u0060', '\\u007c', '\\n', '\\u{1f600}']);
  });
});
