import { describe, expect, it } from 'vitest';
import { readPolicyText } from '../../src/cli/policy-text.ts';
import { formatIssue } from '../../src/errors.ts';

const problems = (text: string): string[] => readPolicyText(text, 'p.yaml').issues.map(formatIssue);

describe('the text of a policy file', () => {
  it('reads YAML 1.2 core and JSON to the same value', () => {
    const yaml = readPolicyText(
      'trefoil: 1\nfields:\n  a: keep\n  b: { rule: token, prepare: [trim, nfc] }\n',
      'p.yaml',
    );
    const json = readPolicyText(
      '{\n\t"trefoil": 1,\n\t"fields": {\n\t\t"a": "keep",\n\t\t"b": { "rule": "token", "prepare": ["trim", "nfc"] }\n\t}\n}\n',
      'p.json',
    );
    expect(yaml.issues).toEqual([]);
    expect(json.issues).toEqual([]);
    expect(yaml.value).toEqual({ trefoil: 1, fields: { a: 'keep', b: { rule: 'token', prepare: ['trim', 'nfc'] } } });
    expect(json.value).toEqual(yaml.value);
  });

  it('keeps the words of YAML 1.1 as text, and knows numbers, booleans and null', () => {
    const { value } = readPolicyText(
      'a: yes\nb: 12e4\nc: true\nd: ~\ne: 0x1f\nf: "10"\ng: 0.5\nh: 2024-01-01',
      'p.yaml',
    );
    expect(value).toEqual({ a: 'yes', b: 120000, c: true, d: null, e: 31, f: '10', g: 0.5, h: '2024-01-01' });
  });

  it('knows the place of a value, of its name, and of what is not there', () => {
    const read = readPolicyText(
      'trefoil: 1\r\nfields:\r\n  email: { rule: tokn, extra: 1 }\r\n  other:\r\n    - a\r\n    - b\r\n',
      'p.yaml',
    );
    expect(read.locate(['fields', 'email', 'rule'])).toEqual({ file: 'p.yaml', line: 3, column: 18 });
    expect(read.locate(['fields', 'email', 'scope'])).toEqual({ file: 'p.yaml', line: 3, column: 10 });
    expect(read.locate(['fields', 'other', 1])).toEqual({ file: 'p.yaml', line: 6, column: 7 });
    expect(read.locate(['domain'])).toEqual({ file: 'p.yaml', line: 1, column: 1 });
    expect(read.keyOf(read.locate(['fields', 'email', 'extra']))).toEqual({ file: 'p.yaml', line: 3, column: 24 });
    expect(read.locate([])).toEqual({ file: 'p.yaml', line: 1, column: 1 });
  });

  it.each([
    ['a: 1\nb: &x 2\n', 'p.yaml:2:4: anchors are not allowed; write the value out'],
    ['a: 1\nb: *x\n', 'p.yaml:2:4: aliases are not allowed; write the value out'],
    ['a: !!str 1\n', 'p.yaml:1:4: tags are not allowed; quote a value that begins with an exclamation mark'],
    ['a: !Secret x\n', 'p.yaml:1:4: tags are not allowed; quote a value that begins with an exclamation mark'],
    ['a: !\n', 'p.yaml:1:4: tags are not allowed; quote a value that begins with an exclamation mark'],
    ['<<: { a: 1 }\n', 'p.yaml:1:1: merge keys are not allowed; write the members out'],
    ['a: 1\nb: 2\n"a": 3\n', 'p.yaml:3:1: the key is a duplicate; remove one of the two'],
    ['2024: keep\n', 'p.yaml:1:1: a key must be text; quote it'],
    ['~: keep\n', 'p.yaml:1:1: a key must be text; quote it'],
    ['? [a]\n: keep\n', 'p.yaml:1:3: a key must be text; quote it'],
    ['a: 1\n---\nb: 2\n', 'p.yaml:2:1: a policy file has one document; remove everything from this line on'],
    ['%YAML 1.1\n---\na: yes\n', 'p.yaml:1:1: directives are not allowed; remove the line that begins with %'],
    ['a: {b: c\n', 'p.yaml:2:1: the indentation does not fit, or a bracket is not closed'],
    ['a:\n\tb: 1\n', 'p.yaml:2:1: a tab cannot indent; use spaces'],
    ['a: @b\n', 'p.yaml:1:4: a value cannot begin with this character; quote it'],
    ['a: b: c\n', 'p.yaml:1:4: a second key cannot begin here; quote a value that holds a colon'],
    ['a: "b\\qc"\n', 'p.yaml:1:6: unknown escape in double quotes; write the backslash twice, or use single quotes'],
    ['a: "b\n', 'p.yaml:2:1: something is missing here: a colon, a comma, a bracket or a quotation mark'],
    ['a: "\\ud800"\n', 'p.yaml:1:4: an escape stands for half of a surrogate pair'],
    ['a: 12345678901234567890\n', 'p.yaml:1:4: the number is beyond 2^53 and would be rounded; quote it'],
    ['a: .inf\n', 'p.yaml:1:4: expected a finite number; quote it if it is text'],
    ['a: 007\n', 'p.yaml:1:4: the number would lose its leading zero; quote it if it is text'],
    ['a: 1\nb: x\0y\n', 'p.yaml:2:5: the file contains a control character, so it is not text'],
    ['', 'p.yaml:1:1: the file is empty; a policy needs trefoil, domain and fields'],
    ['# nothing\n', 'p.yaml:1:1: the file is empty; a policy needs trefoil, domain and fields'],
    [`${'['.repeat(60)}${']'.repeat(60)}`, 'p.yaml:1:52: the file is nested too deeply'],
  ])('refuses %j', (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it('says all there is to say about the form at once, in the order of the file', () => {
    const read = readPolicyText('a: &x 1\nb: *x\nc: !t 2\nd: 1\nd: 2\n3: 4\n', 'p.yaml');
    expect(read.whole).toBe(true);
    expect(read.issues.map((issue) => issue.line)).toEqual([1, 2, 3, 5, 6]);
  });

  it('never repeats the text', () => {
    const secret = 'ada.lovelace';
    const texts = [
      `a: &${secret} 1`,
      `a: *${secret}`,
      `a: !${secret} 1`,
      `${secret}: 1\n${secret}: 2`,
      `a: "${secret}`,
    ];
    for (const text of [
      ...texts,
      `a: {${secret}`,
      `${secret}: b: ${secret}`,
      `%${secret}\n---\na: 1`,
      `a: \`${secret}`,
    ]) {
      const read = readPolicyText(text, 'p.yaml');
      expect(read.issues.length, text).toBeGreaterThan(0);
      expect(JSON.stringify(read.issues), text).not.toContain(secret);
    }
  });

  it('is not led astray by a member called __proto__', () => {
    const { value } = readPolicyText('__proto__: { a: 1 }\n', 'p.yaml');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('survives hostile sizes', () => {
    const begin = performance.now();
    expect(readPolicyText('['.repeat(100_000), 'p.yaml').whole).toBe(false);
    expect(readPolicyText('- '.repeat(100_000), 'p.yaml').whole).toBe(false);
    const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
    expect(readPolicyText(keys, 'p.yaml').issues).toEqual([]);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
