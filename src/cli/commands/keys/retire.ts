/// <reference types="node" />
/** `trefoil keys retire`: takes a root key out of a key file, once nothing needs it. */

import type { Command } from 'commander';
import { type Issue, TrefoilError } from '../../../errors.ts';
import type { SilentField } from '../../../io/scan-report.ts';
import { type DescribedBranch, type DescribedKey, describeKeyset } from '../../../keys/described.ts';
import { hangsAtBase } from '../../../keys/granting.ts';
import { type KeyNeed, type Keyset, retireKey } from '../../../keys.ts';
import { silentFields } from '../../../policy/explain/silent.ts';
import type { FilePolicy } from '../../../policy.ts';
import { addWriteOptions, knownId, type WriteOptions, writeChanged } from '../../custody/changing.ts';
import {
  needsOf,
  type RetiringKey,
  type Use,
  usesAsBase,
  usesInReports,
  usesInVaults,
  usesUnseen,
} from '../../custody/uses.ts';
import { branchText } from '../../custody/words.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, filesOption, listedNamesOption, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy } from '../../policy-file.ts';
import { vaultOption } from '../../stores/places.ts';
import { helpText } from '../../voice.ts';

const HELP = `
It refuses while a scan report names the key, or a key of no domain that was
named; while a vault has rows under it; and while it is the base of another key.
With --keep-needed it then keeps the branches that these uses need, and drops
the root key. The policies must pin the branchCheck that it prints. It keeps
branches of no domain but those that --domain and --policy name, also with
--all-scopes. In a recipient of these, shifted dates of a base can then never be
made again, and in any other domain no tokens either.

It also refuses if the reports have no value of any key of the domains, not even
of the primary key: a scan of empty files or of originals proves nothing.

Tokens in other forms than the labelled one and values of fpe do not show their
key, and no scan finds them. Other fields of the record may be missing, so
--keep-needed keeps the branches of these fields whatever the reports say. To
drop the branches of a field that you have moved, leave it out of the policy.

It knows of no files but those in the reports. Every older copy of the key file
still has the key, and JavaScript cannot erase memory: to destroy a key, destroy
every copy of the file.

Examples:
  trefoil scan safe/*.csv --policy people.policy.yaml --out scan.json
  trefoil keys retire m4q8t0vb --policy people.policy.yaml --scan scan.json \\
    --vault people.db --keep-needed --keys keys-3.json --out keys-4.json`;

const CERTIFICATES =
  'check your certificates first: those of subjects that were shredded under this key do not verify with the new file; ' +
  'run trefoil vault check-certificate over them with the key file from before, and keep the results';

interface RetireOptions extends KeyOptions, WriteOptions {
  readonly out?: string;
  readonly domain?: readonly string[];
  readonly policy?: readonly string[];
  readonly scan?: readonly string[];
  readonly vault?: readonly string[];
  readonly keepNeeded?: boolean;
  readonly allScopes?: boolean;
}

export function addKeysRetire(parent: Command, context: Context): void {
  const command = parent
    .command('retire')
    .summary('take a root key out of a key file, once nothing needs it')
    .description('Takes a root key out of a key file, or keeps only the branches of it that are needed.')
    .argument('<ID>', 'id of the root key, as trefoil keys inspect shows it')
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(listedNamesOption('--domain', 'domain in which the key was used; may be repeated'))
    .addOption(filesOption('--policy', 'policy whose domain and stores are looked at; may be repeated'))
    .addOption(filesOption('--scan', 'report of trefoil scan; may be repeated'))
    .addOption(vaultOption())
    .option('--keep-needed', 'keep the branches that uses of the key need, in place of the root key')
    .option('--all-scopes', 'keep tokens and dates of every scope of a base, in the domains that are named');
  addWriteOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((id: string, options: RetireOptions) => retire(id, options, context));
}

async function retire(argument: string, options: RetireOptions, context: Context): Promise<void> {
  const { scan = [], keepNeeded = false, allScopes = false } = options;
  const out = need(options.out, '--out');
  checkTogether(options);
  const source = await needKeys(options, context);
  const { keyset } = source;
  const id = knownId(keyset, argument);
  const policies: FilePolicy[] = [];
  const silent: SilentField[] = [];
  for (const path of options.policy ?? []) {
    const { policy } = await loadPolicy(path);
    policies.push(policy);
    silent.push(...silentFields(policy).map((found) => ({ policy: path, ...found })));
  }
  const domains = [...new Set([...(options.domain ?? []), ...policies.map(({ domain }) => domain!)])];
  // The key file may know of domains that nobody named.
  const all = [...new Set([...domains, ...describeKeyset(keyset, null).domains])];
  const retiring = retiringKey(keyset, id, all);

  const { uses: inFiles, silent: reported, unknown, hasKnown } = await usesInReports(retiring, scan, policies);
  const inVaults = await usesInVaults(retiring, keyset, policies, options.vault ?? []);
  // They hold up nothing that is not kept: then the command warns of them.
  const unseen = keepNeeded ? usesUnseen(retiring, policies) : [];
  const uses = [...usesAsBase(retiring), ...inVaults, ...inFiles, ...unseen];
  refuseUses(id, uses, keepNeeded);
  refuseUnknown(id, unknown);
  if (retiring.key.state === 'old' && scan.length > 0 && !hasKnown) refuseEmpty(id, domains, scan);
  const keep = uses.length === 0 ? undefined : checkKept(uses, needsOf(uses, policies, { allScopes, domains }));
  const at = new Date().toISOString().slice(0, 10);
  const remembered = [...new Set([...domains, ...retiring.shown.keys()])];
  const changed = retireKey(keyset, id, { at, domains: remembered, ...(keep === undefined ? {} : { keep }) });
  // A keyset that does not open with the policies is not written.
  const checks = domains.map((domain) => changed.domain(domain).branchCheck);

  const what = keep === undefined ? `root key ${id} is retired` : `root key ${id} is gone, and branches of it stay`;
  await writeChanged(out, { keyset: changed, source, what }, options, context);
  const kept = describeKeyset(changed, null).keys.find((key) => key.id === id)?.branches ?? [];
  report(id, kept, uses, context);
  if (keep !== undefined) warnOfDomains(retiring.key, keep.some(hangsAtBase), domains, all, context);
  const branchCheck = checks.find((check) => check !== undefined);
  if (branchCheck !== undefined) {
    context.voice.note(`pin the branches in every policy that uses this file: branchCheck: "${branchCheck}"`);
  }
  // Dates are shifted with the base.
  const hiding = [...silent, ...reported];
  const hidden = retiring.key.base === null ? hiding : hiding.filter(({ rule }) => rule !== 'shiftDate');
  if (options.vault !== undefined && retiring.key.state === 'old') context.voice.hint(CERTIFICATES);
  warnOfRest(retiring.key, scan.length, hidden, context);
}

/** Warns of the values that nothing found. */
function warnOfRest({ state }: DescribedKey, scanned: number, silent: readonly SilentField[], { voice }: Context) {
  if (state === 'old' && scanned === 0) {
    voice.warning('no files were scanned: values of the key may be left in files and tables');
  }
  if (silent.length > 0) {
    voice.warning(
      'the values of these fields do not show their key, so no scan finds those of this one; a record is found only ' +
        'if another of its fields shows the key and is not missing',
      [...new Set(silent.map(({ policy, field, rule }) => `${policy}: field ${field} (${rule})`))],
    );
  }
  voice.hint('older copies of the key file still have the key; destroy each of them');
}

function checkTogether({ domain, policy, keepNeeded, allScopes, scan = [], keys, vault }: RetireOptions): void {
  if (domain === undefined && policy === undefined) {
    throw new UsageError('--domain or --policy is required', 'it says in which domains the key was used');
  }
  if (allScopes === true && keepNeeded !== true) throw new UsageError('--all-scopes needs --keep-needed');
  if (keepNeeded === true && policy === undefined && allScopes !== true) {
    throw new UsageError('--keep-needed needs --policy, which says what is needed; for a base, --all-scopes');
  }
  if (vault !== undefined && policy === undefined) {
    throw new UsageError('--vault needs --policy, which names the stores');
  }
  refuseTwoDashes('input', [
    ['--keys', keys],
    ...(policy ?? []).map((file) => ['--policy', file] as const),
    ...scan.map((file) => ['--scan', file] as const),
  ]);
}

/** The key and its shown ids. */
function retiringKey(keyset: Keyset, id: string, domains: readonly string[]): RetiringKey {
  const find = (domain: string | null) => describeKeyset(keyset, domain).keys.find((key) => key.id === id)!;
  const key = find(null);
  if (key.state === 'primary')
    throw refusal(`root key ${id} is primary; run trefoil keys promote with another key first`);
  if (key.state === 'elsewhere') throw new UsageError(`root key ${id} is not in the key file, only its check is`);
  const shown = new Map<string, string>();
  const known = new Set<string>();
  for (const domain of domains) {
    const { keys, retired } = describeKeyset(keyset, domain);
    for (const one of keys) {
      if (one.shown === null) continue;
      known.add(one.shown.id);
      if (one.id === id) shown.set(domain, one.shown.id);
    }
    for (const one of retired) {
      const gone = one.shown.get(domain);
      if (gone !== undefined) known.add(gone);
    }
  }
  return { key, shown, known };
}

function refusal(message: string): TrefoilError {
  return new TrefoilError([{ code: 'key_in_use', message }]);
}

/** Refuses while something uses the key, unless the branches for it are to be kept. */
function refuseUses(id: string, uses: readonly Use[], keepNeeded: boolean): void {
  const found = keepNeeded ? uses.filter(({ mustEnd }) => mustEnd) : uses;
  if (found.length === 0) return;
  throw new TrefoilError(
    found.map(({ issue }) => ({ ...issue, message: `root key ${id} is in use: ${issue.message}` })),
  );
}

/** Refuses while reports have values of keys that nobody knows: they may be of this key, in a domain not named. */
function refuseUnknown(id: string, unknown: readonly Issue[]): void {
  if (unknown.length === 0) return;
  throw new TrefoilError(
    unknown.map((issue) => ({
      ...issue,
      message:
        `root key ${id} may be in use: ${issue.message}, and no domain that was looked at has this key; name the ` +
        'domain of these values with --domain or --policy, or scan without the file if it is of another key file',
    })),
  );
}

/**
 * Refuses if no report has a single value of the keys, not even of the primary one. Such a report is one of the
 * originals or of empty files: it does not show that the key is unused.
 */
function refuseEmpty(id: string, domains: readonly string[], reports: readonly string[]): void {
  throw new UsageError(
    `the reports ${reports.join(', ')} have no value of any key of ${domains.join(', ')}, not even of the primary ` +
      `key, so they do not show that root key ${id} is unused`,
    'scan the protected files and dumps of tables; originals and empty files show nothing. Without --scan the key is ' +
      'retired unseen',
  );
}

/**
 * Refuses if no policy needs what a use needs: the branches for it are not known. A base whose policies have neither
 * tokens nor dates keeps what its other uses need; if nothing else uses it, a policy was probably left out.
 */
function checkKept(uses: readonly Use[], needs: readonly KeyNeed[]): readonly KeyNeed[] {
  const unserved = uses.filter(({ domain, needs: serves }) => {
    if (domain === null) return needs.length === 0;
    return !needs.some((one) => one.domain === domain && serves(one.path));
  });
  if (unserved.length > 0) {
    throw new TrefoilError(
      unserved.map(({ issue }) => ({
        ...issue,
        message: `no policy says which branches this use needs: ${issue.message}`,
      })),
    );
  }
  return needs;
}

/** Says in which domains nothing of a base was kept, as far as the key file names them. */
function warnOfDomains(
  { baseOf }: DescribedKey,
  keepsBase: boolean,
  named: readonly string[],
  known: readonly string[],
  { voice }: Context,
): void {
  if (baseOf.length === 0) return;
  if (!keepsBase) {
    voice.warning(
      `no policy that was named has tokens or shifted dates, so nothing is kept for those of root key ` +
        `${baseOf.join(', ')}, whose base this is: with the new file they can be made in no domain`,
    );
    voice.hint('if any data has them, run the command again with their policy as well, or with --all-scopes');
    return;
  }
  const others = known.filter((domain) => !named.includes(domain));
  voice.warning(
    `branches of the base are kept for the domains that were named (${named.join(', ')}). In a recipient of them, shifted ` +
      'dates cannot be made again, and in any other domain no tokens either',
    others.map((domain) => `the key file also names ${domain}`),
  );
}

/** Says what was kept, and for what. */
function report(id: string, kept: readonly DescribedBranch[], uses: readonly Use[], { voice }: Context): void {
  if (kept.length === 0) return;
  for (const { issue } of uses) voice.note(`still used: ${issue.message}`);
  for (const branch of kept) voice.note(`kept of ${id}: ${branchText(branch)}`);
}
