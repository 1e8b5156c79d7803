/** A place that grants everything and remembers what it was asked. */
import { type WarrantAccess, warrantCapability } from '../../../src/core/capability.ts';
import { type DomainKeys, withPlace } from '../../../src/keys/domain-keys.ts';
import type { Batch, Outcome, Place, PlaceFacts } from '../../../src/keys/place/place.ts';

/** What happened, in its order. */
export type Event =
  | { readonly kind: 'grant'; readonly facts: PlaceFacts }
  | { readonly kind: 'use'; readonly batch: Batch }
  | { readonly kind: 'done'; readonly outcome: Outcome };

export interface Recording {
  readonly keys: DomainKeys;
  readonly events: Event[];
  readonly uses: () => readonly Batch[];
  readonly outcomes: () => readonly Outcome[];
}

/** What a recording place does besides. */
export interface Behaviour {
  /** Called with each batch before its use is granted; what it throws is the place's refusal. */
  readonly onUse?: (batch: Batch) => void | Promise<void>;
  readonly onDone?: () => void | Promise<void>;
  /** See `Grant`. */
  readonly personOf?: (subject: string) => string | null;
}

export function recording(keys: DomainKeys, { onUse, onDone, personOf }: Behaviour = {}): Recording {
  const events: Event[] = [];
  const place: Place = {
    async grant(_, facts) {
      events.push({ kind: 'grant', facts });
      return {
        personOf: personOf ?? null,
        async use(batch) {
          await onUse?.(batch);
          events.push({ kind: 'use', batch });
          return {
            async done(outcome) {
              events.push({ kind: 'done', outcome });
              await onDone?.();
            },
          };
        },
      };
    },
  };
  return {
    keys: withPlace(keys, place),
    events,
    uses: () => events.flatMap((event) => (event.kind === 'use' ? [event.batch] : [])),
    outcomes: () => events.flatMap((event) => (event.kind === 'done' ? [event.outcome] : [])),
  };
}

/** The access of a warrant that no place of this file looks at. */
export const anyWarrant: WarrantAccess = warrantCapability(() => ({}));

/** The sum of the values of a batch. */
export const total = ({ values }: Batch): number => [...values.values()].reduce((sum, count) => sum + count, 0);
