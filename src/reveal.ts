/**
 * The two capabilities: code that holds `revealAccess` can reveal protected values, and code that holds `secretAccess`
 * can export keys. An auditor finds such code by its imports of this file.
 */

import { capability, type RevealAccess, type SecretAccess } from './core/capability.ts';

export type { RevealAccess, SecretAccess } from './core/capability.ts';

/**
 * The capability to reveal. A rule or policy that is bound with it can turn protected values back.
 *
 * **Warning**: pass it only to code that must identify people.
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
 * The capability to export keys: `keyset.export` requires it.
 *
 * **Warning**: the exported text is the secret itself.
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
