/** The part of pg that the tests use. pg itself has no types. */
declare module 'pg' {
  export class Client {
    constructor(url: string | undefined);
    connect(): Promise<void>;
    query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: Record<string, string | null>[] }>;
    end(): Promise<void>;
  }
}
