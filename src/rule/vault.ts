/**
 * `vault`: random tokens, and an encrypted mapping in a store (docs/spec/vault-v1.md). What it writes is not derived from
 * the value, can be forgotten one person at a time, and needs store, key and token to be turned back.
 */

import type { VaultToken } from '../core/brands.ts';
import type { RevealAccess } from '../core/capability.ts';
import { badRange, badType, checkInteger, checkName, checkOptions, checkText, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import { fail, type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
import { type DomainKeys, type OpenedKeys, openKeys, protectingKey } from '../keys/domain-keys.ts';
import { type Mapping, openMapping } from '../vault/mapping/mapping.ts';
import type { Named } from '../vault/mapping/values.ts';
import { type Origin, openSession, pickStore, type Session, type Stores } from '../vault/session.ts';
import {
  isCertificate,
  type ShredCertificate,
  type ShredOptions,
  type SubjectNow,
  shredSubject,
  subjectNow,
} from '../vault/shredding.ts';
import type { VaultStore } from '../vault/stores/store.ts';
import { type ExportOptions, exportStore } from '../vault/transfer/export.ts';
import { type ExportSource, type Imported, importStore } from '../vault/transfer/import.ts';
import {
  type Rekeyed,
  rekeyOuter,
  statsOf,
  sweep,
  type VaultStats,
  type Verified,
  verifyStore,
} from '../vault/upkeep/stores.ts';
import { rekeyTokens, verifyTokens } from '../vault/upkeep/tokens.ts';
import { LABEL } from '../wire/labelled-token.ts';
import { openFor } from './binding.ts';
import { checkEmpty, checkRule, checkScope, checkSubject, checkSubjectText } from './options.ts';
import { type AsyncVerb, type Common, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** Days that a mapping may be kept at most: a hundred years. */
const MAX_TTL = 36_525;

/** Options of {@link vault}. */
export interface VaultOptions<Scope extends string = string> extends Common {
  /** Values of one scope of one store have one token. Enters the key. */
  readonly scope: Scope;
  /** Name of the store, which is handed over when the policy is opened: a policy holds no handle. Enters the key. */
  readonly store: string;
  /** A label before the token: `[a-z][a-z0-9]{0,15}`. */
  readonly token?: { readonly label: string };
  /** Days that a mapping is kept, 1 to 36,525; for ever by default. It is gone after the next `expire`. */
  readonly ttl?: number;
  /**
   * Path of the field that says whose value it is, without arrays. Tokens are then one for each value **of a subject**, and
   * `shred` destroys everything of one. Subjects of one store are one set, whatever field names them: customer 7 and
   * employee 7 want two stores. Whether there is one enters the key.
   */
  readonly subject?: string;
  /** What a value does that was erased before: `error` (default), or `new` for a fresh token that nothing links to the old. */
  readonly onErased?: 'error' | 'new';
  /** Whether the empty string passes as empty (default) or gets a token. */
  readonly empty?: 'keep' | 'protect';
}

/** A `vault` rule. */
export interface VaultRule<Scope extends string = string> extends Rule {
  readonly rule: 'vault';
  readonly scope: Scope;
  readonly store: string;
  readonly token?: { readonly label: string };
  readonly ttl?: number;
  readonly subject?: string;
  readonly onErased?: 'error' | 'new';
  readonly empty?: 'keep' | 'protect';
  /** Opens the store and makes the keys. Not enumerable. */
  readonly open: {
    (keys: DomainKeys, stores: Stores): Promise<OpenVault<Scope>>;
    (keys: DomainKeys, stores: Stores, access: RevealAccess): Promise<RevealingVault<Scope>>;
  };
  /**
   * Joins an export with the whole store, which may be in use or new: a new one begins with the keys of the export. What was
   * erased on either side is erased, and `erased` counts what lived in the store until then; of two live rows that differ the
   * one that is there stays. It may be begun again, in any order of exports. Not enumerable.
   *
   * @throws TrefoilError `export_refused` for what is no whole export, or not one for this store; `row_broken` for a line
   *   that was changed; `wrong_domain`, `unknown_key`, `store_version`. The message says how many rows were written before;
   *   nothing is erased before the last line of the export has come.
   */
  readonly import: (keys: DomainKeys, stores: Stores, source: ExportSource) => Promise<Imported>;
}

type Missing<V> = Extract<V, null | undefined>;
type Subject = string | number | bigint | null | undefined;

/** Whose value it is, for a rule with a `subject`. */
export interface OfSubject {
  readonly subject?: Subject;
}

/** The same for a column. */
export interface OfSubjects {
  readonly subjects?: readonly Subject[];
}

/** A `vault` rule with its keys and store. */
export interface OpenVault<Scope extends string = string> {
  /** The token of a value: the one it has, or a new one. `null` and `undefined` pass. */
  readonly protect: <V extends string | null | undefined>(
    value: V,
    options?: OfSubject,
  ) => Promise<VaultToken<Scope> | Missing<V>>;
  /** The tokens of a column, in batches of 1,000. Throws once, with the first 100 issues and their rows from 1. */
  readonly protectMany: <V extends string | null | undefined>(
    column: readonly V[],
    options?: OfSubjects,
  ) => Promise<(VaultToken<Scope> | Missing<V>)[]>;
  /** The token that a value has, or `null`; nothing is made. */
  readonly lookup: (value: string, options?: OfSubject) => Promise<VaultToken<Scope> | null>;
  /** Whether the vault gave this token out in this scope, also if it was forgotten since. */
  readonly exists: (token: string) => Promise<boolean>;
  /** Opens every row of the store and holds the tables against each other; with tokens, both rows of each to the bottom. */
  readonly verify: (options?: { readonly tokens: readonly string[] }) => Promise<Verified>;
  /**
   * Brings the whole store under the primary key's outer layer; with tokens, their mappings under its inner layer. Others
   * may work meanwhile, and it may be stopped and begun again.
   */
  readonly rekey: (options?: { readonly tokens: readonly string[] }) => Promise<Rekeyed>;
  /** Sizes, and the keys that the rows are under. */
  readonly stats: () => Promise<VaultStats>;
  /**
   * The rows of the whole store as lines of text, sealed as they are in it, for {@link VaultRule.import}. Others may work
   * meanwhile. What came without its last line is not whole.
   *
   * @throws TrefoilError `row_broken` for a row that does not verify, unless there is `onBroken`; `store_busy` when the keys
   *   of the store are changed meanwhile.
   */
  readonly export: (options?: ExportOptions) => AsyncIterable<string>;
}

/** A `vault` rule that may reveal, and erase. */
export interface RevealingVault<Scope extends string = string> extends OpenVault<Scope> {
  /**
   * The value behind a token.
   *
   * @throws TrefoilError `malformed_token`, `unknown_token` (another scope, domain or store, or expired), `forgotten`,
   *   and one opaque `row_broken`.
   */
  readonly reveal: <V extends VaultToken<Scope> | null | undefined>(token: V) => Promise<string | Missing<V>>;
  /** The values behind a column of tokens. */
  readonly revealMany: <V extends VaultToken<Scope> | null | undefined>(
    tokens: readonly V[],
  ) => Promise<(string | Missing<V>)[]>;
  /** Destroys the mapping of a token and keeps the pseudonym; tells whether it was still there. */
  readonly forget: (token: string) => Promise<boolean>;
  /** Removes, from all of the store, what has expired by `now` (milliseconds; the clock by default); tells how many rows. */
  readonly expire: (now?: number) => Promise<number>;
  /**
   * Destroys the key of everything of a subject in this store, in all scopes, and gives a certificate. `null`, and
   * nothing is done, when the store does not know the subject: it was mistyped, or this is another store. With
   * `inAdvance` such a subject is refused from then on, and the certificate says so.
   *
   * @throws TrefoilError `missing_subject`; `row_broken` where the row of the subject does not verify, and nothing is
   * done.
   */
  readonly shred: (subject: string | number | bigint, options?: ShredOptions) => Promise<ShredCertificate | null>;
  /** Whether a certificate is this store's, unchanged, and of this subject; with `null` as the subject: of any. */
  readonly isCertificate: (certificate: ShredCertificate, subject: string | number | bigint | null) => boolean;
  /**
   * What this store has now of the subject of a certificate: `erased`; `alive`, if the subject came back after its erasure
   * or the certificate is from another store of the same name and keys; `unknown`. `null` if the certificate does not verify.
   *
   * @throws TrefoilError `row_broken` where the row of the subject does not verify.
   */
  readonly stateOf: (certificate: ShredCertificate) => Promise<SubjectNow | null>;
}

const OPTIONS = ['scope', 'store', 'token', 'ttl', 'subject', 'onErased', 'empty'] as const;

/**
 * A random token for each value, and the way back in a store. A stolen store is worth nothing, and a stolen store with the
 * keys shows nothing about values that nobody can guess (docs/security.md says which can be).
 *
 * It waits for its store, so a rule and a policy with one are opened, not bound: `await rule.open(keys, { main: store })`.
 *
 * *Warning*: a telephone number can be guessed. Who has store and keys finds every one by trying all.
 *
 * @throws TypeError, RangeError for options that do not fit; see docs/spec/vault-v1.md for the construction.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 * import { memoryStore, vault } from 'trefoil/vault';
 *
 * const names = vault({ scope: 'person.name', store: 'main', token: { label: 'name' } });
 * const keys = keyset.generate().domain('eu-enclave');
 * const open = await names.open(keys, { main: memoryStore() }, revealAccess);
 * const token = await open.protect('Zoë Müller');
 * (await open.protect('Zoë Müller')) === token; // → true
 * await open.reveal(token); // → 'Zoë Müller'
 * await open.forget(token); // → true
 * await open.exists(token); // → true
 * ```
 */
export function vault<const Scope extends string, const Optional extends boolean = false>(
  options: VaultOptions<Scope> & { readonly optional?: Optional },
): MayBeAbsent<VaultRule<Scope>, Optional> {
  const { own, common } = checkRule('vault', options, OPTIONS);
  const scope = checkScope(own) as Scope;
  const store = checkName('store', own.store);
  const label = checkLabel(own.token);
  const ttl = own.ttl === undefined ? null : checkInteger('ttl', own.ttl, 1, MAX_TTL);
  const subject = own.subject === undefined ? null : checkSubject(own.subject);
  const onErased = own.onErased ?? 'error';
  if (onErased !== 'error' && onErased !== 'new') badRange('onErased', 'expected error or new');
  const empty = checkEmpty(own.empty);
  const data = {
    rule: 'vault' as const,
    scope,
    store,
    ...(label === undefined ? {} : { token: Object.freeze({ label }) }),
    ...given({ ttl: own.ttl, subject: own.subject, onErased: own.onErased, empty: own.empty }),
    ...common,
  };

  async function openWith(opened: OpenedKeys, stores: unknown): Promise<{ session: Session; mapping: Mapping }> {
    const session = await sessionOf(pickStore(stores, store), store, opened);
    const withSubject = subject !== null;
    return { session, mapping: openMapping(session, { scope, label, ttl, withSubject, onErased }) };
  }

  const passes = (value: unknown) => value === null || value === undefined || (value === '' && empty === 'keep');

  /** Values with their subjects through a verb; what passes is left out. */
  async function overValues<T>(
    verb: (values: readonly Named[], report: ReportIssue) => Promise<(T | undefined)[]>,
    column: readonly unknown[],
    subjects: readonly unknown[] | null,
    report: ReportIssue,
  ): Promise<unknown[]> {
    const out = new Array<unknown>(column.length);
    const named: Named[] = [];
    const rows: number[] = [];
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      if (passes(value)) {
        out[i] = value;
        continue;
      }
      try {
        const text = checkText(value);
        named.push({ value: text, subject: subject === null ? null : subjectText(subjects?.[i]) });
        rows.push(i);
      } catch (error) {
        report(i, issueOf(error));
      }
    }
    const done = named.length === 0 ? [] : await verb(named, (k, issue) => report(rows[k]!, issue));
    for (let k = 0; k < rows.length; k++) out[rows[k]!] = done[k];
    return out;
  }

  /** The same for tokens. */
  async function overTokens<T>(
    verb: (tokens: readonly string[], report: ReportIssue) => Promise<(T | undefined)[]>,
    column: readonly unknown[],
    report: ReportIssue,
  ): Promise<unknown[]> {
    const alone = (values: readonly Named[], inner: ReportIssue) =>
      verb(
        values.map(({ value }) => value),
        inner,
      );
    const none = column.map(() => 'none');
    return overValues(alone, column, none, report);
  }

  const engine: RuleEngine = {
    facts: {
      what: [
        'replaced by a random token, kept in the store ',
        { quoted: store },
        ttl === null ? '' : ` for ${ttl} days`,
        ...(subject === null ? [] : [', one for each value of a ', { quoted: subject }]),
      ],
      origin: 'random',
      back: 'store and key',
      joins: `vault ${scope} ${store} ${subject ?? ''}`,
      scope,
      visible: 'which values are equal, and how often each occurs',
    },
    keyed: true,
    needsPin: false,
    cell: 'text',
    removes: false,
    ...(subject === null ? {} : { needs: Object.freeze([subject]) }),
    unfit: null,
    bind: () =>
      fail('store_missing', 'a vault waits for its store: open the policy with policy.open(keys, stores), not bind'),
    async open(opened, stores) {
      const { mapping } = await openWith(opened, stores);
      const protect: AsyncVerb = (column, report, siblings) => {
        protectingKey(opened);
        return overValues(mapping.protect, column, subject === null ? null : siblings!(subject), report);
      };
      return { protect, reveal: (column, report) => overTokens(mapping.reveal, column, report) };
    },
  };

  async function open(keys: DomainKeys, stores: Stores, access?: RevealAccess): Promise<OpenVault<Scope>> {
    const { opened, revealing } = openFor(keys, access);
    const { session, mapping } = await openWith(opened, stores);
    const subjectsOf = (options: unknown, name: 'subject' | 'subjects', count: number): readonly unknown[] | null => {
      const said = options === undefined ? undefined : checkOptions('options', options, [name])[name];
      if (subject === null) {
        if (said !== undefined) badRange(name, 'is for rules with a subject');
        return null;
      }
      if (name === 'subject') return [said];
      if (!Array.isArray(said)) badType('subjects', `expected an array, got ${typeName(said)}`);
      if (said.length !== count) badRange('subjects', 'expected as many subjects as there are values');
      return said;
    };

    const verbs = {
      protect: (value: unknown, options?: unknown) => {
        protectingKey(opened);
        return one((report) => overValues(mapping.protect, [value], subjectsOf(options, 'subject', 1), report));
      },
      protectMany: (column: unknown, options?: unknown) => {
        protectingKey(opened);
        const values = checkColumn(column);
        const subjects = subjectsOf(options, 'subjects', values.length);
        return many((report) => overValues(mapping.protect, values, subjects, report));
      },
      lookup: (value: unknown, options?: unknown) =>
        one((report) => overValues(mapping.lookup, [checkText(value)], subjectsOf(options, 'subject', 1), report)),
      exists: (token: unknown) => one((report) => mapping.exists([checkText(token)], report)),
      verify: async (options?: unknown) =>
        options === undefined ? verifyStore(session) : verifyTokens(mapping, tokensOf(options)),
      rekey: async (options?: unknown) =>
        options === undefined ? rekeyOuter(session) : rekeyTokens(session, mapping, tokensOf(options)),
      stats: () => statsOf(session),
      export: (options: unknown = {}) => {
        const { onBroken } = checkOptions('options', options, ['onBroken']);
        if (onBroken !== undefined && typeof onBroken !== 'function') {
          badType('onBroken', `expected a function, got ${typeName(onBroken)}`);
        }
        return exportStore(session, { onBroken: onBroken as ExportOptions['onBroken'] });
      },
      ...(revealing && {
        reveal: (token: unknown) => one((report) => overTokens(mapping.reveal, [token], report)),
        revealMany: (tokens: unknown) => many((report) => overTokens(mapping.reveal, checkColumn(tokens), report)),
        forget: (token: unknown) => one((report) => mapping.forget([checkText(token)], report)),
        expire: (now?: number) => sweep(session, now),
        shred: async (who: unknown, options: unknown = {}) => {
          const { inAdvance } = checkOptions('options', options, ['inAdvance']);
          if (inAdvance !== undefined && inAdvance !== true) badRange('inAdvance', 'expected true, or nothing');
          return shredSubject(session, subjectText(who), inAdvance === true);
        },
        isCertificate: (certificate: unknown, who: unknown) =>
          isCertificate(session, checkCertificate(certificate), who === null ? null : subjectText(who)),
        stateOf: async (certificate: unknown) => {
          const own = Object.freeze({ ...checkCertificate(certificate) });
          return isCertificate(session, own, null) ? subjectNow(session, own) : null;
        },
      }),
    };
    return Object.freeze(verbs) as unknown as OpenVault<Scope>;
  }

  async function importInto(keys: DomainKeys, stores: Stores, source: ExportSource): Promise<Imported> {
    const opened = openKeys(keys);
    const place = pickStore(stores, store);
    return importStore(source, opened, store, (origin) => sessionOf(place, store, opened, origin));
  }

  return makeRule(data, engine, { open, import: importInto }) as unknown as MayBeAbsent<VaultRule<Scope>, Optional>;
}

/** Sessions of stores, so that the rules of one policy share what is known of their store. */
const sessions: WeakMap<VaultStore, { opened: OpenedKeys; name: string; session: Promise<Session> }[]> =
  /* @__PURE__ */ new WeakMap();

function sessionOf(store: VaultStore, name: string, opened: OpenedKeys, origin?: Origin): Promise<Session> {
  const known = sessions.get(store) ?? [];
  const found = known.find((one) => one.opened === opened && one.name === name);
  // What others have changed since is read anew.
  if (found !== undefined) return found.session.then((session) => session.refresh().then(() => session));
  const session = openSession(store, name, opened, origin);
  sessions.set(store, [...known, { opened, name, session }]);
  // What could not be opened may be the next time.
  session.catch(() => {
    sessions.set(
      store,
      (sessions.get(store) ?? []).filter((one) => one.session !== session),
    );
  });
  return session;
}

async function one(work: (report: ReportIssue) => Promise<unknown[]>): Promise<unknown> {
  const issues: Issue[] = [];
  const [out] = await work((_, issue) => issues.push(issue));
  if (issues.length > 0) throw new TrefoilError(issues);
  return out;
}

async function many(work: (report: ReportIssue) => Promise<unknown[]>): Promise<unknown[]> {
  const issues: (Issue & { row: number })[] = [];
  const out = await work((row, issue) => issues.push({ ...issue, row: row + 1 }));
  issues.sort((a, b) => a.row - b.row);
  if (issues.length > 0) throw new TrefoilError(issues.slice(0, MAX_ISSUES), issues.length);
  return out;
}

function tokensOf(options: unknown): readonly string[] {
  return checkColumn(checkOptions('options', options, ['tokens']).tokens);
}

function checkColumn<T>(column: unknown): readonly T[] {
  if (!Array.isArray(column)) badType('column', `expected an array, got ${typeName(column)}`);
  return column;
}

function checkLabel(token: unknown): string | undefined {
  if (token === undefined) return undefined;
  const { label } = checkOptions('token', token, ['label']);
  if (typeof label !== 'string' || !LABEL.test(label)) badRange('label', 'expected [a-z][a-z0-9]{0,15}');
  return label;
}

function checkCertificate(value: unknown): ShredCertificate {
  if (typeof value !== 'object' || value === null) {
    badType('certificate', `expected an object, got ${typeName(value)}`);
  }
  return value as ShredCertificate;
}

function subjectText(value: unknown): string {
  const text = value === null || value === undefined ? '' : inputText(value);
  return checkSubjectText(text, 'value', 'it cannot go into the vault');
}
