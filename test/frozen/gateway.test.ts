/** The vector of docs/spec/govern/gateway-v1.md, which Python has made. Other desks sign by it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requestBase } from '../../src/gateway/http/base.ts';
import { signedRequest } from '../../src/gateway/http/signing.ts';
import { requestSigner } from '../../src/gateway.ts';
import { newNoteKey } from '../../src/log.ts';

const page = readFileSync(new URL('../../docs/spec/govern/gateway-v1.md', import.meta.url), 'utf8');
const { privateKey } = newNoteKey('desk.example', { random: () => Uint8Array.from({ length: 32 }, (_, i) => i) });

describe('gateway-v1', () => {
  it('signs as the page has it', async () => {
    const target = 'http://127.0.0.1:7380/v1/facts';
    const headers = await signedRequest(
      { method: 'POST', target, body: new TextEncoder().encode('{}') },
      { signer: requestSigner(privateKey), now: () => 1_796_068_800_000, random: () => new Uint8Array(16) },
    );
    for (const [name, value] of Object.entries(headers)) expect(page).toContain(`\n${name}: ${value}\n`);
    expect(headers.signature).toBe(
      'trefoil=:6OHLoiFcAsZlLdLyq4N8VOwWhRODJF+WrRDbzDCD2d7eY3X+y3Nncu0J3lkucWFTVOIHR1uDzbILPVZvasBFDg==:',
    );
    const params = headers['signature-input'].slice('trefoil='.length);
    const base = requestBase({ method: 'POST', target, digest: headers['content-digest'], params });
    const digest = createHash('sha256').update(base).digest('hex');
    expect(digest).toBe('620ed83fdb2eb0fb0f7f7b8f6d6d9ee5ab27acdbdba48c73709c7e253091d6d3');
    expect(page).toContain(`\`${digest}\``);
  });
});
