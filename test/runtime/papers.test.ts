/**
 * What the build writes for readers and tools beside the code: the vectors of the specifications as JSON, and the bill
 * of materials. They need `dist`, which `npm test` builds first.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { specifications, type Vectors, vectorsOf } from '../../tsup.vectors.ts';
import { manifest, root } from './install.ts';

const pages = specifications(join(root, 'docs/spec'));
const page = (name: string) => readFileSync(pages.get(name)!, 'utf8');
const vectors = (name: string) => JSON.parse(readFileSync(join(root, `dist/vectors/${name}.json`), 'utf8')) as Vectors;

describe('the vectors as JSON', () => {
  const names = [...pages.keys()];

  test('are a file for each specification, and no other', () => {
    expect(names.length).toBeGreaterThanOrEqual(8);
    const files = readdirSync(join(root, 'docs/spec'), { recursive: true, encoding: 'utf8' });
    const written = files.filter((path) => path.endsWith('.md') && path !== 'vectors.md');
    expect(names).toEqual(written.map((path) => path.replace(/^.*\/|\.md$/g, '')).sort());
    expect(readdirSync(join(root, 'dist/vectors')).sort()).toEqual(names.map((name) => `${name}.json`));
  });

  test.each(names)('%s: are those of the page', (name) => {
    expect(vectors(name)).toEqual(vectorsOf(name, page(name)));
    // Each line of a table is a row, and each code in it is in a value: counted without the reader of tables.
    const lines = page(name)
      .replace(/^```[\s\S]*?^```$/gm, '')
      .split('\n')
      .filter((line) => line.startsWith('|'));
    const heads = lines.filter((line) => /^\|-/.test(line)).length;
    const { tables, specification } = vectors(name);
    expect(specification).toBe(name);
    expect(tables).toHaveLength(heads);
    expect(tables.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(lines.length - 2 * heads);
    const values = new Set(tables.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row))));
    const alone = lines.flatMap((line) => [...line.matchAll(/(?<=\| )`([^`|\\]+)`(?= \|)/g)].map(([, code]) => code!));
    const heading = new Set(tables.flatMap(({ columns }) => columns));
    expect(alone.filter((code) => !values.has(code) && !heading.has(code))).toEqual([]);
  });

  test('have every column in every row, and texts as values', () => {
    for (const name of names) {
      for (const { columns, rows } of vectors(name).tables) {
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) {
          expect(Object.keys(row).sort()).toEqual([...columns].sort());
          for (const value of Object.values(row)) expect(typeof value).toBe('string');
        }
      }
    }
  });

  test('give a column to each of several values in a cell, and the text of a literal', () => {
    const forms = vectors('token-v1').tables.filter(({ columns }) => columns.join() === 'function,form,length,token');
    expect(forms).toHaveLength(1);
    expect(forms[0]!.rows[0]).toMatchObject({ function: 'hmac-sha256', form: 'labelled', length: '26' });
    const rows = vectors('prepare-v1').tables.flatMap(({ rows }) => rows);
    expect(rows).toContainEqual({ step: 'nfc', input: 'Zoe\u0308', output: 'Zo\u00eb' });
    expect(rows).toContainEqual({ step: 'casefold', input: '\ud83d', code: 'lone_surrogate' });
    expect(rows).toContainEqual({
      step: 'emailAddress',
      input: "O'Neil+Tag/{x}=`~^@sub-1.Example.org",
      output: "o'neil+tag/{x}=`~^@sub-1.example.org",
    });
  });

  // What an implementation in another language does, with node:crypto alone.
  test('are enough to compute a token', () => {
    const steps = (name: string, table: number) =>
      new Map(
        vectors(name)
          .tables.filter(({ section }) => section === 'Vectors')
          [table]!.rows.map((row) => [row.step!, row['bytes or text']!]),
      );
    const keys = steps('keyset-v1', 0);
    const tokens = steps('token-v1', 0);
    const child = (parent: Buffer, info: Buffer) =>
      Buffer.from(hkdfSync('sha256', parent, Buffer.from('trefoil keyset-v1'), info, 32));
    const encode = (...texts: readonly string[]) =>
      Buffer.concat(texts.flatMap((text) => [Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]));
    const domain = child(Buffer.from(keys.get('root key')!, 'hex'), encode('domain', 'eu-enclave'));
    expect(domain.toString('hex')).toBe(keys.get('domain'));
    const scope = child(child(domain, encode('kind', 'token')), encode('scope', 'person.email'));
    expect(scope.toString('hex')).toBe(tokens.get('scope node'));
    const node = child(scope, Buffer.from(tokens.get('info of the parameters')!, 'hex'));
    expect(createHmac('sha256', node).update(tokens.get('m')!).digest('hex')).toBe(tokens.get('t'));
  });

  test('of a page with a damaged table are refused', () => {
    expect(() => vectorsOf('x', '| a | b |\n|---|---|\n| 1 |\n')).toThrow('not as many cells');
    expect(() => vectorsOf('x', "| a |\n|---|\n| `` '\\q' `` |\n")).toThrow('unknown escape');
    expect(() => vectorsOf('x', '| a | `a` |\n|---|---|\n| 1 | 2 |\n')).toThrow('one name');
  });
});

interface Component {
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly scope?: string;
  readonly purl?: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

describe('the bill of materials', () => {
  const text = readFileSync(join(root, 'dist/sbom.cdx.json'), 'utf8');
  const bom = JSON.parse(text) as {
    readonly bomFormat: string;
    readonly specVersion: string;
    readonly metadata: { readonly component: Component };
    readonly components: readonly Component[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  };
  const of = (relation: string) =>
    bom.components.filter(({ properties }) =>
      properties.some(({ name, value }) => name === 'trefoil:relation' && value === relation),
    );
  const valuesOf = ({ properties }: Component, name: string) =>
    properties.filter((one) => one.name === `trefoil:${name}`).map(({ value }) => value);
  const nameOf = ({ group, name }: Component) => (group === undefined ? name : `${group}/${name}`);

  test('is CycloneDX 1.6, of this version, and has no time and no number of its own', () => {
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
    expect(bom.metadata.component).toMatchObject({ name: 'trefoil', version, purl: `pkg:npm/trefoil@${version}` });
    expect(text).not.toMatch(/timestamp|serialNumber|\d{4}-\d\d-\d\d|registry/);
  });

  test('lists what is in the built files, as the notices do', () => {
    const notices = readFileSync(join(root, 'dist/NOTICES.txt'), 'utf8');
    const listed = [...notices.matchAll(/^(\S.*) (\S+) \(([\w.-]+)\)\nIn: (.*)$/gm)].map(([, ...rest]) => rest);
    expect(listed.length).toBeGreaterThan(5);
    expect(
      of('bundled')
        .map((one) => [nameOf(one), one.version, one.licenses[0]!.license.id, valuesOf(one, 'file').join(', ')])
        .sort(),
    ).toEqual(listed.sort());
  });

  test('lists dependencies and optional peers with the ranges of the manifest, and what dependencies need', () => {
    const ranges = (relation: string) =>
      Object.fromEntries(of(relation).map((one) => [nameOf(one), valuesOf(one, 'range')[0]]));
    expect(ranges('optional peer')).toEqual(manifest.peerDependencies);
    expect(ranges('dependency')).toMatchObject(manifest.dependencies);
    const needed = new Set(Object.keys(manifest.dependencies));
    for (const name of needed) {
      const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
      for (const more of Object.keys(dependencies as object)) needed.add(more);
    }
    expect(Object.keys(ranges('dependency')).sort()).toEqual([...needed].sort());
    for (const one of of('optional peer')) expect(one.scope).toBe('optional');
    for (const one of of('dependency')) expect(one.scope).toBe('required');
  });

  test('names the licence and the package URL of each', () => {
    for (const one of bom.components) {
      const folder = join(root, 'node_modules', nameOf(one));
      if (!existsSync(folder)) continue;
      const { license, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      expect(one.licenses).toEqual([{ license: { id: license } }]);
      const at = one['bom-ref'].startsWith('bundled:') ? `@${version}` : '';
      expect(one.purl).toBe(`pkg:npm/${nameOf(one).replace('@', '%40')}${at}`);
    }
  });

  test('has references that are unique and lead somewhere', () => {
    const refs = [bom.metadata.component, ...bom.components].map((one) => one['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { ref, dependsOn } of bom.dependencies) {
      for (const one of [ref, ...dependsOn]) expect(refs).toContain(one);
    }
    const reached = new Set(bom.dependencies.flatMap(({ dependsOn }) => dependsOn));
    expect(refs.slice(1).filter((ref) => !reached.has(ref))).toEqual([]);
  });

  // The parts of the JSON schema of CycloneDX 1.6 (ECMA-424, section 7) that the file uses. There is no member that the
  // schema does not have, because it allows none (`additionalProperties: false`).
  describe('has the structure of the schema', () => {
    type Json = Readonly<Record<string, unknown>>;
    const KNOWN: Readonly<Record<string, { readonly needs: readonly string[]; readonly may: readonly string[] }>> = {
      bom: {
        needs: ['bomFormat', 'specVersion'],
        may: ['$schema', 'serialNumber', 'version', 'metadata', 'components', 'dependencies'],
      },
      metadata: { needs: [], may: ['timestamp', 'lifecycles', 'tools', 'component'] },
      component: {
        needs: ['type', 'name'],
        may: ['bom-ref', 'group', 'version', 'description', 'scope', 'licenses', 'purl', 'properties'],
      },
      dependency: { needs: ['ref'], may: ['dependsOn'] },
      property: { needs: ['name'], may: ['value'] },
    };
    const fits = (value: unknown, kind: string): Json => {
      const { needs, may } = KNOWN[kind]!;
      expect(value, kind).toBeTypeOf('object');
      const names = Object.keys(value as object);
      expect(
        names.filter((name) => ![...needs, ...may].includes(name)),
        kind,
      ).toEqual([]);
      expect(
        needs.filter((name) => !names.includes(name)),
        kind,
      ).toEqual([]);
      return value as Json;
    };
    /** The SPDX licences that may be in the package. Another one is a decision, and goes into this list. */
    const LICENCES = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'Unicode-3.0'];
    const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

    function checkComponent(value: unknown): Json {
      const one = fits(value, 'component');
      expect(['application', 'framework', 'library', 'data', 'file']).toContain(one.type);
      for (const name of ['bom-ref', 'name']) expect(one[name]).toSatisfy(isText);
      if ('scope' in one) expect(['required', 'optional', 'excluded']).toContain(one.scope);
      const licenses = one.licenses as readonly Json[];
      expect(licenses).toHaveLength(1);
      expect(licenses).toEqual([{ license: { id: expect.toSatisfy((id) => LICENCES.includes(String(id))) } }]);
      for (const property of (one.properties ?? []) as readonly unknown[]) {
        for (const text of Object.values(fits(property, 'property'))) expect(text).toSatisfy(isText);
      }
      // The tables of Unicode are data and no package.
      if (one.type === 'data') expect(one).not.toHaveProperty('purl');
      else expect(one.purl).toMatch(/^pkg:npm\/(%40[a-z0-9-]+\/)?[a-z0-9][a-z0-9._-]*(@\d+\.\d+\.\d+(-[\w.]+)?)?$/);
      return one;
    }

    test('in every part', () => {
      const whole = fits(bom, 'bom');
      expect(whole.$schema).toBe('http://cyclonedx.org/schema/bom-1.6.schema.json');
      expect(Number.isInteger(whole.version) && (whole.version as number) >= 1).toBe(true);
      // It is not required. If there is one, it is a UUID as a URN.
      const { serialNumber = 'urn:uuid:00000000-0000-0000-0000-000000000000' } = whole;
      expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const { lifecycles, component } = fits(bom.metadata, 'metadata');
      expect(lifecycles).toEqual([{ phase: 'build' }]);
      expect(checkComponent(component)).toHaveProperty('version');
      expect(bom.components.length).toBeGreaterThan(10);
      for (const one of bom.components) checkComponent(one);
      for (const value of bom.dependencies) {
        const { ref, dependsOn = [] } = fits(value, 'dependency') as { ref: unknown; dependsOn?: readonly unknown[] };
        expect([ref, ...dependsOn]).toSatisfy((all: readonly unknown[]) => all.every(isText));
        expect(new Set(dependsOn).size).toBe(dependsOn.length);
      }
    });

    test('with the versions of the lock file', () => {
      const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
        readonly packages: Readonly<Record<string, { readonly version: string } | undefined>>;
      };
      const locked = (one: Component) => lock.packages[`node_modules/${nameOf(one)}`]?.version;
      const packages = of('bundled').filter(({ purl }) => purl !== undefined);
      expect(packages.length).toBeGreaterThan(3);
      for (const one of packages) {
        expect([one.version, one.purl]).toEqual([locked(one), expect.stringMatching(`@${locked(one)}$`)]);
      }
      // npm chooses their versions within the range, so the file has the version that was tested, if there was one.
      const others = [...of('dependency'), ...of('optional peer')];
      expect(others.length).toBeGreaterThan(8);
      for (const one of others) {
        expect(one.version).toBeUndefined();
        expect(valuesOf(one, 'tested')).toEqual(locked(one) === undefined ? [] : [locked(one)]);
      }
    });
  });
});
