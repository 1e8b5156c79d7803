/**
 * A second, slow implementation of keyset-v1 (docs/spec/keyset-v1.md) on node:crypto: base32 and the check characters
 * bit by bit, the encoding of lists, and the derivation tree. It imports nothing of the library.
 */
import { createHash, hkdfSync } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Base32, computed from the bits as a text. */
export function base32(bytes: Uint8Array, bits = bytes.length * 8): string {
  const text = [...bytes]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bits);
  const groups = text.match(/.{1,5}/g) ?? [];
  return groups.map((group) => ALPHABET[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}

/** x^20 + x^11 + x^10 + x^8 + x^7 + x^5 + x + 1. */
const POLYNOMIAL = [20, 11, 10, 8, 7, 5, 1, 0].reduce((sum, power) => sum + (1n << BigInt(power)), 0n);

/** The remainder of the message times x^20, by long division of polynomials over GF(2). */
export function crc20(text: string): number {
  let rest = BigInt(`0x0${Buffer.from(text, 'ascii').toString('hex')}`) << 20n;
  for (let degree = rest.toString(2).length - 1; degree >= 20; degree--) {
    if ((rest >> BigInt(degree)) & 1n) rest ^= POLYNOMIAL << BigInt(degree - 20);
  }
  return Number(rest);
}

/** The check characters of a text: 20 bits as four symbols. */
export function check(text: string): string {
  const bits = crc20(text).toString(2).padStart(20, '0');
  return bits
    .match(/.{5}/g)!
    .map((group) => ALPHABET[Number.parseInt(group, 2)])
    .join('');
}

/** encode(x1, ..., xn): each item's length in four bytes, then the item. */
export function list(...items: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const bytes = Buffer.from(item as string, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** HKDF-SHA-256 below a node. */
export function child(parent: Uint8Array, length: number, step: string, ...names: (string | Uint8Array)[]): Buffer {
  return Buffer.from(hkdfSync('sha256', parent, 'trefoil keyset-v1', list(step, ...names), length));
}

/** The root of frozen outputs and of the pages in docs/spec. */
export const FROZEN_ROOT: Buffer = createHash('sha256').update('trefoil frozen test root').digest();

/** One keyset field `secret`. */
export function secretText(root: Uint8Array): string {
  return `trefoil-root-1_${base32(root)}${check(base32(root))}`;
}

/** A keyset as JSON, the first root primary. */
export function keysetJson(...roots: Uint8Array[]): string {
  const keys = roots.map((root, i) => ({
    id: `root-${i + 1}`,
    ...(i === 0 ? { primary: true } : {}),
    secret: secretText(root),
  }));
  return JSON.stringify({ version: 'keyset-v1', keys });
}

/** A keyset with one root for every name. */
export function testRoot(name: string): Buffer {
  return createHash('sha256').update(`trefoil test root ${name}`).digest();
}

/** The node of a domain, its key id as outputs show it, and its key check value. */
export function domainOf(root: Uint8Array, name: string): { node: Buffer; id: string; check: string } {
  const node = child(root, 32, 'domain', name);
  return { node, id: base32(child(node, 32, 'key id'), 25), check: base32(child(node, 32, 'key check'), 80) };
}

/** The node of a rule, from the root. */
export function ruleNode(
  root: Uint8Array,
  domain: string,
  kind: string,
  scope: string,
  ...parameters: (string | Uint8Array)[]
): Buffer {
  const { node } = domainOf(root, domain);
  return child(child(child(node, 32, 'kind', kind), 32, 'scope', scope), 32, 'parameters', ...parameters);
}
