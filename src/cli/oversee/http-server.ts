/// <reference types="node" />
/** A small HTTP server over a function from requests to responses: time limits, size limits, and a good end. */

import type { Stats } from 'node:fs';
import { lstat, stat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { fail } from '../../errors.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import { UsageError } from '../exit.ts';

/** Where a server listens. */
export type ListenPlace = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Time limits in milliseconds. A witness answers within milliseconds. The limits are kept to the second: Node looks at
 * them every 30 seconds if it is not told otherwise.
 */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/** The most connections. */
const MOST_CONNECTIONS = 256;

/** How long requests may take after the server was told to end, in milliseconds. The process itself ends after 2 s. */
const GRACE = 1_500;

/** What a server passes on, and how it is reached. */
export interface ListenOptions {
  /** Names of header fields that the function gets, in lower case, besides `content-encoding`. Default: none. */
  readonly headers?: readonly string[];
  /** The certificate and key of the server, and the certificates that those of its clients are signed with. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };
}

/** A server that listens. */
export interface Listening {
  /** Its address: `http://127.0.0.1:7381`, or `unix:/run/witness.sock`. */
  readonly address: string;
  /** Answers the requests that have begun, and ends. */
  readonly close: () => Promise<void>;
}

/** Reads the argument of `--listen`: `127.0.0.1:7381`, `[::1]:7381` or `unix:PATH`. */
export function parseListen(text: string): ListenPlace {
  if (text.startsWith('unix:') && text.length > 5 && !text.includes('\0')) return { path: text.slice(5) };
  const [, host, bare, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text) ?? [];
  if (port !== '' && Number(port) <= 65_535) return { host: host ?? bare!, port: Number(port) };
  throw new UsageError('--listen expected HOST:PORT or unix:PATH', 'for example --listen 127.0.0.1:7381');
}

/**
 * Listens, and answers each request with the response of a function.
 *
 * @param most bytes of a body. Of a longer one the function gets one byte more and decides.
 * @throws TrefoilError `io_failed` if the address is in use or not allowed.
 */
export async function listen(
  place: ListenPlace,
  most: number,
  handle: (request: Request) => Promise<Response>,
  { headers = [], tls }: ListenOptions = {},
): Promise<Listening> {
  const crowd = makeCrowd();
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const handleNow = (request: Request): Promise<Response> => {
      crowd.keep(incoming.socket);
      return handle(request);
    };
    outgoing.on('close', () => crowd.release(incoming.socket));
    answer(incoming, outgoing, most, handleNow, headers).catch(() => outgoing.destroy());
  };
  const server =
    tls === undefined
      ? createServer(LIMITS, serve)
      : createTlsServer(
          { ...LIMITS, ...tls, minVersion: 'TLSv1.2', requestCert: true, handshakeTimeout: 10_000 },
          serve,
        );
  // Until its handshake is done, a connection of TLS is not in the crowd.
  server.maxConnections = 2 * MOST_CONNECTIONS;
  server.on(tls === undefined ? 'connection' : 'secureConnection', crowd.enter);
  if ('path' in place) await removeStaleSocket(place.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unusable(error)));
    server.listen(place, () => resolve());
  });
  // An error of a connection ends that connection alone.
  server.on('error', () => {});
  return {
    address:
      'path' in place
        ? `unix:${place.path}`
        : addressOf(server.address() as AddressInfo, tls === undefined ? 'http' : 'https'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), GRACE).unref();
      }),
  };
}

function addressOf({ address, port, family }: AddressInfo, scheme: 'http' | 'https'): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** The error of `listen` in our own words. */
function unusable(error: unknown): unknown {
  const code = errorCode(error) ?? 'unknown';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another process listens there',
    EADDRNOTAVAIL: 'this machine does not have the address',
    EACCES: 'permission denied',
    ENOTFOUND: 'there is no such host',
  };
  try {
    return fail('io_failed', `--listen cannot be used: ${reasons[code] ?? 'the system refused'} (${code})`);
  } catch (made) {
    return made;
  }
}

/**
 * Removes the socket of a process that was killed. One that somebody listens on stays, and listening fails.
 *
 * @throws UsageError if there is anything else: a mistyped path must not cost a file, such as the key.
 */
async function removeStaleSocket(path: string): Promise<void> {
  if (!(await hasSocket(path))) return;
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.on('connect', () => resolve(false));
    probe.on('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED'));
  }).catch(() => false);
  if (isStale) await guard(path, unlink(path));
}

/**
 * The most bytes of the path of a socket: 108 with a zero byte on Linux, and 104 on macOS and the BSDs. A longer one is
 * cut by the system in silence.
 */
const MOST_SOCKET_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Refuses a place that is a file, that is too long or whose folder is missing, before anything is made.
 *
 * @throws UsageError, TrefoilError `io_failed`
 */
export async function checkListen(place: ListenPlace): Promise<void> {
  if (!('path' in place)) return;
  const { path } = place;
  if (process.platform !== 'win32' && Buffer.byteLength(path) > MOST_SOCKET_BYTES) {
    throw new UsageError(`--listen expected a path of at most ${MOST_SOCKET_BYTES} bytes after unix:`);
  }
  // Node reports a missing folder as one without permission.
  await guard(path, stat(dirname(path)), 'the folder of the socket cannot be read');
  await hasSocket(path);
}

async function hasSocket(path: string): Promise<boolean> {
  const stats = await guard(path, statOf(path), 'cannot be read');
  if (stats === null || stats.isSocket()) return stats !== null;
  throw new UsageError('--listen names a file that is no socket', 'choose a path where nothing is yet');
}

/** `null`: there is nothing. A symbolic link is not followed. */
async function statOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The connections of a server. */
interface Crowd {
  /** Takes a connection, and ends the oldest one if there are too many. */
  readonly enter: (socket: Socket) => void;
  /** The request of the connection has come whole: it is answered now, and is not ended for a newer one. */
  readonly keep: (socket: Socket) => void;
  /** The request was answered: from now on the connection waits for the next one, like a new one. */
  readonly release: (socket: Socket) => void;
}

/**
 * Makes room for those who come by ending the connection that has come first. An honest request takes milliseconds, so
 * many clients that never finish theirs only push out each other.
 */
function makeCrowd(): Crowd {
  /** In the order of their coming. */
  const waiting = new Set<Socket>();
  const kept = new Set<Socket>();
  return {
    enter(socket) {
      if (waiting.size + kept.size >= MOST_CONNECTIONS) {
        const [oldest = socket] = waiting;
        waiting.delete(oldest);
        oldest.destroy();
        if (oldest === socket) return;
      }
      waiting.add(socket);
      socket.on('close', () => {
        waiting.delete(socket);
        kept.delete(socket);
      });
    },
    keep(socket) {
      if (waiting.delete(socket)) kept.add(socket);
    },
    release(socket) {
      if (kept.delete(socket) && !socket.destroyed) waiting.add(socket);
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  most: number,
  handle: (request: Request) => Promise<Response>,
  headers: readonly string[],
): Promise<void> {
  const body = await bodyOf(incoming, most);
  const request = requestOf(incoming, body, headers);
  const response = request === null ? new Response('bad request\n', { status: 400 }) : await handle(request);
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  if (body.length > most) outgoing.setHeader('connection', 'close');
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

/** The request of the web; `null` for a target or a method that it does not have. */
function requestOf(
  { url = '', method = '', headers }: IncomingMessage,
  body: Uint8Array,
  names: readonly string[],
): Request | null {
  const isPath = url.startsWith('/') && URL.canParse(`http://localhost${url}`);
  if (!isPath || !/^[A-Z]+$/.test(method) || ['CONNECT', 'TRACE', 'TRACK'].includes(method)) return null;
  const passed = ['content-encoding', ...names].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as [string, string]] : [];
  });
  return new Request(`http://localhost${url}`, {
    method,
    headers: passed,
    body: method === 'GET' || method === 'HEAD' ? null : new Uint8Array(body),
  });
}

/** The body, or the first bytes of one that is too long. Reading ends there, so that memory is bounded. */
function bodyOf(incoming: IncomingMessage, most: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (): void => resolve(Buffer.concat(chunks).subarray(0, most + 1));
    incoming.on('data', (chunk: Buffer) => {
      if (length > most) return;
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) end();
    });
    incoming.on('end', end);
    incoming.on('error', reject);
    incoming.on('close', () => reject(new Error('the client has gone')));
  });
}
