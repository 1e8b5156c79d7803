/**
 * Writes the licences of the code and data of others that the built files contain, which the bundler lists for each
 * file. `dist/NOTICES.txt` has the text of each licence. `dist/trefoil.mjs`, which users copy to other machines without
 * that file, has the texts at its own end. The same list goes into the bill of materials (tsup.sbom.ts).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Options } from 'tsup';
import { writeSbom } from './tsup.sbom.ts';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

const NOTICES = 'dist/NOTICES.txt';

/** The only file in src/ with data of others, and the page with the licence of these data. */
const UNICODE = 'src/prepare/unicode-15-1.ts';
const UNICODE_LICENCE = 'docs/third-party.md';

/** The folders of packages (and {@link UNICODE}), with the kinds of built files that contain them, over all builds. */
const carriers = new Map<string, Set<string>>();

/** The folder of the package to which an input belongs, or {@link UNICODE}. `null` for our own code. */
function sourceOf(input: string): string | null {
  if (!input.includes('node_modules/')) return input === UNICODE ? UNICODE : null;
  for (let folder = dirname(input); folder.includes('node_modules/'); folder = dirname(folder)) {
    // A package may have another package.json, without a name, in the folder of one of its builds.
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name !== undefined) return folder;
  }
  throw new Error(`${input} belongs to no package`);
}

function licenceOf(source: string): { readonly title: string; readonly text: string } {
  if (source === UNICODE) {
    const [, text] = /^```text\n(.*?)^```$/ms.exec(readFileSync(UNICODE_LICENCE, 'utf8'))!;
    return { title: 'Unicode Character Database 15.1.0 (Unicode-3.0)', text: text!.trim() };
  }
  const { name, version, license } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const file = readdirSync(source).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} is bundled, but has no file with its licence`);
  return { title: `${name} ${version} (${license})`, text: readFileSync(join(source, file), 'utf8').trim() };
}

/** @param where the files that contain a source, as text. It is empty in a file that has only its own notices. */
function noticesOf(sources: Iterable<string>, where: (source: string) => string): string {
  const parts = [...sources].sort().map((source) => {
    const { title, text } = licenceOf(source);
    return `${'-'.repeat(80)}\n${title}${where(source)}\n\n${text}\n`;
  });
  return `The built files of trefoil carry code or data of others, under these licences.\n\n${parts.join('\n')}`;
}

/** The build to which an output belongs. Readers need that, and not the names of chunks, which contain hashes. */
function kindOf(output: string): string {
  if (basename(output) === 'trefoil.mjs') return 'dist/trefoil.mjs';
  return output.endsWith('.cjs') ? 'dist/*.cjs' : 'dist/*.js';
}

/** Records what a build puts into its files, and writes the notices and the bill of materials of all builds so far. */
export const thirdPartyNotices: Plugin = {
  name: 'third-party-notices',
  setup(build) {
    build.initialOptions.metafile = true;
    build.onEnd(({ metafile, outputFiles = [] }) => {
      const own = new Set<string>();
      for (const [output, { inputs }] of Object.entries(metafile?.outputs ?? {})) {
        for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
          const source = bytesInOutput === 0 ? null : sourceOf(input);
          if (source === null) continue;
          own.add(source);
          carriers.set(source, (carriers.get(source) ?? new Set()).add(kindOf(output)));
        }
      }
      // A build that failed has no files.
      if (outputFiles.length === 0) return;
      const alone = outputFiles.find(({ path }) => basename(path) === 'trefoil.mjs');
      if (alone !== undefined) {
        const text = noticesOf(own, () => '').replaceAll('*/', '* /');
        alone.contents = Buffer.from(`${alone.text}\n/*!\n${text}*/\n`);
      }
      mkdirSync(dirname(NOTICES), { recursive: true });
      writeFileSync(
        NOTICES,
        noticesOf(carriers.keys(), (source) => `\nIn: ${[...carriers.get(source)!].sort().join(', ')}`),
      );
      writeSbom(
        [...carriers].map(([source, kinds]) => ({ folder: source === UNICODE ? null : source, files: [...kinds] })),
      );
    });
  },
};
