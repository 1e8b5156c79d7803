/**
 * Named normalisations of a value before it is tokenised. They decide which values join: `Ada@Example.com` and
 * `ada@example.com` give one token under `emailAddress` and two under `trim`.
 *
 * One that is exported never changes; a better one gets a new name (docs/spec/prepare-v1.md).
 */

export {
  casefold,
  digitsOnly,
  emailAddress,
  emailAddressExact,
  ipAddress,
  nfc,
  nfkc,
  type Prepare,
  phoneE164,
  trim,
} from './prepare/steps.ts';
