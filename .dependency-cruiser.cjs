// The floors of the house (docs/architecture.md): imports go down, never up, never in a circle.
const floors = [
  ['F0', '^src/(errors\\.ts|core/|wire/)'],
  ['F1', '^src/(kernel/|ff1\\.ts|ff3\\.ts|ip\\.ts)'],
  ['F2', '^src/(format\\.ts|format/|prepare\\.ts|prepare/|keys\\.ts|keys/|reveal\\.ts)'],
  ['F3', '^src/(rule/|vault\\.ts|vault-contract\\.ts|sqlite\\.ts|postgres\\.ts|vault/)'],
  ['F4', '^src/(policy\\.ts|policy/)'],
  ['F5', '^src/(csv\\.ts|ndjson\\.ts|tsv\\.ts|node\\.ts|duckdb\\.ts|io/|files/|duckdb/)'],
  ['F6', '^src/cli/'],
];

const upwards = floors.slice(0, -1).map(([name, path], floor) => ({
  name: `${name}-imports-no-higher-floor`,
  severity: 'error',
  from: { path },
  to: { path: floors.slice(floor + 1).map(([, higher]) => higher) },
}));

module.exports = {
  forbidden: [
    ...upwards,
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphan', severity: 'error', from: { orphan: true, path: '^src/' }, to: {} },
    {
      name: 'only-kernel-imports-noble',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/kernel/' },
      to: { path: 'node_modules/@noble/' },
    },
    {
      name: 'node-only-where-it-must',
      comment: 'The core runs on every runtime; see "The house" in docs/architecture.md.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node\\.ts|duckdb\\.ts|files/|duckdb/|cli/)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'a-rule-imports-no-other-rule',
      severity: 'error',
      from: { path: '^src/rule/(?!rule\\.ts)' },
      to: { path: '^src/rule/', pathNot: '^src/rule/rule\\.ts$' },
    },
    {
      name: 'nothing-imports-the-index',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/index\\.ts$' },
      to: { path: '^src/index\\.ts$' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'] },
    doNotFollow: { path: 'node_modules' },
  },
};
