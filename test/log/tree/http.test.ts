/** A log on a web server: a real one for what is usual, and answers that no server should give. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hashesOf, inclusionProof, logAt, verifyLog } from '../../../src/log.ts';
import { memoryLog, policyOf } from '../verify/memory-log.ts';
import { entries, entry } from './shared.ts';

async function served<T>(listener: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/log/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a log on a web server', () => {
  it('is verified, with gzip as tlog-tiles allows it', async () => {
    const log = memoryLog();
    log.append(entries(700));
    await log.publish();
    const listener: RequestListener = ({ url }, response) => {
      const file = log.files.get(url!.replace(/^\/log\//, ''));
      if (file === undefined) response.writeHead(404).end('none');
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file));
    };
    await served(listener, async (url) => {
      const source = logAt(url);
      const found = await verifyLog(source, { policy: policyOf('none'), entries: 'bytes', ask: null });
      expect(found).toMatchObject({ ok: true, checked: 700 });
      expect(await inclusionProof(hashesOf(source, 700), 3, 700)).toHaveLength(10);
      log.files.delete('tile/entries/001');
      const cut = await verifyLog(source, { policy: policyOf('none'), entries: 'bytes', ask: null });
      expect(cut.findings[0]).toMatchObject({ word: 'deleted', entry: 256 });
    });
  });

  it('an answer of 10 MB, also a small one that is compressed, is not read to its end', async () => {
    const big = Buffer.alloc(10_000_000);
    let sent = 0;
    await served(
      ({ url }, response) => {
        if (url!.endsWith('bomb')) response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(big));
        else {
          response.writeHead(200);
          const more = (): void => {
            while (sent < 10_000_000 && response.write(big.subarray(0, 65_536))) sent += 65_536;
          };
          response.on('drain', more);
          more();
        }
      },
      async (url) => {
        await expect(logAt(url).read('bomb', 8192)).rejects.toThrow(code('log_broken'));
        await expect(logAt(url).read('big', 8192)).rejects.toThrow(code('log_broken'));
        expect(sent).toBeLessThan(10_000_000);
      },
    );
  });

  it.each([301, 302, 307, 308])('a redirect with %i is refused', async (status) => {
    await served(
      (_, response) => void response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(),
      async (url) => {
        await expect(logAt(url).read('checkpoint', 9)).rejects.toThrow(/redirect/);
        await expect(logAt(url).read('checkpoint', 9)).rejects.toThrow(code('log_unavailable'));
      },
    );
  });

  it('the status 304 is no redirect', async () => {
    await served(
      (_, response) => void response.writeHead(304).end(),
      async (url) => {
        await expect(logAt(url).read('checkpoint', 9)).rejects.toThrow(/the HTTP status 304/);
      },
    );
  });

  it.each([204, 400, 401, 403, 429, 500, 503])('the status %i is no file and no missing file', async (status) => {
    await served(
      (_, response) => void response.writeHead(status).end(),
      async (url) => {
        await expect(logAt(url).read('checkpoint', 9)).rejects.toThrow(code('log_unavailable'));
      },
    );
  });

  it('the status 403 is a missing file for a partial tile, whose full one may be there, and for nothing else', async () => {
    const log = memoryLog();
    log.append(entries(300));
    const note = await log.publish();
    log.append(Array.from({ length: 212 }, (_, i) => entry(300 + i)));
    await log.publish();
    for (const path of log.files.keys()) if (/\.p\/44$/.test(path)) log.files.delete(path);
    log.files.set('checkpoint', new TextEncoder().encode(note));
    const listener: RequestListener = ({ url }, response) => {
      const file = log.files.get(url!.replace(/^\/log\//, ''));
      response.writeHead(file === undefined ? 403 : 200).end(file);
    };
    await served(listener, async (url) => {
      const look = () => verifyLog(logAt(url), { policy: policyOf('none'), entries: 'bytes', ask: null });
      expect(await look()).toMatchObject({ ok: true, size: 300, checked: 300 });
      log.files.delete('tile/entries/001');
      await expect(look()).rejects.toThrow(code('log_unavailable'));
    });
  });

  it.each([404, 410])('the status %i is a missing file', async (status) => {
    await served(
      (_, response) => void response.writeHead(status).end(),
      async (url) => expect(await logAt(url).read('checkpoint', 9)).toBeNull(),
    );
  });

  it('a server that is silent, in its head or in the middle of a body', async () => {
    await served(
      ({ url }, response) => {
        if (url!.endsWith('half')) response.writeHead(200).write('x');
      },
      async (url) => {
        const log = logAt(url, { timeout: 50 });
        await expect(log.read('silent', 9)).rejects.toThrow(code('log_unavailable'));
        await expect(log.read('half', 9)).rejects.toThrow(code('log_unavailable'));
      },
    );
  });

  it('a fetch that ignores its signal, and one that throws, with no word of the address', async () => {
    const deaf = logAt('https://secret.example/', { timeout: 20, fetch: () => new Promise(() => {}) });
    await expect(deaf.read('x', 9)).rejects.toThrow(code('log_unavailable'));
    const fetch = async () => {
      throw new TypeError('cannot reach https://secret.example/');
    };
    const error = await logAt('https://secret.example/', { fetch })
      .read('x', 9)
      .catch((thrown) => thrown);
    expect(error.message).not.toContain('secret');
    expect(error.code).toBe('log_unavailable');
  });

  it.each(['', 'x', 'ftp://a/', 'file:///a', 'https://u:p@a/', 'https://a/?x', 'https://a/#x', 'data:,x'])(
    'the address %j is refused',
    (url) => {
      expect(() => logAt(url)).toThrow(RangeError);
    },
  );

  it('paths follow the prefix with one slash', async () => {
    const asked: unknown[] = [];
    const fetch = async (url: unknown) => {
      asked.push(url);
      return new Response('x');
    };
    for (const url of ['https://a.example', 'https://a.example/', 'https://a.example/b', 'https://a.example/b//']) {
      await logAt(url, { fetch }).read('checkpoint', 9);
    }
    const [root, folder] = ['https://a.example/checkpoint', 'https://a.example/b/checkpoint'];
    expect(asked).toEqual([root, root, folder, folder]);
  });
});
