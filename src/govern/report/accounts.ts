/**
 * What the entries of a log say about charters and warrants, judged by somebody who does not trust its writer: every
 * signature is verified again, and what the charter does not allow is a contradiction. The writer's own accounting
 * (ledger/ledger.ts) stops at the first one; an overseer wants all of them.
 */

import { type IssueCode, TrefoilError } from '../../errors.ts';
import type { DoneEntry, LogEvent, UseEntry } from '../../log/entry/kinds.ts';
import type { Charter, Officer, Purpose } from '../charter/charter.ts';
import { parseCharter } from '../charter/parse.ts';
import { openCharter } from '../charter/succession.ts';
import { matchDemands } from '../officers/matching.ts';
import { approversOf, candidatesOf, checkRequester, type Signed, signaturesUnder } from '../warrant/approvals.ts';
import { parseRatification } from '../warrant/ratification.ts';
import { parseRefusal } from '../warrant/refusal.ts';
import { checkCharterOf, checkDomainOf, checkTimeOf, partiesOf, purposeOf } from '../warrant/steps.ts';
import { verifyClock, verifyRatification, verifyRefusal } from '../warrant/verify-statements.ts';
import { parseWarrant, type Warrant } from '../warrant/warrant.ts';
import type { Contradiction } from './report.ts';

/** A use of break-glass. */
export interface GlassRecord {
  readonly entry: number;
  readonly at: number;
  /** SHA-256 of the bytes of the entry. */
  readonly sha256: string;
  isRatified: boolean;
}

/** What the log says about one warrant. */
export interface Account {
  readonly warrant: Warrant;
  /** SHA-256 of its text. */
  readonly sha256: string;
  readonly requester: string;
  /** The name of the purpose. */
  readonly purpose: string;
  /** The purpose, as the charter had it when the warrant was logged; `null` if it did not have it. */
  readonly terms: Purpose | null;
  readonly charter: Charter;
  readonly at: number;
  /** Handles of the officers whose approval counted. */
  readonly approvers: readonly string[];
  /** Whether the approvals suffice for protected people as well. */
  readonly isForProtected: boolean;
  isRefused: boolean;
  uses: number;
  values: number;
  /** Everybody whom it was used about; empty without the key of the shard. */
  readonly people: Set<string>;
  readonly glass: Map<number, GlassRecord>;
}

/** A use without an outcome yet. */
export interface OpenUse {
  readonly at: number;
  readonly values: number;
  readonly account: Account | null;
}

/** An entry with what surrounds it. */
export interface Placed<Event extends LogEvent = LogEvent> {
  readonly index: number;
  readonly at: number;
  readonly event: Event;
  /** SHA-256 of its bytes. It is only called for break-glass. */
  readonly sha256: () => string;
}

/** A use that was accounted for. */
export interface AccountedUse {
  readonly account: Account | null;
  readonly values: number;
  /** The pseudonyms of its people; `null` without the key of the shard. */
  readonly people: readonly string[] | null;
  readonly isUnnamed: boolean;
}

/** What an entry that is not a use was. */
export interface Taken {
  /** The outcome of a use, with that use. */
  readonly outcome: { readonly use: OpenUse; readonly done: DoneEntry } | null;
  /** The account of a new warrant. */
  readonly account: Account | null;
}

const NOTHING: Taken = Object.freeze({ outcome: null, account: null });

/** The accounts of a log. */
export interface Accounts {
  /** The newest charter. */
  readonly charter: () => Charter | null;
  /** SHA-256 of the text of the first one. */
  readonly first: () => string | null;
  /** By SHA-256 of the text. */
  readonly warrants: ReadonlyMap<string, Account>;
  /** Uses without an outcome, by the index of their entry. */
  readonly open: ReadonlyMap<number, OpenUse>;
  /** Takes an entry that is not a use. */
  readonly take: (entry: Placed) => Taken;
  readonly takeUse: (entry: Placed<UseEntry>) => AccountedUse;
}

/** What accounts are made with. */
export interface AccountOptions {
  /** SHA-256 of the text of the first charter; `null`: the log's own first one is taken. */
  readonly firstCharter: string | null;
  /** Opens a sealed pseudonym; `null` without the key of the shard. */
  readonly openSubject: ((sealed: string) => string) | null;
  readonly contradict: (found: Contradiction) => void;
}

/**
 * Makes empty accounts.
 *
 * @throws TrefoilError `charter_invalid`, `charter_unsigned` from `take`, if the first charter is not the pinned one or
 *   is not signed: then nobody knows whose report it would be.
 */
export function newAccounts(options: AccountOptions): Accounts {
  const { firstCharter, openSubject, contradict } = options;
  const warrants = new Map<string, Account>();
  /** The warrant that owns an id. */
  const ids = new Map<string, string>();
  const open = new Map<number, OpenUse>();
  let charter: Charter | null = null;
  let first: string | null = null;
  let isEnded = false;

  /** Runs a step of a verification. What it throws is a contradiction. */
  function judge<Result>(entry: number, step: () => Result): Result | null {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      const { code, message } = error.issues[0]!;
      contradict({ entry, code, message });
      return null;
    }
  }

  function against(entry: number, code: IssueCode, message: string): void {
    contradict({ entry, code, message });
  }

  function takeCharter(index: number, note: string): void {
    if (charter === null) {
      charter = openCharter(note, { sha256: firstCharter ?? parseCharter(note).sha256 });
      first = charter.sha256;
    } else charter = judge(index, () => openCharter(note, { previous: charter! })) ?? charter;
  }

  function takeWarrant(entry: number, at: number, note: string): Account | null {
    const warrant = judge(entry, () => parseWarrant(note));
    if (warrant === null || charter === null) return null;
    const { sha256, id } = warrant;
    if (warrants.has(sha256)) {
      against(entry, 'log_broken', 'the warrant is in the log already');
      return null;
    }
    if (ids.has(id)) against(entry, 'id_taken', 'another warrant of the log has this id');
    else ids.set(id, sha256);
    const named = charter;
    judge(entry, () => {
      checkCharterOf(warrant, named);
      checkDomainOf(warrant, named);
      checkTimeOf(warrant, at);
    });
    const terms = judge(entry, () => purposeOf(warrant, named));
    const parties = judge(entry, () => partiesOf(warrant, named));
    const signed = judge(entry, () => signaturesUnder(note, warrant.text, named, 'warrant@trefoil'));
    const approval = { approvers: [] as readonly string[], isForProtected: false };
    if (terms !== null && parties !== null && signed !== null) {
      judge(entry, () => checkRequester(signed, parties.requester));
      const candidates = judge(entry, () => candidatesOf(signed, parties.requester, parties.desk)) ?? [];
      Object.assign(approval, approvalOf(signed, candidates, terms, named, entry));
    }
    const account: Account = {
      warrant,
      sha256,
      requester: warrant.requester,
      purpose: warrant.purpose,
      terms,
      charter: named,
      at,
      ...approval,
      isRefused: false,
      uses: 0,
      values: 0,
      people: new Set(),
      glass: new Map(),
    };
    warrants.set(sha256, account);
    return account;
  }

  function approvalOf(
    signed: Signed,
    candidates: readonly Officer[],
    { approvals }: Purpose,
    { protected: named }: Charter,
    entry: number,
  ): Pick<Account, 'approvers' | 'isForProtected'> {
    // Those who signed for protected people count as approvers, too.
    const all = [...approvals, ...(named?.approvals ?? [])];
    const { chosen, missing } = matchDemands(candidates, all);
    judge(entry, () => approversOf(signed, candidates, { demands: approvals, extra: [] }));
    return { approvers: chosen.map(({ handle }) => handle), isForProtected: named !== null && missing.length === 0 };
  }

  function takeRefusal(entry: number, note: string): void {
    const refusal = judge(entry, () => parseRefusal(note));
    if (refusal === null) return;
    const account = warrants.get(refusal.warrant);
    if (account === undefined) {
      against(entry, 'log_broken', 'the refusal is about a warrant that is not in the log');
      return;
    }
    const options = { charter: charter ?? account.charter, warrant: account.warrant };
    if (judge(entry, () => verifyRefusal(note, options)) !== null) account.isRefused = true;
  }

  function takeRatification(entry: number, note: string): void {
    const ratification = judge(entry, () => parseRatification(note));
    if (ratification === null) return;
    const account = warrants.get(ratification.warrant);
    if (account === undefined) {
      against(entry, 'log_broken', 'the ratification is about a warrant that is not in the log');
      return;
    }
    const options = { charter: charter ?? account.charter, warrant: account.warrant };
    if (judge(entry, () => verifyRatification(note, options)) === null) return;
    for (const { index, sha256 } of ratification.uses) {
      const use = account.glass.get(index);
      if (use?.sha256 === sha256) use.isRatified = true;
      else against(entry, 'log_broken', 'the ratification names an entry that is not a use of its warrant');
    }
  }

  function takeDone(entry: number, event: DoneEntry): Taken['outcome'] {
    const use = open.get(event.entry);
    if (use === undefined) {
      against(entry, 'log_broken', 'the outcome is of an entry that is not a use, or has an outcome already');
      return null;
    }
    open.delete(event.entry);
    if (event.opened + event.failed + event.refused !== use.values) {
      against(entry, 'log_broken', 'the outcome counts another number of values than its use');
    }
    return { use, done: event };
  }

  /** What the charter, the warrant and the uses before do not allow. */
  function judgeUse({ index, at, event }: Placed<UseEntry>, account: Account, values: number): void {
    const { warrant, terms } = account;
    if (event.n !== account.uses + 1) against(index, 'log_broken', 'the uses of the warrant are not numbered in turn');
    if (account.isRefused) against(index, 'warrant_refused', 'an officer had refused the warrant before this use');
    judge(index, () => checkCharterOf(warrant, charter!));
    judge(index, () => checkTimeOf(warrant, at));
    if (terms !== null && terms.isGlass !== (event.kind === 'glass')) {
      against(index, 'log_broken', 'break-glass is logged as a usual use, or the other way round');
    }
    if (Object.keys(event.scopes).some((scope) => !warrant.scopes.includes(scope))) {
      against(index, 'warrant_exceeds', 'the use is for a scope that its warrant does not name');
    }
    if (warrant.values !== null && account.values + values > warrant.values) {
      against(index, 'budget_spent', 'the uses are for more values than their warrant');
    }
    if (warrant.subjects === null) return;
    const people = openSubject === null ? event.subjects.length : account.people.size;
    if (people > warrant.subjects) {
      const doubt = openSubject === null ? '' : '; or the key of the shard is another one';
      against(index, 'budget_spent', `the uses are about more people than their warrant${doubt}`);
    }
  }

  return {
    charter: () => charter,
    first: () => first,
    warrants,
    open,
    take({ index, at, event }) {
      if (isEnded) against(index, 'log_broken', 'the entry follows the end of the shard');
      switch (event.kind) {
        case 'charter':
          takeCharter(index, event.note);
          return NOTHING;
        case 'warrant':
          return { outcome: null, account: takeWarrant(index, at, event.note) };
        case 'refusal':
          takeRefusal(index, event.note);
          return NOTHING;
        case 'ratified':
          takeRatification(index, event.note);
          return NOTHING;
        case 'clock':
          if (charter !== null) judge(index, () => verifyClock(event.note, { charter: charter! }));
          return NOTHING;
        case 'done':
          return { outcome: takeDone(index, event), account: null };
        case 'end':
          isEnded = true;
          return NOTHING;
        default:
          return NOTHING;
      }
    },
    takeUse(entry) {
      const { index, at, event } = entry;
      if (isEnded) against(index, 'log_broken', 'the entry follows the end of the shard');
      const values = Object.values(event.scopes).reduce((sum, count) => sum + count, 0);
      const people = openSubject === null ? null : event.subjects.map(openSubject);
      const account = warrants.get(event.warrant) ?? null;
      open.set(index, { at, values, account });
      if (account === null) {
        against(index, 'warrant_required', 'the use is under a warrant that is not in the log');
        return { account, values, people, isUnnamed: false };
      }
      for (const person of people ?? []) account.people.add(person);
      judgeUse(entry, account, values);
      account.uses++;
      account.values += values;
      if (event.kind === 'glass')
        account.glass.set(index, { entry: index, at, sha256: entry.sha256(), isRatified: false });
      const isUnnamed = account.warrant.subjects !== null && event.subjects.length === 0;
      return { account, values, people, isUnnamed };
    },
  };
}
