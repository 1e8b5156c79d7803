/**
 * The people of a warrant, and those of a batch, by the pseudonyms of the log: so a token of an older key is the same
 * person, and a token in another form, too.
 */

import { fail } from '../../errors.ts';
import type { DomainKeys } from '../../keys/domain-keys.ts';
import type { PlaceFacts, SubjectField } from '../../keys/place/place.ts';
import type { Charter } from '../charter/charter.ts';
import { subjectPseudonyms } from '../people/pseudonyms.ts';
import type { DossierSubject } from '../warrant/dossier.ts';

/** The people that a warrant names. */
export interface People {
  /** Their pseudonyms, and the text of each whom the dossier names by a text. */
  readonly named: ReadonlyMap<string, string | null>;
  /**
   * The pseudonym of the person whom a value of the subject's field names.
   *
   * @throws TrefoilError `other_subject` if the warrant does not name that person.
   */
  readonly pseudonymOf: (subject: string) => string;
  /** The text of the person whom a value of the subject's field names; `null` for anybody else. */
  readonly textOf: (subject: string) => string | null;
}

/**
 * Finds the people that a dossier names.
 *
 * @throws TrefoilError `warrant_exceeds` if the policy does not know people by the tokens of the charter;
 *   `malformed_token` and others for tokens of the dossier.
 */
export function peopleOf(
  subjects: readonly DossierSubject[],
  keys: DomainKeys,
  { subject }: PlaceFacts,
  charter: Charter,
): People {
  const { path, rule, outputOf } = fieldOf(subject, charter);
  if (subjects.some((person) => 'text' in person)) checkPlain(path, rule.options);
  const { after } = rule;
  const ofToken = subjectPseudonyms(keys, rule.scope!);
  const pseudonymOf = (output: string): string =>
    ofToken(output.startsWith(after) ? output.slice(after.length) : output);
  const named = new Map<string, string | null>();
  for (const person of subjects) {
    const isText = 'text' in person;
    const pseudonym = isText ? pseudonymOf(outputOf(person.text)) : ofToken(person.token);
    // A person who is named by a token and by a text is known by the text.
    if (isText || !named.has(pseudonym)) named.set(pseudonym, isText ? person.text : null);
  }
  if (named.size !== subjects.length) {
    fail('dossier_wrong', 'the dossier names one person twice: by different tokens, or by a token and a text');
  }
  return {
    named,
    pseudonymOf(output) {
      const pseudonym = pseudonymOf(output);
      if (!named.has(pseudonym)) {
        fail('other_subject', 'a record belongs to somebody whom the warrant does not name; nothing was opened', {
          field: path,
        });
      }
      return pseudonym;
    },
    textOf: (output) => named.get(pseudonymOf(output)) ?? null,
  };
}

/** What may be set for the rule of a subject without changing which token a text has. */
const PLAIN: ReadonlySet<string> = new Set(['rule', 'scope', 'label', 'form', 'optional', 'why', 'role', 'missing']);

/**
 * The policy is the desk's, and so is the rule of its subject. With `after`, `prepare` or another function, the text of
 * one person would have the token of somebody else, or of nobody, and the log would name them.
 */
function checkPlain(path: string, options: readonly string[]): void {
  const [other] = options.filter((name) => !PLAIN.has(name));
  if (other === undefined) return;
  fail(
    'warrant_exceeds',
    `the dossier names people by texts, and the rule of the field ${path} has the option ${other}, with which a text ` +
      'could have the token of somebody else; only plain tokens say for everybody who somebody is',
    { field: path },
  );
}

/** The field that says whose record it is: tokens of the scope that the charter names. */
function fieldOf(subject: SubjectField | null, charter: Charter): SubjectField {
  const scope =
    charter.subject ?? fail('warrant_exceeds', 'the charter has no line "subject", so no warrant counts people');
  if (subject?.rule.rule === 'token' && subject.rule.scope === scope) return subject;
  const has = subject === null ? 'the policy has no "subject"' : `the field ${subject.path} has another rule or scope`;
  return fail(
    'warrant_exceeds',
    `the warrant is for people, who are known by tokens of the scope ${scope}, and ${has}; set the subject of the ` +
      'policy to a field with such a token',
  );
}
