/** `--gateway` of the commands that run over records, and what goes with it. */

import type { Command } from 'commander';
import type { Direction } from '../../policy/bound.ts';
import { UsageError } from '../exit.ts';
import { fileOption, need, option } from '../options.ts';
import type { RunOptions } from '../run/options.ts';
import { charterPinOption } from '../warrants/charter-pin.ts';
import type { GatewayPlace } from './place.ts';

/** Adds the options to a command. */
export function addFarOptions(command: Command, direction: Direction): void {
  command.addOption(
    option('--gateway', 'URL', 'gateway that has the keys: http://…, https://… or unix:PATH', parsePlace),
  );
  if (direction === 'reveal') {
    command.addOption(fileOption('--warrant', 'signed warrant, for --gateway; its dossier lies beside it', 'NOTE'));
  }
  command
    .addOption(fileOption('--holder', 'private key of the desk or client, for --gateway'))
    .addOption(fileOption('--charter', 'signed charter, for --gateway: it has the key that answers are signed with'))
    .addOption(charterPinOption())
    .addOption(fileOption('--tls-cert', 'certificate of this client, for --gateway https://…'))
    .addOption(fileOption('--tls-key', 'private key of that certificate'))
    .addOption(fileOption('--tls-ca', 'certificates that the certificate of the gateway is signed with'));
}

function parsePlace(text: string): GatewayPlace {
  if (text.startsWith('unix:') && text.length > 5 && !text.includes('\0')) {
    return { url: 'http://localhost', socket: text.slice(5) };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) {
    return { url: url.origin, socket: null };
  }
  throw new UsageError('--gateway expected an address without a path, or unix:PATH', 'such as http://127.0.0.1:7380');
}

/** What cannot be combined with `--gateway`, and why. */
const APART: readonly (readonly [name: keyof RunOptions, flag: string, why: string])[] = [
  ['keys', '--keys', 'the keys are in the gateway'],
  ['identity', '--identity', 'the keys are in the gateway'],
  ['vault', '--vault', 'the stores are opened by the gateway'],
  ['workers', '--workers', 'the work is done by the gateway, and threads would have nothing to do'],
  ['resume', '--resume', 'each batch is a use of its own, and one that is done again counts again'],
  ['dryRun', '--dry-run', 'the gateway does nothing for a trial, and each batch is a use'],
  ['rejects', '--rejects', 'rejected records are sealed, and this process has no key for that; use --on-error stop'],
];

/**
 * Refuses options that do not go with `--gateway`, or that need it.
 *
 * @throws UsageError
 */
export function checkFar(direction: Direction, options: RunOptions): void {
  const { gateway, warrant, holder, charter, charterSha256, tlsCert, tlsKey, tlsCa } = options;
  if (gateway === undefined) {
    const given = { '--warrant': warrant, '--holder': holder, '--charter': charter, '--charter-sha256': charterSha256 };
    const more = { '--tls-cert': tlsCert, '--tls-key': tlsKey, '--tls-ca': tlsCa };
    for (const [flag, value] of Object.entries({ ...given, ...more })) {
      if (value !== undefined) throw new UsageError(`${flag} needs --gateway URL`);
    }
    return;
  }
  for (const [name, flag, why] of APART) {
    if (options[name] !== undefined) throw new UsageError(`${flag} cannot be combined with --gateway`, why);
  }
  if (options.engine === 'duckdb') {
    throw new UsageError('--engine duckdb cannot be combined with --gateway', 'DuckDB cannot wait for a gateway');
  }
  need(holder, '--holder');
  need(charter, '--charter');
  if (direction === 'reveal') need(warrant, '--warrant');
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key belong together');
  }
}
