/**
 * The work itself: a policy of the request, bound to the keys in this process. Revealing goes through the same place as
 * governed keys do, so a use is decided, logged and flushed before anything is opened.
 */

import { warrantCapability } from '../../core/capability.ts';
import { given } from '../../core/given.ts';
import type { Issue } from '../../errors.ts';
import { placeOf } from '../../govern/access/place.ts';
import type { NotedUse, Sequencer } from '../../govern/ledger/sequencer.ts';
import type { ProtectedPeople } from '../../govern/people/protected.ts';
import { type DomainKeys, withPlace } from '../../keys/domain-keys.ts';
import { type BoundInside, openBound } from '../../policy/bound.ts';
import { parsePolicy } from '../../policy/file/parse.ts';
import { policyLeaves } from '../../policy/policy.ts';
import type { FilePolicy } from '../../policy/types.ts';
import { scopeOf, turnsBack } from '../../policy/waiting/use.ts';
import { isMissing } from '../../rule/missing.ts';
import type { Stores } from '../../vault/session.ts';
import { toWire } from '../wire/values.ts';
import type { Caller } from './authentic.ts';
import { type Body, checkNames, digestIn, malformed, objectIn, rowsIn } from './body.ts';
import type { Papers } from './papers.ts';
import { Refusal } from './refusal.ts';

/** What the work needs. */
export interface WorkParts {
  /** Not governed. */
  readonly keys: DomainKeys;
  readonly stores: Stores;
  readonly sequencer: Sequencer;
  readonly papers: Papers;
  readonly list: ProtectedPeople | null;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

/** An answer, and how many values it is about. */
export interface Worked {
  readonly answer: object;
  readonly values: number;
}

/** What a policy of a request may have. The domain is that of the gateway. */
const POLICY = ['subject', 'missing', 'keyCheck', 'fields'];

/** Reads the policy of a request. */
function policyIn(body: Body, { keys }: WorkParts): FilePolicy {
  const policy = objectIn(body, 'policy');
  checkNames(policy, POLICY);
  const parsed = parsePolicy({ trefoil: 1, domain: keys.domain, ...policy });
  if (policyLeaves(parsed).some(({ header }) => header === null)) malformed('"policy" has a field inside an array');
  return parsed;
}

/** `POST /v1/reveal`. */
export async function revealWork(parts: WorkParts, caller: Caller, body: Body): Promise<Worked> {
  checkNames(body, ['warrant', 'policy', 'fromKey', 'columns']);
  if (caller.role !== 'desk') throw new Refusal(403, 'not_in_charter', 'a client protects; only a desk reveals');
  const presented = parts.papers.find(caller, digestIn(body, 'warrant'));
  const policy = policyIn(body, parts);
  const rows = rowsIn(body);
  const { sequencer, keys, stores, now, random, list } = parts;
  let noted: NotedUse | null = null;
  const noting = {
    ...sequencer,
    // The gateway counts what it refuses, whatever the reason is.
    deny: () => {},
    use: async (request: Parameters<Sequencer['use']>[0]): Promise<NotedUse> => {
      noted = await sequencer.use(request);
      return noted;
    },
  };
  const signed = () => ({ note: caller.base, sha256: caller.sha256 });
  const place = placeOf({ keys, sequencer: noting, list, now, random, signed });
  const access = warrantCapability(() => ({ note: presented.note, dossier: presented.dossier, desk: null }));
  const fromKey = body.fromKey === undefined ? {} : { fromKey: body.fromKey as string };
  const opened = await policy.open(withPlace(keys, place), stores, access, fromKey);
  const inside = openBound(opened);
  const run = inside.beginAsync?.();
  if (run === undefined) malformed('"policy" has no field that can be revealed');
  run.collect.rows('reveal', rows, () => {});
  const erased = await run.settle();
  const { columns, issues } = outputOf(run.answer, 'reveal', rows);
  const use = noted as NotedUse | null;
  return {
    answer: { use: use?.index ?? null, checkpoint: use?.checkpoint ?? null, columns, issues, erased },
    values: countsOf(inside, rows, turnsBack).reduce((sum, [, count]) => sum + count, 0),
  };
}

/** `POST /v1/protect`. */
export async function protectWork(parts: WorkParts, caller: Caller, body: Body): Promise<Worked> {
  checkNames(body, ['policy', 'columns']);
  if (caller.role !== 'client') throw new Refusal(403, 'not_in_charter', 'a desk reveals; only a client protects');
  const policy = policyIn(body, parts);
  const rows = rowsIn(body);
  const { keys, stores, sequencer } = parts;
  const inside = openBound(await policy.open(keys, stores));
  const counts = countsOf(inside, rows, ({ engine }) => engine.keyed);
  // Values are counted before the work, also those that a rule refuses: a guess is one, too.
  for (const [scope, count] of counts) {
    await sequencer.forward({ client: caller.handle, verb: 'protect', scope, count });
  }
  inside.demand('protect');
  const run = inside.beginAsync?.() ?? null;
  run?.collect.rows('protect', rows, () => {});
  await run?.settle();
  const { columns, issues } = outputOf(run?.answer ?? inside, 'protect', rows);
  return { answer: { columns, issues }, values: counts.reduce((sum, [, count]) => sum + count, 0) };
}

/** How many values of each scope there are in fields of a kind. */
function countsOf(
  { leaves, missing }: BoundInside,
  rows: readonly Readonly<Record<string, unknown>>[],
  counts: (leaf: BoundInside['leaves'][number]) => boolean,
): (readonly [scope: string, count: number])[] {
  const found = new Map<string, number>();
  for (const [i, leaf] of leaves.entries()) {
    if (!counts(leaf)) continue;
    const count = rows.reduce((sum, row) => sum + Number(!isMissing(row[leaf.header!], missing[i]!)), 0);
    const scope = scopeOf(leaf);
    if (count > 0) found.set(scope, (found.get(scope) ?? 0) + count);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** An issue as it is answered: its place in the request, and no words of a caller. */
interface WireIssue extends Pick<Issue, 'code' | 'message' | 'field'> {
  /** From 0. */
  readonly row: number;
}

/** Turns records, and returns the columns that the work has made. */
function outputOf(
  inside: BoundInside,
  direction: 'protect' | 'reveal',
  rows: readonly Record<string, unknown>[],
): { readonly columns: Readonly<Record<string, readonly unknown[]>>; readonly issues: readonly WireIssue[] } {
  const issues: WireIssue[] = [];
  const out = inside.rows(direction, rows, (row, issue) => {
    const { code, message, field, minimum, maximum, actual, expected } = issue;
    issues.push({ row, code, message, ...given({ field, minimum, maximum, actual, expected }) });
  });
  const made = inside.leaves.filter((leaf) => (direction === 'reveal' ? turnsBack(leaf) : leaf.engine.keyed));
  const columns = Object.fromEntries(
    made.map(({ header }) => [header!, out.map((row) => wireOf(row === undefined ? null : row[header!]))]),
  );
  return { columns, issues };
}

function wireOf(value: unknown): unknown {
  const written = toWire(value);
  if (written === undefined) throw new Error('a rule has made something that the protocol does not have');
  return written;
}
