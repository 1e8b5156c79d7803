/**
 * Named normalisations of a value before a token is made of it. They decide which values get the same token:
 * `Ada@Example.com` and `ada@example.com` get one token with `emailAddress`, and two with `trim`.
 *
 * An exported step never changes; a better one gets a new name (docs/spec/prepare-v1.md).
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
  phone,
  phoneE164,
  trim,
  wholeNumber,
} from './prepare/steps.ts';
