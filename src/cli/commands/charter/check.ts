/// <reference types="node" />
/** `trefoil charter check`: what is unwise in a charter, and what no keeper may sign. */

import type { Command } from 'commander';
import { checkFollows } from '../../../govern/charter/succession.ts';
import {
  type Charter,
  type CharterChange,
  type CharterFinding,
  charterChanges,
  checkCharter,
} from '../../../govern.ts';
import { type CharterFile, inFile, keepersWhoSigned, readCharterFile } from '../../charters/charter-file.ts';
import { spacesOf } from '../../charters/spaces.ts';
import { changeLines, findingLines, levelLine, signedLine, titleOf } from '../../charters/words.ts';
import { EXIT } from '../../exit.ts';
import { type Context, fileOption, filesOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { writeJsonLine, writeOut } from '../../stdout.ts';
import { helpText, plural, printable } from '../../voice.ts';

const HELP = `
The charter may be a draft or a note with signatures. Lines that begin with
refused are contradictions and holes that no keeper signs; the exit code is then
6. Lines that begin with warning are allowed and unwise.

With --previous, what the charter changes is listed, and it is checked that it
is the next version. With --policy, it is checked that no rate lets a client
write down the whole code book of a format.

Examples:
  trefoil charter check charter.txt
  trefoil charter check charter.txt --previous charter-3.note --policy people.policy.yaml`;

interface CheckOptions {
  readonly previous?: string;
  readonly policy?: readonly string[];
  readonly json?: boolean;
}

export function addCharterCheck(parent: Command, context: Context): void {
  parent
    .command('check')
    .summary('find what is wrong or unwise in a charter')
    .description('Checks a charter: that it can be read, and what is unwise in it.')
    .argument('<FILE>', 'charter: a draft, or a note with signatures')
    .addOption(fileOption('--previous', 'version before, to list what changes'))
    .addOption(filesOption('--policy', 'policy file whose formats are compared with the rates'))
    .option('--json', 'one JSON object')
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: CheckOptions) => check(path, options, context));
}

async function check(path: string, options: CheckOptions, { voice, exit }: Context): Promise<void> {
  const { previous: previousPath, policy = [], json = false } = options;
  refuseTwoDashes('input', [
    ['FILE', path],
    ['--previous', previousPath],
    ['--policy', policy],
  ]);
  const file = await readCharterFile(path);
  const previous = previousPath === undefined ? null : await readCharterFile(previousPath);
  const spaces = await spacesOf(policy);
  if (previous !== null) inFile(path, () => checkFollows(file.charter, previous.charter));
  const checked: Checked = {
    file,
    previous: previous?.charter ?? null,
    findings: checkCharter(file.charter, { spaces }),
    changes: previous === null ? null : charterChanges(file.charter, previous.charter),
  };
  if (json) await writeJsonLine(asJson(checked));
  else await writeOut(`${asLines(checked).map(printable).join('\n')}\n`);
  const refused = checked.findings.filter(({ level }) => level === 'refused').length;
  if (refused === 0) return;
  voice.note(`${plural(refused, 'finding')} must be corrected: trefoil charter sign does not sign this charter`);
  exit(EXIT.refused);
}

/** What one check came to. */
interface Checked {
  readonly file: CharterFile;
  readonly previous: Charter | null;
  readonly findings: readonly CharterFinding[];
  readonly changes: readonly CharterChange[] | null;
}

function asLines({ file, previous, findings, changes }: Checked): string[] {
  const { charter } = file;
  return [
    titleOf(charter),
    levelLine(charter),
    ...(previous === null ? [] : [signedLine(keepersWhoSigned(file, previous), previous)]),
    signedLine(keepersWhoSigned(file, charter), charter),
    ...findingLines(findings),
    ...(changes === null ? [] : changes.length === 0 ? ['nothing is changed'] : changeLines(changes)),
  ];
}

function asJson({ file, previous, findings, changes }: Checked): object {
  const { charter } = file;
  const signed = (of: Charter) => {
    const keepers = keepersWhoSigned(file, of);
    return { keepers, missing: Math.max(0, of.change[0]!.count - keepers.length) };
  };
  return {
    domain: charter.domain,
    version: charter.version,
    sha256: charter.sha256,
    level: charter.isUnwitnessed ? 'G1' : 'G2',
    refused: findings.some(({ level }) => level === 'refused'),
    findings,
    signed: { previous: previous === null ? null : signed(previous), own: signed(charter) },
    changes,
  };
}
