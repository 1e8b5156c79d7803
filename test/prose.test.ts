/**
 * The rules of plain English that a program can check: the length of lines, phrases that are never right, and a place
 * in the guide for every error code, rule and format. The phrases come from the project's agreement on plain English.
 * The other rules are left to reviewers.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../src/policy/file/formats.ts';
import { RULES } from '../src/policy/file/rules.ts';
import { filesBelow, pages, root } from './doc-blocks.ts';

const LONGEST = 120;

/** Phrases that are never right in a message, in a comment or on a page, each with what to write instead. */
const NEVER: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\b(what|that|which) (is|are) none\b/i, 'is not one'],
  [/\b(has|have) not the\b/i, 'does not have the; is not a …'],
  [/\bwhat (is|stands) there\b/i, 'name the thing'],
  [/\bstands? (there|behind|before|beside)\b/i, 'is; follows; precedes'],
  [/\bbehind (its|the|their) (end|last|first|label|name|text|header|value|token)\b/i, 'after'],
  [/\bsa(ys|y|id) so\b/i, 'states it; if it is set'],
  [/\bwith less ado\b/i, 'faster'],
  [/\bcomes? of it\b/i, 'results from it'],
  [/\b(comes?|came) back\b/i, 'is returned; is revealed'],
  [/\b(goes|go|went) on\b/i, 'continues'],
  [/\bproblem of birthdays\b/i, 'the birthday bound'],
  [/\b(the|their|its|is) judges? (of|in)\b/i, 'the reference for'],
  [/\bdepartures? from the plan\b/i, 'decisions'],
  [/\bthree leaves\b/i, 'four ways to protect a value'],
  [/\bsecond door\b/i, 'AES over many blocks'],
  [/\bdo(es)? not go well\b/i, 'name what is wrong'],
  [/(^|[.:;] )Who (has|holds|sends|wants|reads|writes|knows|may|can)\b(?!.*\?)/, 'Anyone who; a client that'],
  [/\bwhoever\b/i, 'anyone who'],
  [/\bof (later|before)\b(?! than)/i, 'later; earlier'],
  [/\b(he|him|his)\b/i, 'they; their'],
  [/\b(normaliz(?!ation Form)|pseudonymiz|serializ|organiz|recogniz|initializ|optimiz|behavior)/i, 'British spelling'],
];

/** Phrases that are also wrong in messages and guides, which address a reader. */
const NEVER_TO_A_READER: typeof NEVER = [[/\b(simply|just(?!-in-time)|of course|obviously)\b/i, 'leave it out']];

/** A piece of prose, and the line on which it begins. */
interface Piece {
  readonly line: number;
  readonly text: string;
  readonly isComment: boolean;
}

const isTextual = (node: ts.Node): boolean => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

/** The words of a text, with a space for each value that is put into it. */
function textOf(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join(' ');
  }
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right);
  return ' ';
}

/** The comments and the texts of a source file. */
function piecesOf(file: string): Piece[] {
  const text = readFileSync(root + file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line + 1;
  const pieces: Piece[] = [];
  const seen = new Set<number>();
  const comments = (ranges: readonly ts.CommentRange[] = []) => {
    for (const { pos, end } of ranges) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      // Code in a comment is left out, and lines are joined, because a sentence may span several.
      const body = text.slice(pos, end).replace(/```[\s\S]*?```/g, '');
      const prose = body.replace(/`[^`\n]*`|https?:[^\s)]+/g, '').replace(/\n\s*(\*|\/\/)?\s?/g, ' ');
      pieces.push({ line: lineOf(pos), text: prose, isComment: true });
    }
  };
  const visit = (node: ts.Node): void => {
    comments(ts.getLeadingCommentRanges(text, node.pos));
    comments(ts.getTrailingCommentRanges(text, node.end));
    // A text that is put together by + is one text.
    const isPart = (one: ts.Node) => ts.isBinaryExpression(one) && one.operatorToken.kind === ts.SyntaxKind.PlusToken;
    if (isTextual(node) && !isPart(node.parent))
      pieces.push({ line: lineOf(node.getStart()), text: textOf(node), isComment: false });
    if (isPart(node) && !isPart(node.parent))
      pieces.push({ line: lineOf(node.getStart()), text: textOf(node), isComment: false });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return pieces;
}

/** The paragraphs of a page: no code, no tables. */
function paragraphsOf(page: string): Piece[] {
  const pieces: Piece[] = [];
  let inside = false;
  let last: { line: number; text: string; isComment: boolean } | null = null;
  for (const [index, line] of readFileSync(root + page, 'utf8')
    .split('\n')
    .entries()) {
    if (/^\s*```/.test(line)) inside = !inside;
    if (inside || /^\s*(```|\||$)/.test(line) || /^ {4}/.test(line)) {
      last = null;
      continue;
    }
    const text = line.replace(/`[^`]*`/g, '');
    if (last === null || /^(#|\s*[-*] |\s*\d+\. )/.test(line)) {
      last = { line: index + 1, text, isComment: false };
      pieces.push(last);
    } else {
      last.text += ` ${text}`;
    }
  }
  return pieces;
}

function faultsOf(file: string, pieces: readonly Piece[], phrases: typeof NEVER): string[] {
  return pieces.flatMap(({ line, text }) =>
    phrases.flatMap(([phrase, instead]) => {
      const found = phrase.exec(text);
      return found === null ? [] : [`${file}:${line}: "${found[0].trim()}" (${instead})`];
    }),
  );
}

const sources = filesBelow('src', '.ts');
const guides = pages.filter((page) => !page.startsWith('docs/spec/'));

describe('phrases that are never right', () => {
  test('are in no comment and no message', () => {
    const faults = sources.flatMap((file) => {
      const pieces = piecesOf(file);
      const messages = pieces.filter(({ isComment }) => !isComment);
      return [...faultsOf(file, pieces, NEVER), ...faultsOf(file, messages, NEVER_TO_A_READER)];
    });
    expect(faults).toEqual([]);
  });

  test('are on no page, tables and frozen specifications excepted', () => {
    const faults = guides.flatMap((page) => faultsOf(page, paragraphsOf(page), [...NEVER, ...NEVER_TO_A_READER]));
    expect(faults).toEqual([]);
  });

  test('would be found', () => {
    const pieces = [{ line: 1, text: 'Who has the store goes on with what is none.', isComment: true }];
    expect(faultsOf('x', pieces, NEVER)).toHaveLength(3);
  });
});

describe('lines', () => {
  test(`of comments are at most ${LONGEST} columns wide`, () => {
    const files = [
      ...sources,
      ...filesBelow('test', '.ts'),
      ...filesBelow('bench', '.mjs'),
      ...filesBelow('docs', '.mjs'),
      ...filesBelow('.ci', ''),
    ].filter(
      (file) =>
        /\.(ts|mjs)$|^\.ci\/[a-z-]+$/.test(file) && !file.includes('node_modules') && statSync(root + file).isFile(),
    );
    const wide = files.flatMap((file) =>
      readFileSync(root + file, 'utf8')
        .split('\n')
        .flatMap((line, i) =>
          /^\s*(\/\/|\/?\*|#)|\s\/\/ /.test(line) && [...line].length > LONGEST ? [`${file}:${i + 1}`] : [],
        ),
    );
    expect(wide).toEqual([]);
  });

  test(`of pages are at most ${LONGEST} columns wide, tables and code excepted`, () => {
    const wide = pages.flatMap((page) => {
      let inside = false;
      return readFileSync(root + page, 'utf8')
        .split('\n')
        .flatMap((line, i) => {
          if (/^\s*```/.test(line)) inside = !inside;
          const isProse = !inside && !/^\s*\|/.test(line) && !/^ {4}/.test(line);
          return isProse && [...line].length > LONGEST ? [`${page}:${i + 1}`] : [];
        });
    });
    expect(wide).toEqual([]);
  });
});

test('no packed page links to one that is not packed', () => {
  const { files } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { files: string[] };
  const isPacked = (path: string) =>
    files.some(
      (entry) =>
        path === entry || path.startsWith(`${entry}/`) || (entry === 'docs/*.md' && /^docs\/[^/]+\.md$/.test(path)),
    );
  const dead = pages.filter(isPacked).flatMap((page) =>
    [...readFileSync(root + page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
      const path = normalize(join(dirname(page), target));
      return isPacked(path) ? [] : [`${page}: ${target}`];
    }),
  );
  expect(pages.filter(isPacked).length).toBeGreaterThan(20);
  expect(dead).toEqual([]);
});

describe('the guide has a place for', () => {
  const rowsOf = (page: string): ReadonlySet<string> =>
    new Set([...readFileSync(root + page, 'utf8').matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code]) => code!));

  const source = readFileSync(`${root}src/errors.ts`, 'utf8');
  const kinds = source.slice(source.indexOf('const CODES'), source.indexOf('} as const'));
  const codes = [...kinds.matchAll(/^ {4}'([a-z0-9_]+)',$/gm)].map(([, code]) => code!);

  test('every error code, and for no other', () => {
    expect(codes.length).toBeGreaterThan(80);
    expect([...rowsOf('docs/guide/errors.md')].sort()).toEqual([...codes].sort());
  });

  test('every error code in its doc comment: a sentence that says when it is thrown, and no other code has it', () => {
    const comments = [...kinds.matchAll(/^ {4}\/\*\* ([A-Z`].*\.) \*\/\n {4}'([a-z0-9_]+)',$/gm)];
    expect(comments.map(([, , code]) => code)).toEqual(codes);
    const sentences = comments.map(([, sentence]) => sentence!);
    expect(sentences.filter((sentence) => sentence.split(' ').length < 6)).toEqual([]);
    expect(new Set(sentences).size).toBe(sentences.length);
  });

  test('every rule: a section, and a row of the table', () => {
    const page = readFileSync(`${root}docs/guide/policy.md`, 'utf8');
    const table = page.slice(page.indexOf('## Which rule?'), page.indexOf('## The file'));
    const rules = Object.keys(RULES);
    expect(rules.filter((rule) => !new RegExp(`^## ${rule}$`, 'm').test(page))).toEqual([]);
    expect(rules.filter((rule) => !table.includes(`[\`${rule}\`](#${rule.toLowerCase()})`))).toEqual([]);
  });

  test('every format, by its name in a policy file', () => {
    const page = readFileSync(`${root}docs/guide/formats.md`, 'utf8');
    const formats = Object.keys(FORMATS);
    expect(formats.filter((format) => !page.includes(`\`${format}\``) && !page.includes(`type: ${format}`))).toEqual(
      [],
    );
  });
});
