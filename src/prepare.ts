/**
 * Named normalisations of a value before a token is made of it. They decide which values get the same token:
 * `Ada@Example.com` and `ada@example.com` get one token with `emailAddress`, and two with `trim`. And readings: named
 * forms of dates and numbers, for the option `read`, which become the usual form before anything else is done.
 *
 * An exported step or reading never changes; a better one gets a new name (docs/spec/prepare-v1.md).
 */

export type { Reading } from './prepare/reading.ts';
export { type DateForm, type EpochUnit, readDate, readEpoch, readNumber, readPhone } from './prepare/readings.ts';

export {
  casefold,
  digitsOnly,
  emailAddress,
  emailAddressExact,
  ipAddress,
  nfc,
  nfkc,
  type Prepare,
  phone,
  phoneE164,
  trim,
  wholeNumber,
} from './prepare/steps.ts';
