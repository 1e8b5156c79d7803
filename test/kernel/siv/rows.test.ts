/**
 * AES-SIV under one key with associated data for each value, compared with RFC 5297 literally, with and without
 * node:crypto.
 */
import { describe, expect, it } from 'vitest';
import { manyBlocks, portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { bareRows, SIV_LENGTH, type SivRows } from '../../../src/kernel/siv/columns.ts';
import { aesSivRows } from '../../../src/kernel/siv/siv.ts';
import { hex } from '../../helpers/hex.ts';
import { sivEncrypt } from '../../reference/seal.ts';
import { source } from '../../reference/texts.ts';

/** Values and their associated data, with gaps between them that hold something else. */
function layOut(texts: readonly Uint8Array[], datas: readonly Uint8Array[]) {
  const [length, dataLength, count] = [texts[0]!.length, datas[0]!.length, texts.length];
  const [stride, dataStride] = [SIV_LENGTH + length + 21, 16 * Math.ceil(dataLength / 16) + 3];
  const [bytes, data] = [new Uint8Array(5 + count * stride), new Uint8Array(7 + count * dataStride)];
  for (let k = 0; k < count; k++) {
    bytes.set(texts[k]!, 5 + k * stride + SIV_LENGTH);
    data.set(datas[k]!, 7 + k * dataStride);
  }
  return {
    bytes,
    values: { view: new DataView(bytes.buffer), at: 5, stride, length, count },
    data: { view: new DataView(data.buffer), at: 7, stride: dataStride, length: dataLength },
    sealedAt: (k: number) => bytes.slice(5 + k * stride, 5 + k * stride + SIV_LENGTH + length),
    textAt: (k: number) => bytes.slice(5 + k * stride + SIV_LENGTH, 5 + k * stride + SIV_LENGTH + length),
  };
}

const ways: [string, (key: Uint8Array) => SivRows][] = [
  ['many blocks by node:crypto', (key) => bareRows(key, manyBlocks)],
  ['many blocks without it', (key) => bareRows(key, portableBlocks)],
  ['with the self-tests', aesSivRows],
];

describe.each(ways)('%s', (_, make) => {
  it.each([32, 48, 64])('a key of %i bytes, lengths around blocks, one value and many', (keyLength) => {
    const { bytes, below } = source(keyLength);
    for (const length of [16, 17, 31, 32, 33, 48, 52, 63, 64, 100]) {
      for (const dataLength of [16, 17, 31, 32, 62, 64, 65]) {
        const count = [1, 2, 7, 8, 9, 40][below(6)]!;
        const key = bytes(keyLength);
        const texts = Array.from({ length: count }, () => bytes(length));
        const datas = Array.from({ length: count }, () => bytes(dataLength));
        const room = layOut(texts, datas);
        const siv = make(key);
        siv.seal(room.values, room.data);
        for (let k = 0; k < count; k++) {
          expect(hex(room.sealedAt(k))).toBe(hex(sivEncrypt(key, texts[k]!, datas[k]!)));
        }
        // One is changed, in its sealed text or its associated data: that one alone does not open.
        const [bad, verdicts] = [below(count), new Uint8Array(count)];
        if (below(2) === 0) room.bytes[5 + bad * room.values.stride + below(SIV_LENGTH + length)]! ^= 1 << below(8);
        else room.data.view.setUint8(7 + bad * room.data.stride + below(dataLength), below(256) ^ datas[bad]![0]!);
        const changed = Array.from({ length: count }, (_, k) => {
          const at = 7 + k * room.data.stride;
          const data = new Uint8Array(room.data.view.buffer.slice(at, at + dataLength) as ArrayBuffer);
          return hex(data) !== hex(datas[k]!) || hex(room.sealedAt(k)) !== hex(sivEncrypt(key, texts[k]!, data));
        });
        siv.open(room.values, room.data, verdicts);
        for (let k = 0; k < count; k++) {
          expect(verdicts[k]).toBe(changed[k] ? 0 : 1);
          expect(hex(room.textAt(k))).toBe(changed[k] ? '00'.repeat(length) : hex(texts[k]!));
        }
      }
    }
  });
});

it('1,024 values at once', () => {
  const { bytes } = source(9);
  const key = bytes(64);
  const [texts, datas] = [0, 1].map(() => Array.from({ length: 1024 }, () => bytes(62))) as [
    Uint8Array[],
    Uint8Array[],
  ];
  const room = layOut(texts, datas);
  aesSivRows(key).seal(room.values, room.data);
  for (const k of [0, 1, 511, 1022, 1023]) {
    expect(hex(room.sealedAt(k))).toBe(hex(sivEncrypt(key, texts[k]!, datas[k]!)));
  }
});
