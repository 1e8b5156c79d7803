/** Converts version 4 addresses between text and a 32-bit number, for the rivals. It checks nothing. */

export function readV4(text) {
  const parts = text.split('.');
  return ((parts[0] << 24) | (parts[1] << 16) | (parts[2] << 8) | parts[3]) >>> 0;
}

export function writeV4(address) {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
