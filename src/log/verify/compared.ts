/** Comparing a log with what its witnesses have cosigned. */

import { equalBytes } from '../../core/bytes.ts';
import { isPlausible } from '../tree/cosign-time.ts';
import type { Cosigned, OpenedCheckpoint } from '../tree/open-checkpoint.ts';
import type { LogPolicy } from '../tree/policy.ts';
import { rootOf } from '../tree/range.ts';
import { Fault, type Finding, finding, within } from './finding.ts';
import type { SeenCosigned } from './seen.ts';
import type { TrustedTiles } from './trusted.ts';
import type { Witnessed } from './uncosigned.ts';
import { attempted, Unread } from './unread.ts';
import { isSameTree, type WitnessView } from './witnesses.ts';

/** A cosignature, and how many entries it covers. */
export interface Vouched {
  /** The name of the witness in the policy. */
  readonly name: string;
  /** When it cosigned, by its own clock, in seconds since 1970. */
  readonly time: number;
  /** The size of the tree that it cosigned, which the log contains. */
  readonly size: number;
}

/** What a comparison with the witnesses came to. */
export interface Compared {
  /** The witnesses whose cosigned tree the log contains. */
  readonly cosigned: readonly Vouched[];
  /** The cosignatures that do not count because of their time, of witnesses without another one. */
  readonly mistimed: readonly Cosigned[];
  /** One for each witness whose tree the log does not contain, or whose tree it cannot be compared with. */
  readonly findings: readonly Finding[];
  /** What could not be read for one of the comparisons; it is then not known what that witness proves. */
  readonly unread: Unread | null;
}

/** The checkpoint of a log, and those that its witnesses serve. */
interface Checkpoints {
  readonly opened: OpenedCheckpoint;
  readonly note: string;
  readonly views: readonly WitnessView[];
}

/**
 * Compares a log with the checkpoint of each witness.
 *
 * @param tiles the verified tiles, or why there are none. Checkpoints of the same size, and larger ones, need none.
 * @param remembered what the witnesses had cosigned at the last look, of a tree that the log still has.
 * @param now milliseconds since 1970.
 */
export async function compareViews(
  { opened, note, views }: Checkpoints,
  tiles: TrustedTiles | Fault | Unread,
  { witnesses }: LogPolicy,
  remembered: readonly SeenCosigned[],
  now: number,
): Promise<Compared> {
  const vouched = new Map<string, Vouched>();
  const mistimed = new Map<string, Cosigned>();
  const findings: Finding[] = [];
  let unread: Unread | null = null;
  const count = (name: string, time: number, size: number): void => {
    if (!isPlausible(time, now)) mistimed.set(name, { name, time });
    else if (size > (vouched.get(name)?.size ?? -1)) vouched.set(name, { name, time, size });
  };
  for (const { name, time } of opened.witnesses) count(name, time, opened.size);
  for (const view of views) {
    const { name, time } = view;
    // A checkpoint with an impossible time is compared as well: the log has signed it, so it can prove a fork.
    const found = await compareView(view, opened, tiles);
    if (found instanceof Unread) unread ??= found;
    else if (found === null) count(name, time, view.size);
    else findings.push(Object.freeze({ ...found, witness: name, evidence: [view.note, note] }));
  }
  for (const { key, size, time } of remembered) {
    const known = witnesses.find(({ verifier }) => verifier.text === key);
    if (known !== undefined && isPlausible(time, now)) count(known.name, time, size);
  }
  return {
    cosigned: Object.freeze([...vouched.values()]),
    mistimed: Object.freeze([...mistimed.values()].filter(({ name }) => !vouched.has(name))),
    findings,
    unread,
  };
}

/** What is wrong; `null` if the log contains the tree of the witness. */
async function compareView(
  view: WitnessView,
  opened: OpenedCheckpoint,
  tiles: TrustedTiles | Fault | Unread,
): Promise<Finding | Unread | null> {
  const { name, size } = view;
  if (size > opened.size) {
    const message = `the witness ${name} has a checkpoint of ${size} entries, and the log shows ${opened.size}`;
    return finding('rolled back', message, { entry: opened.size, range: [opened.size, size] });
  }
  const message = `the witness ${name} has a checkpoint of another tree than the log shows`;
  const forked = finding('forked', message, within([0, size]));
  if (size === opened.size) return isSameTree(view, opened) ? null : forked;
  const edge = tiles instanceof Error ? tiles : await attempted(tiles.edgeAt(size));
  if (edge instanceof Unread) return edge;
  if (edge instanceof Fault) return notComparable(view, edge.finding);
  return equalBytes(rootOf(edge), view.root) ? null : forked;
}

/**
 * A tile is missing or wrong that the comparison needs. Without this finding, an operator could hide a fork that the
 * witness holds, by leaving out one old tile that a look at the new entries does not read.
 */
function notComparable({ name, size }: WitnessView, { word, message, path, entry, range }: Finding): Finding {
  return finding(word, `the log cannot show that it has the ${size} entries of the witness ${name}: ${message}`, {
    ...(path === undefined ? {} : { path }),
    ...(range === undefined ? {} : { range }),
    ...(entry === undefined ? {} : { entry }),
  });
}

/**
 * How many entries a quorum has cosigned: the largest tree for which the witnesses of no smaller one suffice. And the
 * time of the cosignature that completes the quorum.
 */
export function witnessedBy(cosigned: readonly Vouched[], size: number, { satisfiedBy }: LogPolicy): Witnessed {
  const names = new Set<string>();
  if (satisfiedBy(names)) return { witnessed: size, witnessedAt: null };
  for (const one of cosigned.toSorted((a, b) => b.size - a.size || b.time - a.time)) {
    names.add(one.name);
    if (satisfiedBy(names)) return { witnessed: one.size, witnessedAt: one.time };
  }
  return { witnessed: 0, witnessedAt: null };
}

/**
 * The finding that too few witnesses have cosigned.
 *
 * @param mistimed how many cosignatures do not count because of their time.
 */
export function unwitnessed({ witnessed, witnessedAt }: Witnessed, size: number, mistimed: number): Finding {
  const message =
    witnessedAt === null
      ? 'too few witnesses of the policy have cosigned the log'
      : `too few witnesses of the policy have cosigned more than the first ${witnessed} entries, and a look saw others ` +
        'more than 30 minutes ago';
  const where = within([Math.min(witnessed, size), size]);
  if (mistimed === 0) return finding('unwitnessed', message, where);
  const hint = 'check the clock of this machine first: there are cosignatures whose times it does not accept';
  return finding('unwitnessed', message, { ...where, hint });
}
