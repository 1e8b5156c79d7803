/** What a charter says: who may ask, who must agree, for which purposes, and within which limits. */

import type { LogPolicy } from '../../log/tree/policy.ts';
import type { Verifier } from '../../note/verifier.ts';
import type { PartyKey } from '../officers/party-key.ts';
import type { Demand } from '../text/items.ts';

/** What a warrant may be for. */
export type WarrantVerb = 'reveal' | 'rekey' | 'erase' | 'lookup' | 'project';

/** What a client may do under a rate: the verbs of `forward` entries (docs/spec/log-v1.md). */
export type ForwardVerb = 'protect' | 'blind' | 'candidates' | 'matches' | 'lookup' | 'exists' | 'renew';

/** A person of the organisation, or outside of it, who asks, agrees, or keeps the charter. */
export interface Officer {
  readonly handle: string;
  /** Roles: `requester` asks, `keeper` signs charters, every other name is one that purposes demand. */
  readonly roles: readonly string[];
  /** The keys of this one person. Whichever signs, it counts as one. */
  readonly keys: readonly PartyKey[];
}

/** A program of an officer, which uses warrants. */
export interface Desk {
  readonly handle: string;
  /** The handle of its officer. */
  readonly of: string;
  readonly key: Verifier;
}

/** A program that protects values, within its rates. */
export interface Client {
  readonly handle: string;
  readonly key: Verifier;
}

/** A purpose, or a break-glass purpose. Scopes are `kind:[store/]scope`. */
export interface Purpose {
  readonly name: string;
  readonly isGlass: boolean;
  readonly verb: WarrantVerb;
  /** The name of a purpose in the Data Privacy Vocabulary, shown in reports; `null` if none is stated. */
  readonly dpv: string | null;
  readonly scopes: readonly string[];
  readonly approvals: readonly Demand[];
  /** The most values of one warrant; `null`: any number. */
  readonly values: number | null;
  /** The most people of one warrant; `null`: any number, because the purpose is about whole tables. */
  readonly subjects: number | null;
  /** The longest validity, in seconds. */
  readonly seconds: number;
  /** When others must have cosigned: before anything is opened, or at most so many seconds after; `null`: never. */
  readonly witnessed: 'before' | number | null;
  /** After how many seconds the person may be told; `null`: never by an extract of the log. */
  readonly show: number | null;
  /** Whether scopes are allowed that are bound to nobody, so that the people of a use are the requester's word. */
  readonly isUnbound: boolean;
  /** For glass: within how many seconds it must be ratified, and by whom. */
  readonly ratify: { readonly seconds: number; readonly demands: readonly Demand[] } | null;
  /** For glass: how many warrants of one requester, and of all, in a window of so many seconds. */
  readonly atMost: { readonly each: number; readonly all: number; readonly seconds: number } | null;
}

/** How much a client may protect or a desk may open in a window. What no rate allows to a client is refused. */
export interface Rate {
  readonly of: 'client' | 'desk';
  /** A handle, or `*`: each of them, by itself. */
  readonly handle: string;
  /** A forward verb for clients; `reveal` for desks. */
  readonly verb: ForwardVerb | 'reveal';
  /** Kind and scope, or `*`: all of them together. */
  readonly scope: string;
  readonly count: number;
  readonly seconds: number;
  /** Whether it is known that the whole space of a small format can be enumerated at this rate. */
  readonly isCodeBook: boolean;
}

/** When a report points at something. */
export interface Alerts {
  /** So many warrants about one person in so many seconds. */
  readonly subject: { readonly count: number; readonly seconds: number } | null;
  /** One approver for at least this share (per cent) of a requester's warrants, from so many warrants on. */
  readonly pair: { readonly percent: number; readonly least: number } | null;
  /** Uses outside these hours of the day in UTC: from, and up to, 0 to 24. */
  readonly hours: { readonly from: number; readonly to: number } | null;
}

/** A charter that was read. Whether it is signed is another question (succession.ts). */
export interface Charter {
  /** The text that is signed, with its last line feed. */
  readonly text: string;
  /** SHA-256 of the text: 64 hexadecimal digits. */
  readonly sha256: string;
  readonly version: number;
  /** SHA-256 of the text of the version before; `null` in version 1. */
  readonly previous: string | null;
  readonly domain: string;
  /** The scope of the tokens that people are known by in this domain; `null`: no purpose counts people. */
  readonly subject: string | null;
  /** The key of the log. A charter names one. */
  readonly log: Verifier;
  /** The key that answers of the gateway are signed with; `null`: there is none. */
  readonly answers: Verifier | null;
  /** The lines `log`, `witness`, `group` and `quorum`, as a policy of https://c2sp.org/tlog-policy. */
  readonly logPolicy: LogPolicy;
  /** Its text: those lines alone. */
  readonly logPolicyText: string;
  /** Whether the charter says `quorum none`. */
  readonly isUnwitnessed: boolean;
  readonly officers: ReadonlyMap<string, Officer>;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly clients: ReadonlyMap<string, Client>;
  /** Purposes and break-glass purposes by name. */
  readonly purposes: ReadonlyMap<string, Purpose>;
  readonly rates: readonly Rate[];
  /** SHA-256 of the list of protected people, and who must agree as well; `null`: there is none. */
  readonly protected: { readonly sha256: string; readonly approvals: readonly Demand[] } | null;
  readonly alerts: Alerts;
  /** How many openings an overseer may demand in a window; `null`: no limit. */
  readonly openings: { readonly count: number; readonly seconds: number } | null;
  /** Whether the case number stands in warrants in clear. If not, it is a commitment. */
  readonly isCaseShown: boolean;
  /** Who must sign the next version. */
  readonly change: readonly Demand[];
}
