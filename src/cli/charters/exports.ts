/** Parts of a charter in the forms of other tools: a policy of C2SP, and the file of allowed signers of OpenSSH. */

import { sshKeyText } from '../../govern/officers/ssh-key.ts';
import type { Charter, Officer, SshNamespace } from '../../govern.ts';

/**
 * The file of `ssh-keygen -Y verify -f` (ssh-keygen(1), "ALLOWED SIGNERS"): a line for each key of OpenSSH, with what
 * it may sign. Note keys have no form there. OpenSSH does not look at the touch of a hardware key, and a comment states
 * that.
 */
export function allowedSigners({ officers, domain, version, sha256 }: Charter): string {
  const lines = [...officers.values()].flatMap((officer) =>
    officer.keys.flatMap((key) =>
      key.kind === 'ssh'
        ? [`${officer.handle} namespaces="${namespacesOf(officer).join(',')}" ${sshKeyText(key.ssh)}`]
        : [],
    ),
  );
  const head = [
    `# ${domain}, version ${version}, sha256:${sha256}`,
    '# ssh-keygen -Y verify does not look at touch and PIN of hardware keys; trefoil does',
  ];
  return `${[...head, ...lines].join('\n')}\n`;
}

/** What an officer may sign. */
function namespacesOf({ roles }: Officer): readonly SshNamespace[] {
  const isKeeper = roles.includes('keeper');
  const approves = roles.some((role) => role !== 'keeper' && role !== 'requester');
  return [
    ...(isKeeper ? (['charter@trefoil', 'clock@trefoil'] as const) : []),
    ...(approves || roles.includes('requester') ? (['warrant@trefoil'] as const) : []),
    ...(approves || isKeeper ? (['refusal@trefoil'] as const) : []),
    ...(approves ? (['ratification@trefoil'] as const) : []),
  ];
}
