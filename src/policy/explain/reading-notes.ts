/** What the author of several policies should know about readings: fields that join although only some have one. */

import { readingEngine } from '../../prepare/reading.ts';
import { readingByName } from '../../prepare/readings.ts';
import { ruleOption } from '../../rule/rule.ts';
import { byScope, type NamedPolicy, type Place, partsOf } from '../joins.ts';

/**
 * Returns a sentence for each field with a reading that joins with fields without one. They join only if the values of
 * the others are in the form that the reading makes.
 */
export function readingNotes(policies: readonly NamedPolicy[]): readonly string[] {
  const parts = [...byScope(policies, true).values()].flatMap(partsOf);
  return parts.flatMap((part) => {
    // Dates of shiftDate join by their subjects, and those have no reading.
    const plain = part.filter(
      ({ leaf: { rule } }) => rule.rule !== 'shiftDate' && ruleOption(rule, 'read') === undefined,
    );
    return part.flatMap((place) => {
      const name = place.leaf.rule.rule === 'shiftDate' ? undefined : ruleOption(place.leaf.rule, 'read');
      if (name === undefined || plain.length === 0) return [];
      const { makes } = readingEngine(readingByName(String(name)))!;
      return [
        `${nameOf(place)} is read as ${String(name)}, and ${plain.map(nameOf).join(', ')} without a reading: they join ` +
          `only if the values without a reading have the form that this gives already (${makes})`,
      ];
    });
  });
}

function nameOf({ policy, leaf }: Place): string {
  return `field ${leaf.path} in ${policy.name}`;
}
