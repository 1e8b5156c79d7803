/**
 * Leases of clients: so many values are logged before they are spent, and then spent without another entry. A crash
 * loses the rest of a lease, so a client that makes the gateway crash gains nothing.
 */

import type { ForwardEntry } from '../../log/entry/kinds.ts';
import type { WantedLease } from './decide.ts';

/** What leases need. */
export interface LeaseParts {
  /** Decides a lease of at least what is wanted, and returns its entry. @throws TrefoilError */
  readonly decide: (wanted: WantedLease, wish: number) => ForwardEntry;
  /** Writes it. The decision counts from the moment that this is called. */
  readonly write: (event: ForwardEntry) => Promise<void>;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** The leases of a gateway. */
export interface Leases {
  /** Spends values, under the lease that there is or under a new one. Fulfilled when the lease is on the disk. */
  readonly spend: (wanted: WantedLease) => Promise<void>;
}

/** A lease that is being spent. */
interface Lease {
  readonly size: number;
  left: number;
  readonly to: number;
  /** Fulfilled when it is on the disk. */
  readonly written: Promise<void>;
}

/** Makes the leases of a gateway. */
export function makeLeases({ decide, write, now }: LeaseParts): Leases {
  const leases = new Map<string, Lease>();
  return {
    async spend(wanted) {
      const name = `${wanted.client} ${wanted.verb} ${wanted.scope}`;
      let lease = leases.get(name);
      const isOpen = lease !== undefined && lease.to >= now();
      const rest = isOpen ? lease!.left : 0;
      if (rest < wanted.count) {
        // What is left is used first. Only a client that has spent a lease in its time gets a larger one: for a client
        // that asks seldom, the rest of a large one would be lost when it ends.
        const wish = isOpen ? 2 * lease!.size : wanted.count;
        const event = decide({ ...wanted, count: wanted.count - rest }, wish);
        // What was counted up to the end of the first lease must not be spent later.
        const to = rest > 0 ? lease!.to : event.to;
        lease = { size: event.count, left: rest + event.count, to, written: write(event) };
        leases.set(name, lease);
      }
      // Spent before anything is waited for, so that requests at once do not spend one value twice.
      lease!.left -= wanted.count;
      await lease!.written;
    },
  };
}
