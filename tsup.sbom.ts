/**
 * Writes the bill of materials of the package, dist/sbom.cdx.json, as CycloneDX 1.6 (ECMA-424, first edition): the code
 * and data of others that the built files contain, what npm installs with the package, and the optional peers.
 *
 * `npm sbom` is not used, because it lists the development tools of this checkout and not the content of the package.
 * The file has no time and no serial number, so two builds of one commit are equal.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const SBOM = 'dist/sbom.cdx.json';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly description?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Code or data inside the built files: a package by its folder, or the tables of Unicode, which are no package. */
export interface Bundled {
  /** Folder of the package; `null` for the tables of Unicode. */
  readonly folder: string | null;
  /** The kinds of built files that contain it. */
  readonly files: readonly string[];
}

/** Licences of optional peers that are not installed here. `.ci/companions` compares them with the packages. */
const LICENCES: Readonly<Record<string, string>> = { 'better-sqlite3': 'MIT' };

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Manifest;

/** A package URL (https://github.com/package-url/purl-spec). Without a version if npm chooses one. */
function purl(name: string, version: string | null): string {
  return `pkg:npm/${name.replace('@', '%40')}${version === null ? '' : `@${version}`}`;
}

const property = (name: string, value: string) => ({ name: `trefoil:${name}`, value });

/** Group, name and licence of a package, as members of a component. */
function named(name: string, license: string) {
  const [, group, rest] = /^(@[^/]+)\/(.*)$/.exec(name) ?? [];
  return { ...(group === undefined ? { name } : { group, name: rest! }), licenses: [{ license: { id: license } }] };
}

function bundled({ folder, files }: Bundled) {
  const properties = [property('relation', 'bundled'), ...[...files].sort().map((file) => property('file', file))];
  if (folder === null) {
    const licenses = [{ license: { id: 'Unicode-3.0' } }];
    const name = 'Unicode Character Database';
    return { type: 'data', 'bom-ref': 'bundled:ucd@15.1.0', name, version: '15.1.0', licenses, properties };
  }
  const { name, version, license } = manifestOf(folder);
  const ref = `bundled:${name}@${version}`;
  const { licenses, ...names } = named(name, license);
  const about = { ...names, version, scope: 'required', licenses, purl: purl(name, version), properties };
  return { type: 'library', 'bom-ref': ref, ...about };
}

/** A package that npm installs beside this one. npm chooses its version within the range. */
function installed(name: string, range: string, relation: 'dependency' | 'optional peer') {
  const folder = `node_modules/${name}`;
  const found = existsSync(folder) ? manifestOf(folder) : null;
  const license = found?.license ?? LICENCES[name];
  if (license === undefined) throw new Error(`${name}: the licence is not known; add it to tsup.sbom.ts`);
  const properties = [property('relation', relation), property('range', range)];
  if (found !== null) properties.push(property('tested', found.version));
  const scope = relation === 'dependency' ? 'required' : 'optional';
  const { licenses, ...names } = named(name, license);
  const about = { ...names, scope, licenses, purl: purl(name, null), properties };
  return { type: 'library', 'bom-ref': `installed:${name}`, ...about };
}

/** The packages that npm installs with the package: its dependencies, and theirs. */
function dependenciesOf(manifest: Manifest): ReadonlyMap<string, { readonly range: string; readonly on: string[] }> {
  const found = new Map<string, { readonly range: string; readonly on: string[] }>();
  const visit = (dependencies: Manifest['dependencies'] = {}): string[] => {
    for (const [name, range] of Object.entries(dependencies)) {
      if (found.has(name)) continue;
      const on: string[] = [];
      // Of a package that others need as well, the manifest has its own range.
      found.set(name, { range: manifest.dependencies?.[name] ?? range, on });
      on.push(...visit(manifestOf(`node_modules/${name}`).dependencies));
    }
    return Object.keys(dependencies).map((name) => `installed:${name}`);
  };
  visit(manifest.dependencies);
  return found;
}

/** Writes the bill of materials. */
export function writeSbom(contents: readonly Bundled[]): void {
  const manifest = manifestOf('.');
  const { name, version, license, description, peerDependencies = {} } = manifest;
  const needed = dependenciesOf(manifest);
  const peers = Object.entries(peerDependencies);
  const components = [
    ...contents.map(bundled),
    ...[...needed].map(([one, { range }]) => installed(one, range, 'dependency')),
    ...peers.map(([one, range]) => installed(one, range, 'optional peer')),
  ].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const root = purl(name, version);
  const direct = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(peerDependencies)];
  const inside = components.map((one) => one['bom-ref']).filter((ref) => ref.startsWith('bundled:'));
  const dependencies = [
    { ref: root, dependsOn: [...inside, ...direct.map((one) => `installed:${one}`)].sort() },
    ...[...needed].map(([one, { on }]) => ({ ref: `installed:${one}`, dependsOn: [...on].sort() })),
  ].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  const { licenses, ...names } = named(name, license);
  const component = { type: 'library', 'bom-ref': root, ...names, version, description, licenses, purl: root };
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { lifecycles: [{ phase: 'build' }], component },
    components,
    dependencies,
  };
  writeFileSync(SBOM, `${JSON.stringify(bom, null, 2)}\n`);
}
