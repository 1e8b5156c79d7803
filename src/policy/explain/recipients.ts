/**
 * What `explain` writes about recipients: who has other tokens of the same people, and who can link the tokens. Which
 * recipients there are is in the key file and not in the policy (docs/spec/keyset-v1.md, "Lineages").
 */

import type { DescribedKeyset } from '../../keys/described.ts';
import type { Leaf } from '../bound.ts';
import { code, codes } from './markdown.ts';

/** Origins of outputs that are made without a key: they are the same in every copy. */
const PASSING: readonly string[] = ['the value itself', 'taken from the value'];

/** The lines about the recipients of one policy. @param keys `null` if the page is written without the key file. */
export function recipientLines(
  leaves: readonly Leaf[],
  domain: string | undefined,
  keys: DescribedKeyset | null,
): readonly string[] {
  const tokens = pathsOf(leaves, ({ rule }) => rule.rule === 'token');
  if (tokens.length === 0) return ['None: no field has tokens, and nothing else is projected.'];
  if (keys === null || domain === undefined) {
    const missing = keys === null ? 'the key file' : 'a domain';
    return [
      `This page was written without ${missing}, so it does not name recipients. A recipient is a domain in the key file that`,
      'belongs to another one, and has other tokens of the same people. `trefoil explain --keys FILE` names them.',
    ];
  }
  const parent = keys.parents.get(domain) ?? null;
  const recipients = [...keys.parents].flatMap(([name, of]) => (of === (parent ?? domain) ? [name] : []));
  if (recipients.length === 0) {
    return ['None: in the key file no domain is a recipient of this one, and this one is a recipient of no other.'];
  }
  return [
    ...whoHasTokens(domain, parent, recipients, tokens),
    ...whoLinks(parent ?? domain, keys),
    ...whatElse(leaves),
  ];
}

function whoHasTokens(
  domain: string,
  parent: string | null,
  recipients: readonly string[],
  tokens: readonly string[],
): readonly string[] {
  const others = recipients.filter((name) => name !== domain);
  const people = `have other tokens of the same people in the fields that they are given of ${codes(tokens)}`;
  return [
    ...(parent === null
      ? [`- these recipients ${people}: ${codes(others)}`]
      : [
          `- this domain is a recipient of ${code(parent)}: its tokens are other tokens of the people in ${code(parent)}`,
          ...(others.length === 0
            ? []
            : [`- these recipients, too, have other tokens of the same people: ${codes(others)}`]),
        ]),
    '- tokens of two of these domains are never equal, so nobody can join two tables by the tokens alone',
  ];
}

function whoLinks(parent: string, { keys }: DescribedKeyset): readonly string[] {
  // The base of such a key is a key like any other, so its tokens went through no permutation.
  const open = keys.filter(
    ({ id, base, state }) =>
      !['base', 'elsewhere'].includes(state) && !['base', 'elsewhere'].includes(stateOf(keys, base ?? id)),
  );
  const bases = [...new Set(open.map(({ id, base }) => base ?? id))];
  return [
    `- who can link them: anyone who has the keys that \`trefoil project\` needs, of ${code(parent)} or of a recipient. They turn ` +
      'the tokens of one domain into those of another, and with these keys alone nobody can test a value',
    '- such keys are those of a scope: they serve all fields of the scope whose tokens are equally long, with every ' +
      'context and period (`per`)',
    ...(bases.length === 0
      ? []
      : [
          `- the root key ${codes(bases)} is a base that also makes or made tokens of ${code(parent)}. So anyone who has the keys ` +
            `to project between two recipients can link the tokens of ${code(parent)}, too`,
        ]),
    '- who can test a value: anyone who has the keys to protect; and anyone who may choose the rows that are projected and ' +
      'gets single rows back',
  ];
}

/** What a key does. Of a base that is elsewhere the file has only the check, and says nothing of what else it does. */
function stateOf(keys: DescribedKeyset['keys'], id: string): string {
  return keys.find((key) => key.id === id)?.state ?? 'elsewhere';
}

function whatElse(leaves: readonly Leaf[]): readonly string[] {
  const passing = pathsOf(leaves, ({ engine }) => PASSING.includes(engine.facts.origin));
  const dates = pathsOf(leaves, ({ rule }) => rule.rule === 'shiftDate');
  const alike = 'the order of rows, and by how often a token occurs';
  return [
    passing.length === 0
      ? `- without keys, recipients can still match rows by ${alike}`
      : `- without keys, recipients can still match rows by what is alike in their copies: ${codes(passing)}, ${alike}`,
    ...(dates.length === 0
      ? []
      : [`- dates of one person are moved by another number of days in each of these domains: ${codes(dates)}`]),
  ];
}

function pathsOf(leaves: readonly Leaf[], test: (leaf: Leaf) => boolean): readonly string[] {
  return leaves.filter(test).map(({ path }) => path);
}
