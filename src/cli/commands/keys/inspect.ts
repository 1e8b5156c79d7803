/// <reference types="node" />
/** `trefoil keys inspect`: shows what a key file consists of, and the pins of a domain, never its keys. */

import type { Command } from 'commander';
import { given } from '../../../core/given.ts';
import { type DescribedKeyset, describeKeyset } from '../../../keys/described.ts';
import type { DomainKeys, Keyset } from '../../../keys.ts';
import { lacking } from '../../../policy/explain/lacking.ts';
import {
  type FieldRotation,
  type LostJoin,
  lostJoins,
  rotationKeys,
  rotationOf,
} from '../../../policy/explain/rotation.ts';
import type { FilePolicy } from '../../../policy.ts';
import { keyLines, lostText, pinLines, pinsOf } from '../../custody/words.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, filesOption, nameOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy } from '../../policy-file.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
With --domain it prints, for each key, the line that pins it in a policy. Put
one of them into the policy file; a run with other keys then stops before its
first row. Neither ids nor key checks are secret.

With --policy it also says which of its fields lack keys here, and what a
rotation does to each of them.

Examples:
  trefoil keys inspect --keys keys.json
  trefoil keys inspect --keys keys.json --domain eu-enclave
  trefoil keys inspect --keys keys.json --policy people.policy.yaml`;

interface InspectOptions extends KeyOptions {
  readonly domain?: string;
  readonly policy?: readonly string[];
  readonly json?: boolean;
}

/** What the command says about one policy. */
interface PolicyReport {
  readonly policy: string;
  readonly fields: readonly FieldRotation[];
  /** Fields whose keys the key file does not have. */
  readonly lacking: readonly string[];
  /** Fields of which it has the keys of some periods, and not of all. */
  readonly somePeriods: readonly string[];
}

export function addKeysInspect(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .summary('show what a key file consists of, never the keys')
    .description(
      'Shows what each root key does, the key ids and key checks of a domain, and what a rotation changes. ' +
        'It never shows keys.',
    )
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(nameOption('--domain', 'domain whose key ids and key checks are shown'))
    .addOption(filesOption('--policy', 'policy whose domain and fields are looked at; may be repeated'))
    .option('--json', 'write JSON')
    .addHelpText('after', helpText(HELP))
    .action((options: InspectOptions) => inspect(options, context));
}

async function inspect(options: InspectOptions, context: Context): Promise<void> {
  const { policy: files = [], json = false } = options;
  refuseTwoDashes('input', [['--keys', options.keys], ...files.map((file) => ['--policy', file] as const)]);
  const { keyset } = await needKeys(options, context);
  const policies: FilePolicy[] = [];
  for (const file of files) policies.push((await loadPolicy(file)).policy);
  const name = domainOf(options.domain, policies);
  const domain = name === null ? null : keyset.domain(name);
  const described = describeKeyset(keyset, name);
  const moved = rotationKeys(described.keys);
  const reports = policies.map((policy, i): PolicyReport => {
    const { none, periods } = lacking(policy, domain!);
    return { policy: files[i]!, fields: rotationOf(policy, moved), lacking: none, somePeriods: periods };
  });
  // Under a key that is its own base, bodies of all sizes still join.
  const isFirst = described.keys[0]!.base === null && !described.parents.has(name ?? '');
  const lost = isFirst ? lostJoins(policies) : [];
  const text = json
    ? `${JSON.stringify(asJson(keyset, described, { domain, reports, lost }), null, 2)}\n`
    : `${asLines(described, { domain, reports, lost }).join('\n')}\n`;
  await writeOut(text);
}

/** The domain that is shown: that of `--domain`, or of the policies. */
function domainOf(option: string | undefined, policies: readonly FilePolicy[]): string | null {
  const domains = new Set([...(option === undefined ? [] : [option]), ...policies.map(({ domain }) => domain!)]);
  if (domains.size > 1) {
    throw new UsageError('the policies and --domain name several domains', 'inspect the keys of one domain at a time');
  }
  return [...domains][0] ?? null;
}

/** What is shown besides the keys themselves. */
interface Shown {
  readonly domain: DomainKeys | null;
  readonly reports: readonly PolicyReport[];
  readonly lost: readonly LostJoin[];
}

function asJson(keyset: Keyset, described: DescribedKeyset, { domain, reports, lost }: Shown): object {
  const { ids, primary, testIds } = keyset;
  const { keys, retired, parents, region, verbs, soft } = described;
  return {
    ids,
    primary,
    testIds,
    ...given({ region: region ?? undefined }),
    keys: keys.map(({ id, state, base, baseOf, branches, shown }) => ({
      id,
      state,
      ...given({
        base: base ?? undefined,
        baseOf: baseOf.length === 0 ? undefined : baseOf,
        branches: branches ?? undefined,
        shown: shown?.id,
      }),
    })),
    ...given({
      retired:
        retired.length === 0 ? undefined : retired.map((one) => ({ ...one, shown: Object.fromEntries(one.shown) })),
      recipients: parents.size === 0 ? undefined : Object.fromEntries(parents),
      narrowed: verbs === null ? undefined : { verbs, soft },
    }),
    ...(domain === null
      ? {}
      : {
          domain: domain.domain,
          keyId: domain.keyId,
          keyCheck: domain.keyCheck,
          ...given({ pins: pinsOf(domain) }),
        }),
    ...given({ branchCheck: described.branchCheck ?? undefined }),
    ...given({ policies: reports.length === 0 ? undefined : reports, lost: lost.length === 0 ? undefined : lost }),
  };
}

function asLines(described: DescribedKeyset, { domain, reports, lost }: Shown): readonly string[] {
  return [
    ...keyLines(described),
    ...(domain === null ? [] : pinLines(described, domain)),
    ...(described.branchCheck === null ? [] : [`branchCheck: "${described.branchCheck}"`]),
    ...reports.flatMap(({ policy, fields, lacking: without, somePeriods }) => [
      `policy ${policy}: what a rotation changes`,
      ...fields.map(
        ({ field, rule, scope, words }) =>
          `  field ${field} (${[rule, ...((scope ?? '') ? [scope] : [])].join(' ')}): ${words}`,
      ),
      ...without.map((field) => `  field ${field}: this key file does not have all of its keys`),
      ...somePeriods.map((field) => `  field ${field}: this key file has its keys for some periods only`),
    ]),
    ...lost.map((one) => lostText(one, true)),
  ];
}
