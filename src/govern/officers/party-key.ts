/** A public key of an officer: one of signed notes, or one of OpenSSH. */

import type { Verifier } from '../../note/verifier.ts';

/** What an SSH signature must show, besides that it verifies. */
export interface SshDemands {
  /** The flag of user presence: somebody touched the hardware key. */
  readonly touch: boolean;
  /** The flag of user verification: the hardware key asked for a PIN or a finger. */
  readonly verified: boolean;
}

/** A key of OpenSSH: `ssh-ed25519`, `ecdsa-sha2-nistp256`, or their forms on hardware (`sk-…`). */
export interface SshKey {
  readonly type: string;
  /** The public key as SSH writes it (RFC 4253, section 6.6). */
  readonly blob: Uint8Array;
  readonly demands: SshDemands;
}

/** A key of an officer. */
export type PartyKey =
  | { readonly kind: 'note'; readonly verifier: Verifier; readonly raw: string }
  | { readonly kind: 'ssh'; readonly ssh: SshKey; readonly raw: string };
// `raw` is the bare public key in hexadecimal digits, without name and format. A charter has each at most once.

/** What an SSH signature is for: its namespace (`ssh-keygen -Y sign -n`). */
export type SshNamespace = 'charter@trefoil' | 'warrant@trefoil' | 'refusal@trefoil' | 'ratification@trefoil';
