/** The extract of a log for one person as a page that needs nothing else: no script, no address, no font. */

import { visible } from '../../core/visible.ts';
import type { Extract, ShownUse } from '../../govern.ts';

/** A use with its proof. */
export type ProvenUse = Omit<ShownUse, 'bytes'> & { readonly proof: string };

/** An extract whose uses have proofs. */
export interface ProvenExtract extends Omit<Extract, 'uses'> {
  readonly origin: string;
  readonly uses: readonly ProvenUse[];
}

const STYLE =
  'body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}' +
  'th,td{text-align:left;padding:.3em .8em .3em 0;border-bottom:1px solid #ccc;vertical-align:top}' +
  'pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px}';

/** The page. */
export function extractPage({ domain, origin, now, uses, notes }: ProvenExtract): string {
  const rows = uses.map(row).join('');
  const table =
    uses.length === 0
      ? '<p>The log has no use that names this person and may be shown now.</p>'
      : `<table><thead><tr><th>when (UTC)</th><th>purpose</th><th>what</th><th>outcome</th><th>proof</th></tr></thead>` +
        `<tbody>${rows}</tbody></table>`;
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">' +
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">' +
    `<title>Who opened this record</title><style>${STYLE}</style></head><body>` +
    `<h1>Who opened this record</h1><p>Domain ${escaped(domain)}, log ${escaped(origin)}, as of ${time(now)} UTC.</p>` +
    `${table}<h2>What this extract does not show</h2><ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>` +
    '</body></html>\n'
  );
}

function row({ entry, at, purpose, dpv, isGlass, scopes, people, outcome, proof }: ProvenUse): string {
  const name = `${purpose}${dpv === null ? '' : ` (dpv:${dpv})`}${isGlass ? ', break-glass' : ''}`;
  const values = Object.entries(scopes).map(([scope, count]) => `${count} of ${scope}`);
  const of = people === 1 ? 'this person alone' : `${people} people together`;
  return (
    `<tr><td>${time(at)}</td><td>${escaped(name)}</td><td>${escaped(values.join(', '))}; ${of}</td>` +
    `<td>${escaped(outcome)}</td><td><details><summary>entry ${entry}</summary><pre>${escaped(proof)}</pre></details></td></tr>`
  );
}

const time = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text inside an element. Line feeds stay; other characters that nobody can see are shown as escapes. */
function escaped(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line).replace(/[&<>"']/g, (character) => ENTITIES[character]!))
    .join('\n');
}
