/** The part of pg and pg-copy-streams that the tests use. They have no types of their own. */
declare module 'pg' {
  export class Client {
    constructor(url: string | undefined);
    connect(): Promise<void>;
    query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: Record<string, string | null>[] }>;
    /** Starts a copy: a query that is a stream. */
    query<Stream extends NodeJS.ReadableStream | NodeJS.WritableStream>(copy: Stream): Stream;
    end(): Promise<void>;
  }
}

declare module 'pg-copy-streams' {
  import type { Readable, Writable } from 'node:stream';

  export function to(sql: string): Readable;
  export function from(sql: string): Writable;
}
