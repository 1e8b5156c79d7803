/// <reference types="node" />
/** `fetch` for gateways: also through a socket of Unix, and with a certificate of the client. */

import { Agent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

/** How a gateway is reached. */
export interface Reach {
  /** The path of a socket; `null`: by the network. */
  readonly socket: string | null;
  /** The certificate of this client with its key, and the certificates that the server's is signed with. */
  readonly tls: { readonly cert?: Buffer; readonly key?: Buffer; readonly ca?: Buffer };
}

/** Makes a `fetch` that sends what a gateway is sent: a body of bytes. It follows no redirect. */
export function gatewayFetch({ socket, tls }: Reach): typeof globalThis.fetch {
  const agents = { 'http:': new Agent({ keepAlive: true }), 'https:': new TlsAgent({ keepAlive: true, ...tls }) };
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(String(input));
      const isTls = url.protocol === 'https:';
      const { method = 'GET', headers, body, signal } = init;
      const sent = (isTls ? tlsRequest : plainRequest)(url, {
        method,
        headers: { ...Object.fromEntries(new Headers(headers)), 'content-length': (body as Uint8Array).length },
        agent: agents[isTls ? 'https:' : 'http:'],
        ...(signal != null && { signal }),
        ...(socket !== null && { socketPath: socket }),
      });
      sent.on('error', reject);
      sent.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const fields = Object.entries(incoming.headers).flatMap(([name, value]) =>
            typeof value === 'string' ? [[name, value] as [string, string]] : [],
          );
          resolve(new Response(Buffer.concat(chunks), { status: incoming.statusCode ?? 500, headers: fields }));
        });
      });
      sent.end(body as Uint8Array);
    });
}
