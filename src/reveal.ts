/**
 * The two capabilities. An auditor looks for imports of this file: whoever holds `revealAccess` can turn protected
 * values back, whoever holds `secretAccess` can write keys out.
 */

import { capability, type RevealAccess, type SecretAccess } from './core/capability.ts';

export type { RevealAccess, SecretAccess } from './core/capability.ts';

/**
 * Lets a bound rule or policy reveal.
 *
 * **Warning**: hand it only to code that must identify people.
 *
 * @example
 * ```ts
 * import { keyset, seal } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const keys = keyset.generate().domain('support');
 * const names = seal({ scope: 'person.name' }).bind(keys, revealAccess);
 * names.reveal(names.protect('Zoë Müller')); // → 'Zoë Müller'
 * ```
 */
export const revealAccess: RevealAccess = /* @__PURE__ */ capability<RevealAccess>('reveal');

/**
 * Lets `keyset.export` write key material out.
 *
 * **Warning**: what it writes is the secret itself.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil';
 * import { secretAccess } from 'trefoil/reveal';
 *
 * keyset.generate().export(secretAccess).startsWith('{'); // → true
 * ```
 */
export const secretAccess: SecretAccess = /* @__PURE__ */ capability<SecretAccess>('secret');
