/** What the options about a gateway say, as commander returns them. */

/** The options, as commander returns them. */
export interface FarOptions {
  readonly gateway?: GatewayPlace;
  readonly warrant?: string;
  readonly holder?: string;
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

/** Where a gateway is: its address, and the socket that leads there. */
export interface GatewayPlace {
  readonly url: string;
  readonly socket: string | null;
}
