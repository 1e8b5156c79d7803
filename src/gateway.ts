/**
 * The gateway (`trefoil/gateway`): keys in one process, which reveals only what it has logged, and what talks to it
 * (docs/spec/govern/gateway-v1.md).
 */

export { type GatewayKeysOptions, gatewayKeys } from './gateway/client/keys.ts';
export { type GatewayOptions, gateway } from './gateway/server/gateway.ts';
export { recentRequests } from './gateway/server/recent.ts';
export { requestSigner, type Signer } from './note/signer.ts';
