/**
 * The JSON text of a keyset (docs/spec/keyset-v1.md, "File"): reads it strictly into entries, and writes it. Which keys
 * fit together is decided in `entries.ts`.
 */

import { NAME_PATTERN, ownProperties, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { scanJson } from '../core/json/scan.ts';
import { fail } from '../errors.ts';
import { type Branch, readPath, writePath } from './branches.ts';
import { KEY_CHECK, KEY_ID, type Shown } from './checks.ts';
import type { KeyEntry, KeysetData, KeysetFile, KeyVerb, RetiredKey } from './entries.ts';
import { readKeyText, writeKeyText } from './key-texts.ts';

/** The version that the text of a keyset states. */
const VERSION = 'keyset-v1';

/** The most root keys in a keyset, and the most domains, retired keys and branches. */
const MAX_KEYS = 64;
const MAX_DOMAINS = 10_000;
const MAX_RETIRED = 1_000;
const MAX_BRANCHES = 10_000;

/** The longest text that is parsed, in UTF-16 code units. */
const MAX_TEXT = 1_048_576;

/** Verbs that a narrowed keyset may list. */
const VERBS: readonly KeyVerb[] = ['protect', 'reveal', 'rekey'];

/** The fields of a key. */
const KEY_FIELDS = ['id', 'primary', 'use', 'ready', 'base', 'region', 'secret', 'branches', 'shown', 'check'];

const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** Reads the text of one keyset. Its errors never quote the text. */
export function readKeysetFile(json: string): KeysetFile {
  if (json.length > MAX_TEXT) fail('invalid_keyset', `the keyset is longer than ${MAX_TEXT} characters`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The parser's own message would quote the text, which is the secret.
    fail('invalid_keyset', 'the keyset is not JSON; it may be cut short');
  }
  const file = fields(value, 'the keyset', ['version', 'narrowed', 'keys', 'domains', 'retired']);
  // If a name occurs twice, JSON.parse keeps the last field and hides the mistake.
  const hidden = scanJson(json, value as object);
  if (hidden !== null && hidden !== 'inexact') fail('invalid_keyset', `the keyset cannot be read: ${hidden.message}`);
  if (file.version !== VERSION) {
    fail(
      'invalid_keyset',
      `the keyset has no "version": "${VERSION}"; it is not a keyset, or a newer trefoil has made it`,
    );
  }
  return {
    ...readKeys(file.keys),
    domains: readDomains(file.domains),
    retired: readRetired(file.retired),
    narrowed: readNarrowed(file.narrowed),
  };
}

/** Reads the list of keys. */
function readKeys(keys: unknown): Pick<KeysetFile, 'keys' | 'primary'> {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    fail('invalid_keyset', `"keys" of the keyset must be a list of 1 to ${MAX_KEYS} root keys`);
  }
  const entries: KeyEntry[] = [];
  let primary: string | null = null;
  for (const [index, value] of keys.entries()) {
    const name = `root key ${index + 1}`;
    const key = fields(value, name, KEY_FIELDS);
    const id = readName(key.id, 'id', name);
    if (key.primary !== undefined && typeof key.primary !== 'boolean') {
      fail('invalid_keyset', `"primary" of ${name} must be true or false`);
    }
    if (key.use !== undefined && key.use !== 'base') fail('invalid_keyset', `"use" of ${name} must be "base"`);
    if (key.ready !== undefined && key.ready !== true) fail('invalid_keyset', `"ready" of ${name} must be true`);
    if (key.primary === true) {
      if (primary !== null) fail('invalid_keyset', 'two root keys are primary; only one may have "primary": true');
      primary = id;
    }
    entries.push({
      id,
      isBase: key.use === 'base',
      isReady: key.ready === true,
      base: key.base === undefined ? null : readName(key.base, 'base', name),
      region: key.region === undefined ? null : readName(key.region, 'region', name),
      secret: key.secret === undefined ? null : readKeyText('secret', key.secret, name),
      branches: key.branches === undefined ? null : readBranches(key.branches, name),
      shown: readShown(key.shown, name),
      check: key.check === undefined ? null : readChecks(key.check, name),
    });
  }
  return { keys: entries, primary };
}

function readBranches(value: unknown, name: string): readonly Branch[] {
  if (!Array.isArray(value) || value.length > MAX_BRANCHES) {
    fail('invalid_keyset', `"branches" of ${name} must be a list of at most ${MAX_BRANCHES} branches`);
  }
  return value.map((one: unknown, index) => {
    const where = `branch ${index + 1} of ${name}`;
    const { domain, path, node } = fields(one, where, ['domain', 'path', 'node']);
    return {
      domain: readName(domain, 'domain', where),
      path: readPath(path, where),
      node: readKeyText('node', node, where),
    };
  });
}

/** Reads shown key ids and key checks by domain. */
function readShown(value: unknown, name: string): ReadonlyMap<string, Shown> {
  if (value === undefined) return new Map();
  return byDomain(value, `"shown" of ${name}`, (one, where) => {
    const { id, check } = fields(one, where, ['id', 'check']);
    if (typeof id !== 'string' || !KEY_ID.test(id) || typeof check !== 'string' || !KEY_CHECK.test(check)) {
      fail('invalid_keyset', `${where} must have an "id" of 5 characters and a "check" of 16`);
    }
    return { id, check };
  });
}

/** Reads key checks by domain. */
function readChecks(value: unknown, name: string): ReadonlyMap<string, string> {
  return byDomain(value, `"check" of ${name}`, (one, where) => {
    if (typeof one !== 'string' || !KEY_CHECK.test(one)) fail('invalid_keyset', `${where} must have 16 characters`);
    return one;
  });
}

function readDomains(value: unknown): KeysetData['domains'] {
  if (value === undefined) return new Map();
  return byDomain(value, '"domains" of the keyset', (one, where) => {
    const { of } = fields(one, where, ['of']);
    return { of: readName(of, 'of', where) };
  });
}

function readRetired(value: unknown): readonly RetiredKey[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_RETIRED) {
    fail('invalid_keyset', `"retired" of the keyset must be a list of at most ${MAX_RETIRED} keys`);
  }
  return value.map((one: unknown, index) => {
    const where = `retired key ${index + 1}`;
    const { id, at, shown } = fields(one, where, ['id', 'at', 'shown']);
    if (typeof at !== 'string' || !DATE.test(at)) fail('invalid_keyset', `"at" of ${where} must be a date: 2027-01-31`);
    const ids = byDomain(shown, `"shown" of ${where}`, (text, place) => {
      if (typeof text !== 'string' || !KEY_ID.test(text)) fail('invalid_keyset', `${place} must have 5 characters`);
      return text;
    });
    return { id: readName(id, 'id', where), at, shown: ids };
  });
}

function readNarrowed(value: unknown): KeysetData['narrowed'] {
  if (value === undefined) return null;
  const { verbs, soft } = fields(value, '"narrowed" of the keyset', ['verbs', 'soft']);
  const isText = (one: unknown): one is string => typeof one === 'string' && one.length <= 1_000;
  const isVerb = (one: unknown) => (VERBS as readonly unknown[]).includes(one);
  if (!Array.isArray(verbs) || verbs.length === 0 || !verbs.every(isVerb)) {
    fail('invalid_keyset', `"verbs" of a narrowed keyset must be a list of ${VERBS.join(', ')}`);
  }
  if (!Array.isArray(soft) || !soft.every(isText)) {
    fail('invalid_keyset', '"soft" of a narrowed keyset must be a list of texts');
  }
  return { verbs: verbs as readonly KeyVerb[], soft };
}

/** Checks a name, such as that of a key or domain. */
function readName(value: unknown, field: string, name: string): string {
  if (typeof value !== 'string' || !NAME_PATTERN.test(value)) {
    fail(
      'invalid_keyset',
      `${name} needs ${/^[aeiou]/.test(field) ? 'an' : 'a'} "${field}" of 1 to 64 characters of a-z, 0-9, ".", "_", "-"`,
    );
  }
  return value;
}

/** Reads an object whose names are domains. */
function byDomain<T>(value: unknown, name: string, read: (one: unknown, where: string) => T): ReadonlyMap<string, T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('invalid_keyset', `${name} must be an object, got ${typeName(value)}`);
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_DOMAINS) fail('invalid_keyset', `${name} has more than ${MAX_DOMAINS} domains`);
  return new Map(
    entries.map(([domain, one]) => {
      if (!NAME_PATTERN.test(domain)) fail('invalid_keyset', `${name} has a name that is not the name of a domain`);
      return [domain, read(one, `${name}, domain ${domain},`)] as const;
    }),
  );
}

/** Checks that a value is an object with known fields only, and returns a copy of them. */
function fields(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('invalid_keyset', `${name} must be an object, got ${typeName(value)}`);
  }
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    const hint =
      name === 'the keyset' && field === 'base' ? '; "base" belongs to a key of the list, since it has its own' : '';
    fail('invalid_keyset', `${name} has an unknown field; the fields are ${known.join(', ')}${hint}`);
  }
  return ownProperties(value) as Record<string, unknown>;
}

/** Writes the text of a keyset, with its secrets. */
export function writeKeysetFile({ keys, primary, domains, retired, narrowed }: KeysetData): string {
  const file = {
    version: VERSION,
    ...given({ narrowed: narrowed ?? undefined }),
    keys: keys.map(({ id, isBase, isReady, base, region, secret, branches, shown, check }) => ({
      id,
      ...given({
        primary: id === primary ? true : undefined,
        use: isBase ? 'base' : undefined,
        ready: isReady ? true : undefined,
        base: base ?? undefined,
        region: region ?? undefined,
        secret: secret === null ? undefined : writeKeyText('secret', secret),
        branches: branches?.map(({ domain, path, node }) => ({
          domain,
          path: writePath(path),
          node: writeKeyText('node', node),
        })),
        shown: objectOf(shown),
        check: check === null ? undefined : objectOf(check),
      }),
    })),
    ...given({
      domains: objectOf(domains),
      retired:
        retired.length === 0 ? undefined : retired.map((one) => ({ ...one, shown: Object.fromEntries(one.shown) })),
    }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The object of a map; `undefined` if the map is empty. */
function objectOf<T>(map: ReadonlyMap<string, T>): Readonly<Record<string, T>> | undefined {
  return map.size === 0 ? undefined : Object.fromEntries(map);
}
