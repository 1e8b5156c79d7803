/**
 * HMAC-SHA-256 of a column of messages under one key, as one column of bytes. A vault computes its indexes and its keys
 * this way.
 */

import { hmacSha256 } from './hmac.ts';
import { SLOTS, TAG_STEP, tagAt } from './prf.ts';

/** Returns the first `size` bytes of every message's tag, one after another. `size` is a multiple of 4 up to 32. */
export type MacColumn = (messages: readonly (Uint8Array | string)[], size: number) => Uint8Array;

/** Key set-up. A text is hashed as UTF-8; a lone surrogate is refused (`lone_surrogate`). */
export function hmacColumn(key: Uint8Array): MacColumn {
  const prf = hmacSha256(key);
  return (messages, size) => {
    const out = new Uint8Array(messages.length * size);
    const view = new DataView(out.buffer);
    prf.withBatch(messages.length, (batch) => {
      for (let first = 0; first < messages.length; first += SLOTS) {
        const count = Math.min(SLOTS, messages.length - first);
        for (let slot = 0; slot < count; slot++) {
          const message = messages[first + slot]!;
          if (typeof message === 'string') prf.putText(batch, slot, message);
          else prf.putBytes(batch, slot, message, 0, message.length);
        }
        prf.run(batch, count);
        for (let slot = 0, to = first * size; slot < count; slot++, to += size) {
          const at = tagAt(slot);
          for (let j = 0; 4 * j < size; j++) view.setInt32(to + 4 * j, batch.tags[at + j * TAG_STEP]!);
        }
      }
    });
    return out;
  };
}
