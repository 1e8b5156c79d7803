/**
 * Compiles and runs the examples of the pages and doc comments, and checks that links lead somewhere and that every
 * public name is documented.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import * as trefoil from 'trefoil';
import * as csv from 'trefoil/csv';
import * as custody from 'trefoil/custody';
import * as duckdb from 'trefoil/duckdb';
import * as errors from 'trefoil/errors';
import * as ff1 from 'trefoil/ff1';
import * as ff3 from 'trefoil/ff3';
import * as format from 'trefoil/format';
import * as govern from 'trefoil/govern';
import * as ip from 'trefoil/ip';
import * as keys from 'trefoil/keys';
import * as log from 'trefoil/log';
import * as ndjson from 'trefoil/ndjson';
import * as node from 'trefoil/node';
import * as policy from 'trefoil/policy';
import * as prepare from 'trefoil/prepare';
import * as reveal from 'trefoil/reveal';
import * as testing from 'trefoil/testing';
import * as tsv from 'trefoil/tsv';
import * as vault from 'trefoil/vault';
import * as vaultContract from 'trefoil/vault-contract';
import * as postgres from 'trefoil/vault-postgres';
import * as sqlite from 'trefoil/vault-sqlite';
import { describe, expect, test } from 'vitest';
import { type Block, blocksOf, compile, filesBelow, pages, publicNames, root, runnable } from './doc-blocks.ts';

const MODULES: Readonly<Record<string, object>> = {
  trefoil,
  'trefoil/csv': csv,
  'trefoil/custody': custody,
  'trefoil/duckdb': duckdb,
  'trefoil/errors': errors,
  'trefoil/ff1': ff1,
  'trefoil/ff3': ff3,
  'trefoil/format': format,
  'trefoil/govern': govern,
  'trefoil/ip': ip,
  'trefoil/keys': keys,
  'trefoil/log': log,
  'trefoil/ndjson': ndjson,
  'trefoil/node': node,
  'trefoil/policy': policy,
  'trefoil/vault-postgres': postgres,
  'trefoil/prepare': prepare,
  'trefoil/reveal': reveal,
  'trefoil/vault-sqlite': sqlite,
  'trefoil/testing': testing,
  'trefoil/tsv': tsv,
  'trefoil/vault': vault,
  'trefoil/vault-contract': vaultContract,
};

/** Public values that need no example of their own, each with the reason. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {
  'errors.ts kindOf': 'a look-up of one word',
  'errors.ts MAX_ISSUES': 'a number',
  'errors.ts fail': 'for the stores and adapters of this project',
};

const blocks: readonly Block[] = [...pages, ...filesBelow('src', '.ts')].flatMap(blocksOf);

test('the README, the guides and the doc comments have examples', () => {
  for (const folder of ['README.md', 'docs/', 'src/']) {
    expect(blocks.filter(({ file }) => file.startsWith(folder)).length, folder).toBeGreaterThan(1);
  }
});

test('every block compiles', () => {
  expect(compile(blocks)).toEqual([]);
});

describe('every block returns what its comments promise', () => {
  for (const block of blocks.filter(({ run }) => run)) {
    test(`${block.file}:${block.line}`, async () => {
      const { body, promises } = runnable(block);
      const kept = new Set<number>();
      const check = (index: number, actual: unknown, expected: unknown): void => {
        const { line, text } = promises[index]!;
        expect(actual, `${block.file}:${line}: → ${text}`).toEqual(expected);
        kept.add(index);
      };
      const load = (name: string): unknown => MODULES[name] ?? import(name);
      const main = new Function('__import', '__check', body)(load, check) as () => Promise<void>;
      await main();
      const forgotten = promises.filter((_, index) => !kept.has(index));
      expect(forgotten, 'promises that the run did not reach').toEqual([]);
    });
  }
});

const names = publicNames();

test('every exported name has a doc comment', () => {
  const bare = names.filter(({ documented }) => !documented);
  expect(bare.map(({ module, name, place }) => `${place}: ${name} of ${module}`)).toEqual([]);
});

describe('every public value', () => {
  const values = names.filter(({ isValue }) => isValue);

  test('has a doc comment with an example', () => {
    const bare = values
      .filter(
        ({ documented, example, module, name }) => !documented || !(example || `${module} ${name}` in WITHOUT_EXAMPLE),
      )
      .map(({ module, name, place }) => `${place}: ${name} of ${module}`);
    expect(bare).toEqual([]);
  });

  test('is exempt only if it exists and has no example', () => {
    const needed = values.filter(({ example }) => !example).map(({ module, name }) => `${module} ${name}`);
    expect(Object.keys(WITHOUT_EXAMPLE).filter((entry) => !needed.includes(entry))).toEqual([]);
  });
});

describe('links', () => {
  for (const page of pages) {
    test(`of ${page} lead somewhere`, () => {
      expect(deadLinks(page)).toEqual([]);
    });
  }
});

/** Relative links of a page whose file or heading does not exist, each with its line. */
function deadLinks(page: string): string[] {
  const dead: string[] = [];
  for (const [index, line] of proseOf(page).entries()) {
    for (const [, inline, reference] of line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s+(\S+)/g)) {
      const target = (inline ?? reference)!;
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
      const missing =
        file.startsWith('..') ||
        !existsSync(root + file) ||
        (anchor !== undefined && statSync(root + file).isFile() && !anchorsOf(file).has(anchor));
      if (missing) dead.push(`${page}:${index + 1}: ${target}`);
    }
  }
  return dead;
}

/** The lines of a page; those inside code blocks, and code within a line, are empty. */
function proseOf(page: string): string[] {
  let inside = false;
  return readFileSync(root + page, 'utf8')
    .split('\n')
    .map((line) => {
      if (/^\s*```/.test(line)) {
        inside = !inside;
        return '';
      }
      return inside ? '' : line.replace(/`[^`]*`/g, (code) => (line.startsWith('#') ? code : ''));
    });
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const line of proseOf(file)) {
    const title = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (title === undefined) continue;
    const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replace(/ /g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}
