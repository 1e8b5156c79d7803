/** The place of keys that are behind a gateway: it sends warrants and columns, and reads the answers. */

import type { WarrantAccess } from '../../core/capability.ts';
import { badRange } from '../../core/checks.ts';
import { fail, type Issue, type IssueCode, kindOf } from '../../errors.ts';
import { readPapers } from '../../govern/access/warrant-access.ts';
import { parseWarrant } from '../../govern/warrant/warrant.ts';
import type { Elsewhere, FarAnswer, FarBatch, Place } from '../../keys/place/place.ts';
import { farRules } from '../../policy/elsewhere/open.ts';
import { MOST_ROWS } from '../wire/limits.ts';
import { fromWire, toWire } from '../wire/values.ts';
import { type Answer, type Ask, accepted, broken } from './transport.ts';

/** Makes the place. */
export function farPlace(ask: Ask): Place {
  const elsewhere: Elsewhere = {
    rules: farRules,
    mostRows: MOST_ROWS,
    async present(access) {
      const papers = papersIn(access);
      const present = async (): Promise<void> => {
        const { note, dossier } = papers;
        const body = accepted(await ask('warrants', { note, dossier }));
        if (body.warrant !== papers.sha256) broken('is about another warrant');
      };
      await present();
      return async (batch) => {
        const request = { warrant: papers.sha256, ...named(batch), ...wireBatch(batch) };
        let answer: Answer = await ask('reveal', request);
        // A gateway that has begun anew does not have the dossier any more. Nothing was opened.
        if (answer.status === 404) {
          await present();
          answer = await ask('reveal', request);
        }
        return readAnswer(accepted(answer), batch);
      };
    },
    protect: async (batch) => readAnswer(accepted(await ask('protect', wireBatch(batch))), batch),
  };
  return {
    elsewhere,
    grant: () => fail('keys_elsewhere', 'the keys are in another process, which grants nothing to this one'),
  };
}

function papersIn(access: WarrantAccess): { readonly note: string; readonly dossier: string; readonly sha256: string } {
  const { note, dossier } = readPapers(access);
  const { sha256 } = parseWarrant(note);
  return { note: textOf(note), dossier: textOf(dossier), sha256 };
}

function textOf(file: string | Uint8Array): string {
  if (typeof file === 'string') return file;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return fail('dossier_wrong', 'the warrant or the dossier is not UTF-8');
  }
}

const named = ({ fromKey }: FarBatch): object => (fromKey === null ? {} : { fromKey });

function wireBatch({ fields, columns, subject, missing, keyCheck }: FarBatch): object {
  const policy = {
    ...(subject !== null && { subject }),
    ...(missing !== null && { missing }),
    ...(keyCheck !== null && { keyCheck }),
    fields,
  };
  const sent = Object.entries(columns).map(([name, column]) => [name, column.map(wireOf)] as const);
  return { policy, columns: Object.fromEntries(sent) };
}

function wireOf(value: unknown): unknown {
  const written = toWire(value);
  return written === undefined ? badRange('value', 'is of a type that a gateway cannot be sent') : written;
}

function readAnswer(body: Readonly<Record<string, unknown>>, batch: FarBatch): FarAnswer {
  const { columns, issues, erased = 0 } = body;
  const [first = []] = Object.values(batch.columns);
  if (typeof columns !== 'object' || columns === null || !Array.isArray(issues) || !Number.isSafeInteger(erased)) {
    broken('has another form than the protocol');
  }
  const read: Record<string, readonly unknown[]> = {};
  for (const [name, column] of Object.entries(columns as object)) {
    if (!Array.isArray(column) || column.length !== first.length) broken('has a column of another length');
    read[name] = column.map((value) => {
      const plain = fromWire(value);
      return plain === undefined ? broken('has something that is no value of the protocol') : plain;
    });
  }
  return { columns: read, issues: issues.map((issue) => readIssue(issue, first.length)), erased: erased as number };
}

function readIssue(value: unknown, rows: number): FarAnswer['issues'][number] {
  const { row, code, message, field, ...others } = Object(value) as Record<string, unknown>;
  const fits = Number.isSafeInteger(row) && (row as number) >= 0 && (row as number) < rows;
  const numbers = ['minimum', 'maximum', 'actual', 'expected'].flatMap((name) =>
    typeof others[name] === 'number' ? [[name, others[name]] as const] : [],
  );
  if (!fits || typeof message !== 'string') broken('has an issue without a place or a message');
  try {
    kindOf(code as IssueCode);
  } catch {
    broken('has an issue with a code that this version does not know');
  }
  const issue: Issue = {
    code: code as IssueCode,
    message,
    ...(typeof field === 'string' && { field }),
    ...Object.fromEntries(numbers),
  };
  return { row: row as number, issue };
}
