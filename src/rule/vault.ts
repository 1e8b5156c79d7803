/**
 * `vault`: random tokens, and an encrypted mapping in a store (docs/spec/vault-v1.md). A token is not derived from the
 * value. Its mapping can be erased one person at a time, and revealing needs the store, the keys and the token.
 */

import type { RevealAccess } from '../core/capability.ts';
import { badRange, badType, checkInteger, checkName, checkOneOf, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import { type DomainKeys, type OpenedKeys, openKeys, protectingKey } from '../keys/domain-keys.ts';
import { openMapping } from '../vault/mapping/mapping.ts';
import { pickStore, type Stores } from '../vault/session.ts';
import { sharedSession } from '../vault/shared-session.ts';
import { type ExportSource, type Imported, importStore } from '../vault/transfer/import.ts';
import { LABEL } from '../wire/labelled-token.ts';
import { openFor } from './binding.ts';
import { type MissingLists, ownLists } from './missing.ts';
import { checkRule, checkScope, checkSubject } from './options.ts';
import {
  type AsyncColumns,
  type Common,
  type MayBeAbsent,
  makeRule,
  type Rule,
  type RuleEngine,
  type RuleFacts,
} from './rule.ts';
import { type OnErased, overTokens, overTokensOf, overValues, sparing } from './vault/columns.ts';
import { vaultKeys } from './vault/keys.ts';
import { type OpenScope, type OpenVault, openVault, type RevealingVault } from './vault/verbs.ts';

export type { OnErased };

/** The most days that a mapping may be kept: a hundred years. */
const MAX_TTL = 36_525;

/** Options of {@link vault}. */
export interface VaultOptions<Scope extends string = string, E extends OnErased = OnErased> extends Common {
  /** Equal values of one scope of one store have the same token. Enters the key. */
  readonly scope: Scope;
  /** Name of the store. The store itself is passed when the policy is opened. Enters the key. */
  readonly store: string;
  /** The label that a token begins with: 1 to 16 characters of `a-z`, `0-9`, the first a letter. */
  readonly label?: string;
  /** Days that a mapping is kept, 1 to 36,525; for ever by default. The next `expire` after that removes it. */
  readonly ttl?: number;
  /**
   * Path of the field that identifies the subject of the value, without arrays. A value then has one token **for each
   * subject**, and `shred` destroys everything of a subject. All rules of a store share one set of subjects, whatever
   * their fields are called: if there is a customer 7 and an employee 7, use two stores. Whether a rule has a subject
   * enters the key.
   */
  readonly subject?: string;
  /**
   * What happens to a value that was erased before: the issue `erased` (`error`, default); a new token that nothing
   * links to the old one (`new`); or the value becomes `null` (`missing`). With `missing`, a token whose value was
   * erased is revealed as `null`, too; otherwise it is the issue `forgotten`.
   */
  readonly onErased?: E;
}

/** The values of the option that have one type of results: `missing` may return `null`, the others never do. */
type Settled<E extends OnErased> = E extends 'missing' ? 'missing' : 'error' | 'new';

/** A `vault` rule. */
export interface VaultRule<Scope extends string = string, E extends OnErased = OnErased> extends Rule {
  readonly rule: 'vault';
  readonly scope: Scope;
  readonly store: string;
  readonly label?: string;
  readonly ttl?: number;
  readonly subject?: string;
  readonly onErased?: E;
  /** Opens the store and does the key set-up. Not enumerable. */
  readonly open: {
    (keys: DomainKeys, stores: Stores): Promise<OpenVault<Scope, E>>;
    (keys: DomainKeys, stores: Stores, access: RevealAccess): Promise<RevealingVault<Scope, E>>;
  };
  /**
   * Imports an export into a store, which may be new or in use. A new store takes over the keys of the export. An
   * import never undoes an erasure: whatever either side has erased stays erased. `erased` of the result counts the
   * rows that were still alive in the store. If two live rows differ, the row of the store stays. An import may be
   * repeated, and exports may be imported in any order. Not enumerable.
   *
   * @throws TrefoilError `export_refused` if the export is incomplete or does not fit this store; `row_broken` if a
   *   line was changed; `wrong_domain`, `unknown_key`, `store_version`. The message says how many rows were written
   *   before. Nothing is erased before the last line of the export was read.
   */
  readonly import: (keys: DomainKeys, stores: Stores, source: ExportSource) => Promise<Imported>;
}

const OPTIONS = ['scope', 'store', 'label', 'ttl', 'subject', 'onErased'] as const;

/**
 * Replaces a value by a random token and keeps the mapping, encrypted, in a store. A stolen store alone is worth
 * nothing. A stolen store with the keys reveals no value that cannot be guessed; docs/security.md says which values can
 * be.
 *
 * The rule waits for its store, so it is opened and not bound: `await rule.open(keys, { main: store })`. A policy with
 * a `vault` rule is opened, too.
 *
 * *Warning*: telephone numbers can be guessed. Anyone with the store and the keys can find every number by trying them
 * all.
 *
 * @throws TypeError, RangeError for options that do not fit. The construction is in docs/spec/vault-v1.md.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 * import { memoryStore, vault } from 'trefoil/vault';
 *
 * const names = vault({ scope: 'person.name', store: 'main', label: 'name' });
 * const keys = keyset.generate().domain('eu-enclave');
 * const open = await names.open(keys, { main: memoryStore() }, revealAccess);
 * const token = await open.protect('Zoë Müller');
 * (await open.protect('Zoë Müller')) === token; // → true
 * await open.reveal(token); // → 'Zoë Müller'
 * await open.forget(token); // → true
 * await open.exists(token); // → true
 * ```
 */
export function vault<
  const Scope extends string,
  const E extends OnErased = 'error',
  const Optional extends boolean = false,
>(
  options: VaultOptions<Scope, E> & { readonly optional?: Optional },
): MayBeAbsent<VaultRule<Scope, Settled<E>>, Optional> {
  const { own, common } = checkRule('vault', options, OPTIONS);
  const settings = readSettings(own);
  const { scope, store, label, subject } = settings;
  const data = {
    rule: 'vault' as const,
    scope,
    store,
    ...given({
      label,
      ttl: own.ttl,
      subject: own.subject,
      onErased: own.onErased,
    }),
    ...common,
  };
  const engine: RuleEngine = {
    facts: factsOf(settings),
    keyed: true,
    cell: 'text',
    removes: false,
    ...given({ needs: subject === null ? undefined : Object.freeze([subject]) }),
    unfit: null,
    needsKeys: (verbs) => vaultKeys(store, scope, subject !== null, verbs),
    bind: () =>
      fail('store_missing', 'a vault waits for its store: open the policy with policy.open(keys, stores), not bind'),
    open: (opened, stores, missing) => openColumns(settings, opened, stores, missing),
    stays: 'its tokens are random, and only its own store knows what they stand for',
  };

  async function open(keys: DomainKeys, stores: Stores, access?: RevealAccess): Promise<OpenVault<Scope, E>> {
    const { opened, revealing } = openFor(keys, access);
    return openVault<Scope, E>(await openScope(settings, opened, stores, ownLists(common)), revealing);
  }

  async function importInto(keys: DomainKeys, stores: Stores, source: ExportSource): Promise<Imported> {
    const opened = openKeys(keys);
    const target = pickStore(stores, store);
    return importStore(source, opened, store, (origin) => sharedSession(target, store, opened, origin));
  }

  return makeRule(data, engine, { open, import: importInto }) as unknown as MayBeAbsent<
    VaultRule<Scope, Settled<E>>,
    Optional
  >;
}

/** The checked options of a rule. */
interface Settings {
  readonly scope: string;
  readonly store: string;
  readonly label: string | undefined;
  /** Days; `null` means for ever. */
  readonly ttl: number | null;
  readonly subject: string | null;
  readonly onErased: OnErased;
}

function readSettings(own: VaultOptions): Settings {
  const scope = checkScope(own);
  const store = checkName('store', own.store);
  const label = checkLabel(own.label);
  const ttl = own.ttl === undefined ? null : checkInteger('ttl', own.ttl, 1, MAX_TTL);
  const subject = own.subject === undefined ? null : checkSubject(own.subject);
  const onErased = own.onErased ?? 'error';
  checkOneOf('onErased', onErased, ['error', 'new', 'missing']);
  return { scope, store, label, ttl, subject, onErased };
}

function checkLabel(label: unknown): string | undefined {
  if (label === undefined) return undefined;
  if (typeof label !== 'string') badType('label', `expected text, got ${typeName(label)}`);
  if (!LABEL.test(label)) badRange('label', 'expected 1 to 16 characters of a-z, 0-9, the first a letter');
  return label;
}

function factsOf({ scope, store, ttl, subject, onErased }: Settings): RuleFacts {
  return {
    what: [
      'replaced by a random token, kept in the store ',
      { quoted: store },
      ttl === null ? '' : ` for ${ttl} days`,
      ...(subject === null ? [] : [', one for each value of each ', { quoted: subject }]),
      onErased === 'missing' ? '; a value that was erased is written as a missing value, and so is its token' : '',
    ],
    origin: 'random',
    back: 'store and key',
    joins: `vault ${scope} ${store} ${subject ?? ''}`,
    scope,
    visible: `which values${subject === null ? '' : ' of one subject'} are equal, and how often each occurs`,
  };
}

/** Opens the rule's store and its scope in it. */
async function openScope(
  settings: Settings,
  opened: OpenedKeys,
  stores: unknown,
  { own, of }: MissingLists,
): Promise<OpenScope> {
  const { scope, store, label, ttl, subject, onErased } = settings;
  const session = await sharedSession(pickStore(stores, store), store, opened);
  // The mapping refuses what was erased, and the verbs of the rule make missing values of it.
  const refuses = onErased === 'new' ? 'new' : 'error';
  const mapping = openMapping(session, { scope, label, ttl, withSubject: subject !== null, onErased: refuses });
  return { session, mapping, subject, onErased, missing: { own, subject: subject === null ? own : of(subject) } };
}

/** The rule's verbs in a policy. They read the subjects from another column of the same records. */
async function openColumns(
  settings: Settings,
  opened: OpenedKeys,
  stores: unknown,
  lists: MissingLists,
): Promise<AsyncColumns> {
  const { mapping, subject, onErased, missing } = await openScope(settings, opened, stores, lists);
  return {
    protect(column, report, siblings, noteErased) {
      protectingKey(opened);
      const verb = sparing(mapping.protect, onErased, noteErased);
      return overValues(verb, column, subject === null ? null : siblings!(subject), missing, report);
    },
    reveal: (column, report, _, noteErased) =>
      overTokens(sparing(mapping.reveal, onErased, noteErased), column, missing, report),
    revealOf:
      subject === null
        ? null
        : (expected) => (column, report, _, noteErased) =>
            overTokensOf(sparing(mapping.revealOf, onErased, noteErased), column, expected, missing, report),
  };
}
