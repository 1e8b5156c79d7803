// Mutation testing, one group of files at a time: `npm run mutation` for FF1, `MUTATE=permutation npm run mutation`
// for the next. docs/contributing.md has the groups, the scores and what survives.

const kernel = (...names) => names.map((name) => `src/kernel/${name}.ts`);
const format = (...names) => names.map((name) => `src/format/${name}.ts`);

const groups = {
  ff1: kernel('ff1', 'ff1-halves', 'ff1-prf', 'ff1-rounds', 'ff1-rounds-short', 'alphabet', 'cycle-walking'),
  permutation: kernel('table', 'sometimes-recurse', 'small-space'),
  text: format('engine', 'cipher', 'text', 'pattern', 'lengths', 'enum', 'number', 'date', 'uuid', 'clear'),
  money: format('card', 'iban', 'iban-account', 'iban-national', 'iban-weighted'),
  composed: format('seq', 'one-of', 'compose', 'outline', 'case-kept', 'email', 'email-local', 'phone'),
  language: ['src/format/regex.ts', 'src/format/language/*.ts'],
};

const name = process.env.MUTATE ?? 'ff1';
if (!Object.hasOwn(groups, name)) throw new Error(`MUTATE is one of ${Object.keys(groups).join(', ')}`);

export default {
  mutate: groups[name],
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // Tables and constants of a module are made once, when it is loaded: a mutant there wants a new process.
  ignoreStatic: true,
  concurrency: 1,
  // A loop that a mutant made endless is stopped by its count of passes; the time is for the others.
  timeoutMS: 3_000,
  timeoutFactor: 1.5,
  incremental: true,
  incrementalFile: `reports/mutation/${name}-incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { logTests: false, allowColor: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  ignorePatterns: ['biome.json', 'dist', 'demo-out', 'docs', 'bench', 'coverage', 'reports', 'test/runtime', 'test/cli', '*.tgz'],
  tempDirName: '.stryker-tmp',
  allowEmpty: false,
};
