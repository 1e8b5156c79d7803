/**
 * Leases of clients: so many values are logged before they are spent, and then spent without another entry. A crash
 * loses the rest of a lease, so a client that makes the gateway crash gains nothing.
 */

import type { ForwardEntry } from '../../log/entry/kinds.ts';
import type { WantedLease } from './decide.ts';

/** What leases need. */
export interface LeaseParts {
  /** Decides a lease and returns its entry. @throws TrefoilError */
  readonly decide: (wanted: WantedLease) => ForwardEntry;
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
      if (lease === undefined || lease.left < wanted.count || lease.to < now()) {
        const event = decide(wanted);
        lease = { left: event.count, to: event.to, written: write(event) };
        leases.set(name, lease);
      }
      // Spent before anything is waited for, so that requests at once do not spend one value twice.
      lease.left -= wanted.count;
      await lease.written;
    },
  };
}
