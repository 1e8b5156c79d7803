/**
 * The groups of files that are mutated together, and the tests that run for each group. The environment variable
 * `MUTATE` names the group; the default is FF1.
 */
const kernel = (...names) => names.map((name) => `src/kernel/${name}.ts`);
const format = (...names) => names.map((name) => `src/format/${name}.ts`);
const own = (...names) => names.map((name) => `test/${name}.test.ts`);

/** @type {Readonly<Record<string, { readonly mutate: readonly string[], readonly tests: readonly string[] }>>} */
export const groups = {
  ff1: {
    mutate: kernel('ff1/*', 'alphabet', 'domain'),
    tests: own(
      'mutation/ff1',
      'kernel/ff1/ff1',
      'kernel/ff1/many',
      'kernel/ff1/cycle-walking',
      'kernel/ff1/rounds-binary',
    ),
  },
  permutation: {
    mutate: kernel('permutation/table', 'permutation/sometimes-recurse', 'permutation/small-space'),
    tests: own('mutation/permutation', 'kernel/permutation/permutation'),
  },
  text: {
    mutate: format('engine', 'cipher', 'text', 'pattern', 'lengths', 'composed/clear'),
    tests: own('format/format', 'rule/fpe'),
  },
  card: { mutate: format('card/card'), tests: own('format/card') },
  iban: {
    mutate: format('iban/iban', 'iban/account', 'iban/national', 'iban/weighted'),
    tests: own('format/iban'),
  },
  phone: { mutate: format('phone/phone'), tests: own('format/phone') },
  number: { mutate: format('number'), tests: own('format/number') },
  date: { mutate: format('date'), tests: own('format/date') },
  small: { mutate: format('uuid', 'enum'), tests: own('format/uuid', 'format/enum') },
  email: { mutate: format('email/email', 'email/local', 'email/mask'), tests: own('format/email') },
  'case-kept': { mutate: format('case-kept'), tests: own('format/case-kept') },
  composed: {
    mutate: format('composed/*'),
    tests: own('format/seq', 'format/one-of'),
  },
  language: { mutate: ['src/format/regex.ts', 'src/format/language/*.ts'], tests: own('format/regex') },
};

/** The name of the chosen group. */
export const name = process.env.MUTATE ?? 'ff1';

export function group() {
  if (!Object.hasOwn(groups, name)) throw new Error(`MUTATE must be one of ${Object.keys(groups).join(', ')}`);
  return groups[name];
}
