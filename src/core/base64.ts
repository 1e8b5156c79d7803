/** Base64 with padding: RFC 4648, section 4. Signed notes and the APIs of key management services use it. */

import { decodeBase64url, encodeBase64url } from './base64url.ts';

/** Encodes bytes. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/** Decodes a text. Returns `null` if {@link encodeBase64} does not write it. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return null;
  return decodeBase64url(
    text
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  );
}
