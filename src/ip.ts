/** Encryption of IP addresses (`trefoil/ip`): Crypto-PAn and the four ciphers of ipcrypt. */

export {
  type AddressCipher,
  type AddressOptions,
  cryptoPan,
  ipcryptDeterministic,
  ipcryptNd,
  ipcryptNdx,
  ipcryptPfx,
  type TweakedAddressCipher,
} from './kernel/ip/ip.ts';
export { SPECIAL_RANGES, type SpecialRange } from './kernel/ip/special-addresses.ts';
