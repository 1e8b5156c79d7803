/** What the tests use of pg, which has no types of its own. */
declare module 'pg' {
  export class Client {
    constructor(url: string | undefined);
    connect(): Promise<void>;
    query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: Record<string, string | null>[] }>;
    end(): Promise<void>;
  }
}
