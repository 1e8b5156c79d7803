/** Reading a body that somebody else sends, up to a limit. */

import { concat } from '../../core/bytes.ts';

/** @param tooLong throws the error for a body that is longer; what follows is not read. */
export async function limitedBody(
  { body }: Pick<Request, 'body'>,
  most: number,
  tooLong: () => never,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader!.read()) {
    length += next.value.length;
    if (length > most) {
      await reader!.cancel();
      tooLong();
    }
    chunks.push(next.value);
  }
  return concat(chunks);
}
