/// <reference types="node" />
/** Where the process runs, as its environment says. */

import { NAME_PATTERN } from '../../core/checks.ts';
import { UsageError } from '../exit.ts';

/**
 * The region that this process declares by TREFOIL_REGION. There is no option for it: where a process runs is a
 * property of its machine.
 *
 * @throws UsageError if it is not a name.
 */
export function regionOfProcess(): string | undefined {
  const region = process.env.TREFOIL_REGION || undefined;
  if (region !== undefined && !NAME_PATTERN.test(region)) {
    throw new UsageError('TREFOIL_REGION expected 1 to 64 characters of a-z, 0-9, ".", "_" and "-"');
  }
  return region;
}
