/**
 * Keysets: root keys with ids, one of which is primary (docs/spec/keyset-v1.md). The JSON text of a keyset is the
 * secret of the whole system: all other keys are derived from it.
 */

import { isCapability, type SecretAccess } from '../core/capability.ts';
import { badType, checkName, checkOptions, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { encode } from '../wire/base32.ts';
import { branchCheckValue } from './branch-check.ts';
import type { KeyCheck } from './checks.ts';
import { NODE_LENGTH } from './derive.ts';
import { type DomainKeys, makeDomainKeys, pinBranches, pinKeys } from './domain-keys.ts';
import { joinFiles, type KeyEntry, type KeysetData } from './entries.ts';
import { readKeysetFile, writeKeysetFile } from './keyset-file.ts';
import { lineOf } from './lineage.ts';
import { checkTestDomain, isTestKey } from './test-keys.ts';

const DATA = Symbol.for('trefoil.keyset.v1');

/** Options of {@link Keyset.domain}. */
export interface DomainOptions {
  /**
   * Check values that the keys must have, by shown key id (`trefoil keys inspect` shows them), and under `protects` the
   * id of the key that must be primary.
   */
  readonly keyCheck?: KeyCheck;
  /** The check value of the branches, if the keyset has branches in place of root keys. */
  readonly branchCheck?: string;
}

/** Root keys and the way to the keys of domains. It is opaque and immutable: no property shows a key. */
export interface Keyset {
  /** Id of the primary root key. */
  readonly primary: string;
  /** Ids of all root keys, the primary first. */
  readonly ids: readonly string[];
  /**
   * Ids of the root keys that are public test keys (`trefoil/testing`). If there is one, the keyset opens only the
   * domains `test` and `test-…`.
   */
  readonly testIds: readonly string[];
  /**
   * Returns the keys of a pseudonymisation domain.
   *
   * @param name 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `-`, the first a letter or digit.
   * @param options what the keys must be.
   * @throws TrefoilError `key_check_mismatch` if the keys do not have these check values, `public_test_keys` if the
   *   keyset has test keys and the domain is not `test` or `test-…`, `not_granted` or `domain_gone` if the keyset has
   *   branches, and none for this domain.
   * @throws TypeError, RangeError for a name or an option that does not fit.
   */
  readonly domain: (name: string, options?: DomainOptions) => DomainKeys;
  /**
   * Returns the keyset as JSON text, including its secrets.
   *
   * **Warning**: anyone who reads this text can reveal everything that the keyset protects.
   *
   * @param access `secretAccess` of `trefoil/reveal`.
   */
  readonly export: (access: SecretAccess) => string;
}

/** Options of {@link keyset.generate}. */
export interface GenerateOptions {
  /**
   * Whether to make two root keys: a base, which is never primary, and the first epoch. Then the tokens of the first
   * epoch, too, cannot be linked with later ones once its key is destroyed. `false` by default.
   */
  readonly renewable?: boolean;
  /** The region in which the keys may be used: `eu`. It enters every key. */
  readonly region?: string;
}

/** Options of {@link keyset.parse}. */
export interface ParseOptions {
  /** The region in which this process runs. A keyset with a region opens nowhere else. */
  readonly region?: string;
}

/** A new root key under a random id. @param taken ids that it must not have. */
export function newRootKey(taken: readonly string[], fields: Partial<KeyEntry>): KeyEntry {
  let id: string;
  do id = encode(randomBytes(5));
  while (taken.includes(id));
  const plain = {
    isBase: false,
    isReady: false,
    base: null,
    region: null,
    branches: null,
    shown: new Map(),
    check: null,
  };
  return { ...plain, ...fields, id, secret: randomBytes(NODE_LENGTH) };
}

/** Makes a keyset with one root key of 32 random bytes and a random id, or with two if it is renewable. */
function generate(options: GenerateOptions = {}): Keyset {
  const { renewable = false, region } = checkOptions<GenerateOptions>('options', options, ['renewable', 'region']);
  if (typeof renewable !== 'boolean') badType('renewable', `expected true or false, got ${typeName(renewable)}`);
  const label = region === undefined ? null : checkName('region', region);
  const first = newRootKey([], { region: label });
  if (!renewable) return keysetOf([first]);
  const base = newRootKey([first.id], { region: label, isBase: true });
  return keysetOf([{ ...first, base: base.id }, base]);
}

/** Makes a keyset of keys alone, the primary first. */
export function keysetOf(keys: readonly KeyEntry[]): Keyset {
  return makeKeyset({ keys, primary: keys[0]!.id, domains: new Map(), retired: [], narrowed: null });
}

/** Reads a keyset from the JSON text that `export` wrote, or from several such texts that are one keyset. */
function parse(json: string | readonly string[], options: ParseOptions = {}): Keyset {
  const { region } = checkOptions<ParseOptions>('options', options, ['region']);
  if (region !== undefined) checkName('region', region);
  // A copy: the array of a caller may be of a class of its own.
  const texts = typeof json === 'string' ? [json] : Array.isArray(json) ? Array.from<string>(json) : [];
  if (texts.length === 0 || texts.some((text) => typeof text !== 'string')) {
    badType('json', `expected text or a list of texts, got ${typeName(json)}`);
  }
  return parseFiles(texts, null, region);
}

/**
 * Reads a keyset from the texts of its files.
 *
 * @param names what errors call the files, such as paths; `null` for numbers, if there is more than one.
 */
export function parseFiles(texts: readonly string[], names: readonly string[] | null, region?: string): Keyset {
  const numbered = names ?? texts.map((_, i) => `file ${i + 1} of the keyset`);
  const files = texts.map((text, i) => {
    if (texts.length === 1) return readKeysetFile(text);
    try {
      return readKeysetFile(text);
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      throw new TrefoilError(error.issues.map((issue) => ({ ...issue, file: numbered[i]! })));
    }
  });
  const data = joinFiles(files, numbered);
  checkRegion(data, region);
  return makeKeyset(data);
}

/** Refuses a keyset with a region in a process that is not there, or does not say where it is. */
function checkRegion({ keys }: KeysetData, here: string | undefined): void {
  const label = keys.find(({ region }) => region !== null)?.region ?? null;
  if (label === null || label === here) return;
  if (here === undefined) {
    fail(
      'region_required',
      `the keys are for the region ${label}, and this process does not say where it runs; ` +
        'set TREFOIL_REGION, or in code the option region of keyset.parse',
    );
  }
  fail('wrong_region', `the keys are for the region ${label}, and this process runs in ${here}`);
}

/** Makes the object of a keyset. */
export function makeKeyset(data: KeysetData): Keyset {
  const { keys, primary, narrowed } = data;
  // One test key among others is enough: everybody could reveal its values.
  const isTest = ({ secret }: KeyEntry) => secret !== null && isTestKey(secret);
  const testIds = Object.freeze(keys.filter(isTest).map(({ id }) => id));
  const branchCheck = branchCheckValue(data);
  const made: Keyset = {
    primary,
    ids: Object.freeze(keys.map(({ id }) => id)),
    testIds,
    domain(name: string, options: DomainOptions = {}): DomainKeys {
      checkName('name', name);
      if (testIds.length > 0) checkTestDomain(name);
      const pins = checkOptions<DomainOptions>('options', options, ['keyCheck', 'branchCheck']);
      let opened = makeDomainKeys(lineOf(data, name), { verbs: narrowed?.verbs ?? null, branchCheck });
      if (pins.keyCheck !== undefined) opened = pinKeys(opened, pins.keyCheck);
      if (pins.branchCheck !== undefined) opened = pinBranches(opened, pins.branchCheck);
      return opened;
    },
    export(access: SecretAccess): string {
      if (!isCapability(access, 'secret')) badType('access', 'expected secretAccess of trefoil/reveal');
      return writeKeysetFile(data);
    },
  };
  return Object.freeze(Object.defineProperty(made, DATA, { value: () => data }));
}

/**
 * Returns the keys inside a keyset. Only `keys/` calls it.
 *
 * @throws TypeError if the argument is not a keyset.
 */
export function keysetData(value: Keyset): KeysetData {
  const access =
    typeof value === 'object' && value !== null ? (value as unknown as Record<symbol, unknown>)[DATA] : undefined;
  if (typeof access !== 'function') {
    badType('keyset', `expected a keyset of keyset.parse or keyset.generate, got ${typeName(value)}`);
  }
  return access() as KeysetData;
}

/**
 * Makes and reads keysets.
 *
 * - `keyset.generate()` makes a keyset with one root key of 32 bytes from the random generator of the system;
 *   `renewable: true` adds a base, `region` a label.
 * - `keyset.parse(json)` reads the text that `export` wrote, or a list of such texts. It throws a {@link TrefoilError}
 *   with `invalid_keyset`, `weak_key`, `region_required` or `wrong_region`. Its messages never quote the text.
 *
 * The format is docs/spec/keyset-v1.md.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil/keys';
 * import { secretAccess } from 'trefoil/reveal';
 *
 * const made = keyset.generate();
 * const read = keyset.parse(made.export(secretAccess));
 * read.domain('eu-enclave').keyId === made.domain('eu-enclave').keyId; // → true
 * ```
 */
export const keyset: {
  readonly generate: (options?: GenerateOptions) => Keyset;
  readonly parse: (json: string | readonly string[], options?: ParseOptions) => Keyset;
} = Object.freeze({ generate, parse });
