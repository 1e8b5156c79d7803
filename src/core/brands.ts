/**
 * Branded strings: the strings that a rule writes carry their kind and scope in their type, so a program that mixes two
 * scopes, or reveals a token, does not compile. Brands are named properties and not unique symbols, so that the type
 * declarations of the ES module and of the CommonJS build mean the same.
 */

/** A one-way token of a scope. */
export type Token<Scope extends string = string> = string & { readonly '~trefoil.token': Scope };

/** A format-preserving ciphertext of a scope. */
export type Enciphered<Scope extends string = string> = string & { readonly '~trefoil.fpe': Scope };

/** A sealed value of a scope. */
export type Sealed<
  Scope extends string = string,
  Value extends string | number | bigint | boolean | Date = string,
> = string & {
  readonly '~trefoil.seal': Scope;
  readonly '~trefoil.value': Value;
};

/** A random token of a scope. Its value is in a vault. */
export type VaultToken<Scope extends string = string> = string & { readonly '~trefoil.vault': Scope };
