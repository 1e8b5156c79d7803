// The floors of src/ (docs/architecture.md). A file imports from its own floor and from lower ones, never from a higher
// one, and imports never form a circle.
const floors = [
  ['F0', '^src/(errors\\.ts|core/|wire/)'],
  ['F1', '^src/(kernel/|ff1\\.ts|ff3\\.ts|ip\\.ts)'],
  [
    'F2',
    '^src/(format\\.ts|format/|prepare\\.ts|prepare/|keys\\.ts|keys/|testing\\.ts|custody\\.ts|custody/|reveal\\.ts|note/|log\\.ts|log/)',
  ],
  [
    'F3',
    '^src/(rule/|vault\\.ts|vault-contract\\.ts|vault-sqlite\\.ts|vault-postgres\\.ts|vault/|govern\\.ts|govern/)',
  ],
  ['F4', '^src/(policy\\.ts|policy/)'],
  ['F5', '^src/(csv\\.ts|ndjson\\.ts|tsv\\.ts|node\\.ts|duckdb\\.ts|gateway\\.ts|gateway/|io/|files/|duckdb/)'],
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
      comment: 'The core runs on every runtime, so it imports no module of Node; see docs/architecture.md.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node\\.ts|duckdb\\.ts|files/|duckdb/|cli/)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'a-rule-imports-no-other-rule',
      comment:
        'What several rules need is in one of the shared files that pathNot names. A rule may have a folder of its own.',
      severity: 'error',
      from: { path: '^src/rule/([a-z-]+)' },
      to: {
        path: '^src/(rule/|vault[a-z-]*\\.ts$)',
        pathNot: '^src/rule/((rule|options|missing|columns|once-each|binding)\\.ts$|$1/)',
      },
    },
    {
      name: 'the-vault-knows-no-rule',
      comment: 'The rule `vault` imports mappings and stores; they do not import it.',
      severity: 'error',
      from: { path: '^src/vault/' },
      to: { path: '^src/rule/' },
    },
    {
      name: 'a-kernel-imports-aes-prf-and-the-root-alone',
      comment:
        'The primitives do not depend on each other. Code that several of them need is in aes/, prf/ or kernel/ itself.',
      severity: 'error',
      from: { path: '^src/kernel/([a-z0-9]+)/' },
      to: { path: '^src/(kernel/[a-z0-9]+/|[a-z0-9]+\\.ts$)', pathNot: '^src/(kernel/($1|aes|prf)/|errors\\.ts)' },
    },
    {
      name: 'the-root-of-the-kernel-imports-none-of-its-folders',
      comment: 'Otherwise one folder would reach another through a file that all may import.',
      severity: 'error',
      from: { path: '^src/kernel/[a-z0-9-]+\\.ts$' },
      to: { path: '^src/kernel/[a-z0-9]+/' },
    },
    {
      name: 'every-file-is-on-a-floor',
      comment: 'A new folder or root file is added to the floors above, or nothing would check its imports.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [...floors.map(([, path]) => path), '^src/index\\.ts$'] },
    },
    {
      name: 'rows-know-no-mapping',
      comment: 'The form of a row does not depend on the operations on mappings.',
      severity: 'error',
      from: { path: '^src/vault/(rows|stores)/' },
      to: { path: '^src/vault/', pathNot: '^src/vault/((rows|stores)/|(days|map-key)\\.ts$)' },
    },
    {
      name: 'commands-never-import-each-other',
      severity: 'error',
      from: { path: '^src/cli/commands/(.+)\\.ts$' },
      to: { path: '^src/cli/commands/', pathNot: '^src/cli/commands/$1\\.ts$' },
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
