/**
 * Random histories of a lineage: keys are added, promoted, narrowed and retired; tables are loaded, rekeyed and
 * projected. After each step, tables of one key and domain join exactly where their values are equal, and tables of
 * different keys or domains never do. With TREFOIL_LONG=1 there are more histories.
 */
import { describe, expect, it } from 'vitest';
import { type DomainKeys, type Keyset, keyset, policy, seal, TrefoilError, token } from '../../src/index.ts';
import { addDomain, addKey, promoteKey, retireKey } from '../../src/keys.ts';
import { keyNeeds, narrow, project, rekey } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { type Random, random } from '../reference/random.ts';

const HISTORIES = process.env.TREFOIL_LONG === '1' ? 600 : 15;
const STEPS = 24;
const DOMAINS = ['a', 'b', 'c'] as const;

/** Forms of 128, 122, 60 and 30 bits, and of 12 digits. */
const FORMS = {
  labelled: token({ scope: 'person', label: 'cust' }),
  uuid: token({ scope: 'person', form: 'uuid' }),
  hex: token({ scope: 'person', form: 'hex', length: 15, population: 100 }),
  bare: token({ scope: 'person', form: 'bare', length: 6, population: 20 }),
  digits: token({ scope: 'person', form: 'digits', length: 12, population: 100 }),
} as const;
type Form = keyof typeof FORMS;
const NAMES = Object.keys(FORMS) as Form[];
/** With 30 bits, tokens of different values or keys may be equal by chance. */
const MAY_MEET: ReadonlySet<Form> = new Set(['bare']);

const sheet = policy(FORMS);
/** The sealed name comes along inside a domain only. */
const withName = policy({ ...FORMS, name: seal({ scope: 'person.name' }) });

type Row = Readonly<Record<Form, string>>;

interface Table {
  readonly domain: string;
  /** The shown id of the key that made the values. */
  readonly key: string;
  readonly values: readonly string[];
  readonly rows: readonly Row[];
}

function rowsOf(values: readonly string[]) {
  return values.map((value) => Object.fromEntries(NAMES.map((name) => [name, value])) as Record<Form, string>);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    throw error;
  }
  return 'none';
}

/** Compares every pair of tables. */
function compare(tables: readonly Table[]): { same: number; apart: number } {
  const count = { same: 0, apart: 0 };
  for (const [i, one] of tables.entries()) {
    for (const two of tables.slice(0, i + 1)) {
      const joins = one.domain === two.domain && one.key === two.key;
      for (const name of NAMES) {
        for (const [r, row] of one.rows.entries()) {
          for (const [s, other] of two.rows.entries()) {
            const equal = row[name] === other[name];
            const due = joins && one.values[r] === two.values[s];
            if (equal !== due && (due || !MAY_MEET.has(name))) {
              throw new Error(`${name}: ${equal ? 'meet' : 'do not join'}; ${joins ? 'one key' : 'two keys'}`);
            }
            if (joins) count.same++;
            else count.apart++;
          }
        }
      }
    }
  }
  return count;
}

/** One history. */
class History {
  readonly tables: Table[] = [];
  /** The lineage of each key of a domain: the id of its base. */
  readonly lineages = new Map<string, string>();
  private keys: Keyset;
  private readonly bases = new Map<string, string>();
  private readonly retired = new Set<string>();

  constructor(
    private readonly chance: Random,
    renewable: boolean,
  ) {
    const first = keyset.generate({ renewable });
    this.bases.set(first.primary, renewable ? 'base' : first.primary);
    this.keys = addDomain(addDomain(first, 'b', { of: 'a' }), 'c', { of: 'a' });
    this.note();
  }

  private note(): void {
    for (const domain of DOMAINS) {
      this.lineages.set(`${domain} ${this.keys.domain(domain).keyId}`, this.bases.get(this.keys.primary)!);
    }
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.chance.below(list.length)]!;
  }

  private lineageOf({ domain, key }: { domain: string; key: string }): string {
    return this.lineages.get(`${domain} ${key}`)!;
  }

  rotate(): string {
    if (this.keys.ids.length > 6) return 'nothing';
    const newLineage = this.chance.below(8) === 0;
    const before = new Set(this.keys.ids);
    this.keys = addKey(this.keys, { newLineage });
    const id = this.keys.ids.find((one) => !before.has(one))!;
    this.bases.set(id, newLineage ? id : this.bases.get(this.keys.primary)!);
    return 'rotate';
  }

  promote(): string {
    const others = this.keys.ids.filter((one) => this.bases.has(one) && one !== this.keys.primary);
    if (others.length === 0) return 'nothing';
    const id = this.pick(others);
    this.keys = promoteKey(this.keys, id);
    this.note();
    return 'promote';
  }

  load(): string {
    const domain = this.pick(DOMAINS);
    const values = Array.from({ length: 1 + this.chance.below(4) }, () => `v${this.chance.below(6)}`);
    const keys = this.keys.domain(domain);
    this.tables.push({ domain, key: keys.keyId, values, rows: sheet.bind(keys).protectMany(rowsOf(values)) as never });
    return 'load';
  }

  /** Rekeys a table, mostly with a key file that is narrowed to that. */
  rekey(): string {
    if (this.tables.length === 0) return 'nothing';
    const table = this.pick(this.tables);
    const full = this.keys.domain(table.domain);
    const isThere = Object.hasOwn(full.keyCheck, table.key);
    const narrowed = this.chance.below(2) === 0 ? null : this.narrowed(table.domain);
    // A narrowed file lacks a key of another lineage that has no permutation.
    const keys = narrowed !== null && (!isThere || Object.hasOwn(narrowed.keyCheck, table.key)) ? narrowed : full;
    const run = () =>
      rekey(sheet, { from: keys, to: keys, fromKey: table.key }).rekeyMany(table.rows as never) as never;
    if (!isThere) {
      expect(
        codeOf(() => rekey(policy({ labelled: FORMS.labelled }), { from: keys, to: keys }).rekeyMany(labelled(table))),
      ).toBe('key_retired');
      return 'key is retired';
    }
    if (table.key === full.keyId) {
      expect(codeOf(run)).toBe('epoch_required');
      return 'already there';
    }
    if (this.lineageOf(table) !== this.lineageOf({ domain: table.domain, key: full.keyId })) {
      expect(codeOf(run)).toBe('not_renewable');
      return 'other lineage';
    }
    this.tables.push({ ...table, key: full.keyId, rows: run() });
    return keys === full ? 'rekey' : 'rekey with narrowed keys';
  }

  private narrowed(domain: string): DomainKeys | null {
    try {
      const own = policy(FORMS, { domain });
      const { keyset: made, branchCheck } = narrow(this.keys, own, { verbs: ['rekey'] });
      return made.domain(domain, { branchCheck });
    } catch (error) {
      // In a first epoch there is no permutation, and so nothing to hand out.
      if (error instanceof TrefoilError && error.code === 'not_granted') return null;
      throw error;
    }
  }

  project(): string {
    if (this.tables.length === 0) return 'nothing';
    const table = this.pick(this.tables);
    const domain = this.pick(DOMAINS.filter((name) => name !== table.domain));
    const [from, to] = [this.keys.domain(table.domain), this.keys.domain(domain)];
    if (!Object.hasOwn(from.keyCheck, table.key)) return 'nothing';
    const run = () => project(sheet, { from, to, fromKey: table.key }).projectMany(table.rows as never) as never;
    if (this.lineageOf(table) !== this.lineageOf({ domain, key: to.keyId })) {
      expect(codeOf(run)).toBe('not_related');
      return 'not related';
    }
    this.tables.push({ ...table, domain, key: to.keyId, rows: run() });
    return table.domain === 'a' ? 'project' : 'relink';
  }

  retire(): string {
    const id = this.pick(this.keys.ids.filter((one) => this.bases.has(one)));
    const options = { at: '2027-01-31', domains: DOMAINS };
    const isNeeded =
      id === this.keys.primary ||
      [...this.bases].some(([one, base]) => base === id && one !== id && !this.retired.has(one));
    const code = codeOf(() => {
      this.keys = retireKey(this.keys, id, options);
    });
    expect(code).toBe(isNeeded ? 'key_in_use' : 'none');
    if (code === 'key_in_use') return 'key in use';
    this.bases.delete(id);
    this.retired.add(id);
    return 'retire';
  }

  /** A table with a sealed name: the key of all of its values is the primary one after rekeying. */
  renameAll(): string {
    const keys = this.keys.domain('a');
    const old = Object.keys(keys.keyCheck).at(-1)!;
    if (
      old === keys.keyId ||
      this.lineageOf({ domain: 'a', key: old }) !== this.lineageOf({ domain: 'a', key: keys.keyId })
    )
      return 'nothing';
    const before = promoteKey(this.keys, this.rootOf(old)).domain('a');
    const rows = [{ ...rowsOf(['v1'])[0]!, name: 'Ada' }];
    const moved = rekey(withName, { from: keys, to: keys, fromKey: old }, revealAccess).rekeyMany(
      withName.bind(before).protectMany(rows) as never,
    );
    expect(moved).toEqual(withName.bind(keys).protectMany(rows));
    return 'with a sealed name';
  }

  private rootOf(shown: string): string {
    return this.keys.ids.find((id) => this.bases.has(id) && promoteKey(this.keys, id).domain('a').keyId === shown)!;
  }
}

function labelled({ rows }: Table): never {
  return rows.map((row) => ({ labelled: row.labelled })) as never;
}

const ACTIONS = [
  ...(['rotate', 'promote', 'promote', 'load', 'load', 'project', 'project', 'retire', 'renameAll'] as const),
  ...(['rekey', 'rekey', 'rekey', 'rekey'] as const),
] as const;

describe('random histories', () => {
  it(
    `${HISTORIES} of them: joins that should hold do, and others never`,
    () => {
      const done = new Map<string, number>();
      const count = { same: 0, apart: 0 };
      for (let i = 0; i < HISTORIES; i++) {
        const chance = random(`history ${i} ${process.env.TREFOIL_SEED ?? ''}`);
        const history = new History(chance, chance.below(2) === 0);
        history.load();
        for (let step = 0; step < STEPS; step++) {
          const name = history[ACTIONS[chance.below(ACTIONS.length)]!]();
          done.set(name, (done.get(name) ?? 0) + 1);
        }
        const { same, apart } = compare(history.tables);
        count.same += same;
        count.apart += apart;
      }
      expect(count.same).toBeGreaterThan(50 * HISTORIES);
      expect(count.apart).toBeGreaterThan(50 * HISTORIES);
      for (const name of [
        'rekey',
        'rekey with narrowed keys',
        'project',
        'relink',
        'retire',
        'promote',
        'with a sealed name',
      ]) {
        expect(done.get(name) ?? 0, name).toBeGreaterThan(0);
      }
    },
    HISTORIES * 5_000,
  );

  it('a retired key that is kept as branches still renews', () => {
    const first = keyset.generate({ renewable: true });
    const both = addKey(first);
    const second = promoteKey(both, both.ids.at(-1)!);
    const own = policy(FORMS, { domain: 'a' });
    const keep = keyNeeds(own, { verbs: ['rekey'] });
    const after = retireKey(second, first.primary, { at: '2027-01-31', domains: ['a'], keep });
    const keys = after.domain('a', { branchCheck: after.domain('a').branchCheck! });
    const old = first.domain('a');
    const rows = rowsOf(['v1', 'v2']);
    const moved = rekey(own, { from: keys, to: keys, fromKey: old.keyId }).rekeyMany(
      own.bind(old).protectMany(rows) as never,
    );
    expect(moved).toEqual(own.bind(second.domain('a')).protectMany(rows));
  });
});
