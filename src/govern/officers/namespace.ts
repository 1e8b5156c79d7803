/** What a signature of an officer is for. */

import { badRange, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';

/**
 * What a signature is for: the namespace of an SSH signature (`ssh-keygen -Y sign -n`). The text states it as well,
 * because signatures of note keys have no namespace: a text of `warrant@trefoil` begins with `trefoil warrant v` and a
 * number.
 */
export type SshNamespace =
  | 'charter@trefoil'
  | 'warrant@trefoil'
  | 'refusal@trefoil'
  | 'ratification@trefoil'
  | 'clock@trefoil';

const NAMESPACES: readonly SshNamespace[] = [
  'charter@trefoil',
  'warrant@trefoil',
  'refusal@trefoil',
  'ratification@trefoil',
  'clock@trefoil',
];

/**
 * Checks that the first line of a text is that of the namespace, and that the second one begins with a word. So nobody
 * signs a charter where they meant a warrant, or a checkpoint of a log, whichever key they sign with.
 *
 * @throws TrefoilError `note_invalid`.
 * @throws RangeError if there is no such namespace, which is a mistake of the caller.
 */
export function checkNamespace(text: string, namespace: SshNamespace): void {
  if (!NAMESPACES.includes(namespace)) {
    badRange('namespace', `expected one of ${NAMESPACES.join(', ')}, got ${typeName(namespace)}`);
  }
  const kind = namespace.slice(0, namespace.indexOf('@'));
  const [first = '', second = ''] = text.split('\n', 2);
  if (!first.startsWith(`trefoil ${kind} v`) || !/ v[1-9][0-9]{0,3}$/.test(first)) {
    fail('note_invalid', `the first line is not that of a ${kind}, "trefoil ${kind} v1"`, { line: 1 });
  }
  // A log could have such a line as its name. The second line of its checkpoints is a number.
  if (second !== '' && !/^[a-z]/.test(second)) fail('note_invalid', 'the line does not begin with a word', { line: 2 });
}
