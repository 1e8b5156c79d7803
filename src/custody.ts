/**
 * Custody of key files (`trefoil/custody`): what a key file needs while it is at rest.
 */

export { contextBytes, type KeyContext, type KeyWrapper, type WrapperCall } from './custody/wrapper.ts';
