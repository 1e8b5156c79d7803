/** Version 4 addresses between text and one 32-bit number, without any check: the rivals' share of the work. */

export function readV4(text) {
  const parts = text.split('.');
  return ((parts[0] << 24) | (parts[1] << 16) | (parts[2] << 8) | parts[3]) >>> 0;
}

export function writeV4(address) {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
