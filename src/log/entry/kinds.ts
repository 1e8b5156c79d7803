/**
 * The kinds of log entries and the fields of each, in the order in which they are written (docs/spec/log-v1.md,
 * "Kinds"). The table says what is checked; the interfaces say the same to the compiler.
 */

import {
  code,
  count,
  type FieldType,
  flag,
  hash,
  id128,
  name,
  note,
  positive,
  scope,
  scopes,
  subjects,
  time,
  verifierKeyText,
  word,
} from './fields.ts';

/** The writer was started. It is the first entry of every start, before any `use`. */
export interface StartEntry {
  readonly kind: 'start';
  /** The name of the writer, as it is configured; not the name that the system has. */
  readonly host: string;
  /** 128 random bits of this start, as 32 hexadecimal digits. */
  readonly boot: string;
}

/** A note that takes effect: a charter, a warrant, a refusal, a ratification, or keepers who set the clock. */
export interface NoteEntry {
  readonly kind: 'charter' | 'warrant' | 'refusal' | 'ratified' | 'clock';
  /** The signed note, whole, at most 32 KiB. */
  readonly note: string;
}

/** A use of a warrant (`use`) or of a break-glass warrant (`glass`). It is written before anything is opened. */
export interface UseEntry {
  readonly kind: 'use' | 'glass';
  /** SHA-256 of the warrant's text, 64 hexadecimal digits. */
  readonly warrant: string;
  /** The number of this use under its warrant, from 1. */
  readonly n: number;
  /** How many values of each scope: `{ 'seal:person.name': 3 }`. */
  readonly scopes: Readonly<Record<string, number>>;
  /** Whose records are opened: at most 1,000 sealed pseudonyms. */
  readonly subjects: readonly string[];
  /** Whether the writer has verified that the values belong to these people. If not, it is the requester's word. */
  readonly bound: boolean;
  /** Digest of the signed request, 64 hexadecimal digits. */
  readonly request: string;
  /** Commitment to the details, 64 hexadecimal digits. */
  readonly commit: string;
}

/** What a use came to. A `use` without a `done` counts as opened. */
export interface DoneEntry {
  readonly kind: 'done';
  /** Index of the `use` or `glass`. */
  readonly entry: number;
  readonly opened: number;
  readonly failed: number;
  readonly refused: number;
}

/** Values that a client may protect or look up: a lease, written before it is spent. */
export interface ForwardEntry {
  readonly kind: 'forward';
  readonly client: string;
  /** Kind and scope: `token:person.email`. */
  readonly scope: string;
  readonly verb: 'protect' | 'blind' | 'candidates' | 'matches' | 'lookup' | 'exists' | 'renew';
  readonly count: number;
  /** Beginning and end of the window, in seconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** Requests that were refused, counted. */
export interface DenyEntry {
  readonly kind: 'deny';
  /** The code of the error. */
  readonly code: string;
  readonly count: number;
  /** SHA-256 of the warrant's text, only if the log has that warrant. */
  readonly warrant?: string;
}

/** Something happened to a key. */
export interface KeyEntry {
  readonly kind: 'key';
  readonly event: 'made' | 'promoted' | 'retired' | 'exported' | 'shared';
  /** The name of the key. */
  readonly key: string;
  /** SHA-256 of what belongs to the event: the transcript of a ceremony, or the text of a public key. */
  readonly hash?: string;
}

/** People were erased from a store. The certificate is in the opening. */
export interface EraseEntry {
  readonly kind: 'erase';
  readonly commit: string;
}

/** Nothing happened. It is written every ten minutes, so that silence means something. */
export interface BeatEntry {
  readonly kind: 'beat';
}

/** A window of a limit that is still open when a shard begins. Such entries follow its first `start`. */
export interface CarryEntry {
  readonly kind: 'carry';
  readonly of: 'rate' | 'glass';
  /** The client or the requester. */
  readonly name: string;
  readonly verb?: ForwardEntry['verb'];
  readonly scope?: string;
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** The last entry of a shard: where the log continues. */
export interface EndEntry {
  readonly kind: 'end';
  /** Verifier key of the next shard. */
  readonly verifierKey: string;
  /** The first checkpoint of the next shard: a signed note. */
  readonly checkpoint: string;
}

/**
 * What happened, without the time, which the writer of a log adds. docs/spec/log-v1.md says when each kind is written.
 */
export type LogEvent =
  | StartEntry
  | NoteEntry
  | UseEntry
  | DoneEntry
  | ForwardEntry
  | DenyEntry
  | KeyEntry
  | EraseEntry
  | BeatEntry
  | CarryEntry
  | EndEntry;

/** The kinds of entries. */
export type EntryKind = LogEvent['kind'];

/** A field of a kind: its name, its type, and whether it may be left out. */
export interface Field {
  readonly name: string;
  /** What precedes its value in an entry: a comma and the name. */
  readonly prefix: string;
  readonly type: FieldType;
  readonly isOptional: boolean;
}

const must = (name: string, type: FieldType): Field => ({ name, prefix: `,"${name}":`, type, isOptional: false });
const may = (name: string, type: FieldType): Field => ({ ...must(name, type), isOptional: true });

const noted = (): readonly Field[] => [must('note', note)];
const used = (): readonly Field[] => [
  must('warrant', hash),
  must('n', positive),
  must('scopes', scopes),
  must('subjects', subjects),
  must('bound', flag),
  must('request', hash),
  must('commit', hash),
];
const verb = (): FieldType => word('protect', 'blind', 'candidates', 'matches', 'lookup', 'exists', 'renew');
const counted = (): readonly Field[] => [must('count', positive), must('from', time), must('to', time)];

/** The fields of every kind, in their order. */
export const KINDS: { readonly [Kind in EntryKind]: readonly Field[] } = /* @__PURE__ */ Object.freeze({
  start: [must('host', name), must('boot', id128)],
  charter: noted(),
  warrant: noted(),
  refusal: noted(),
  use: used(),
  done: [must('entry', count), must('opened', count), must('failed', count), must('refused', count)],
  forward: [must('client', name), must('scope', scope), must('verb', verb()), ...counted()],
  deny: [must('code', code), must('count', positive), may('warrant', hash)],
  glass: used(),
  ratified: noted(),
  key: [must('event', word('made', 'promoted', 'retired', 'exported', 'shared')), must('key', name), may('hash', hash)],
  erase: [must('commit', hash)],
  beat: [],
  clock: noted(),
  carry: [
    must('of', word('rate', 'glass')),
    must('name', name),
    may('verb', verb()),
    may('scope', scope),
    ...counted(),
  ],
  end: [must('verifierKey', verifierKeyText), must('checkpoint', note)],
});
