/** The limits of the protocol (docs/spec/govern/gateway-v1.md, "Limits"). */

/** The most values of a column in one request. */
export const MOST_ROWS = 1000;

/** The most columns of a request. */
export const MOST_COLUMNS = 64;

/** The most bytes of the body of a request. */
export const MOST_BODY: number = 8 * 1024 * 1024;

/** The most bytes of the body of an answer. */
export const MOST_ANSWER: number = 64 * 1024 * 1024;

/** For how long a request may be used after it was signed, and how far a clock may be ahead, in seconds. */
export const SKEW = 60;

/** How long nonces are kept, in seconds: longer than a request with the fastest clock can be used. */
export const NONCE_SECONDS: number = 2 * SKEW + 1;
