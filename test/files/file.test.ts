import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openInput } from '../../src/files/inputs/input-file.ts';
import { openOutput, partName, placePart } from '../../src/files/outputs/output-file.ts';
import { openFolderOutput } from '../../src/files/outputs/private-folder.ts';
import { systemError } from '../../src/files/system-error.ts';
import { policy, seal } from '../../src/index.ts';
import { protectFile, revealFile } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { abc, brief, collect, errorOf, keys, wayBack } from '../io/helpers.ts';

const root = await mkdtemp(`${tmpdir()}/trefoil-file-`);
afterAll(() => rm(root, { recursive: true }));

let folder = '';
let count = 0;
beforeEach(async () => {
  folder = `${root}/${count++}`;
  await mkdir(folder);
  await writeFile(`${folder}/in.csv`, TEXT);
});

const TEXT = `a,b,c\n${'1,2,3\n'.repeat(3000)}`;
const BAD = `${TEXT}1,2\n`;
const at = (name: string): string => `${folder}/${name}`;
const left = async (): Promise<string[]> => (await readdir(folder)).sort();

test('protects and reveals', async () => {
  const text = `name,pan,age,city\n${'Zoë,4111 1111 1111 1111,36,Ulm\n'.repeat(3000)}`;
  await writeFile(at('people.csv'), text);
  const result = await protectFile(at('people.csv'), at('safe.csv'), wayBack);
  const size = (await stat(at('safe.csv'))).size;
  expect(result).toEqual({
    rowsIn: 3000,
    rowsOut: 3000,
    rowsRejected: 0,
    rowsNotHeld: 0,
    valuesErased: 0,
    issues: { rows: 3000, isAll: true, fields: [], others: 0 },
    bytesIn: Buffer.byteLength(text),
    bytesOut: size,
  });
  await revealFile(at('safe.csv'), at('back.csv'), wayBack);
  expect(await readFile(at('back.csv'), 'utf8')).toBe(text);
  expect(await left()).toEqual(['back.csv', 'in.csv', 'people.csv', 'safe.csv']);
});

test('the file format follows from the name or the option', async () => {
  await writeFile(at('x.JSONL'), '{"a":1,"b":2,"c":3}\n');
  await writeFile(at('x.txt'), 'a,b,c\n1,2,3\n');
  await protectFile(at('x.JSONL'), at('y'), abc);
  expect(await readFile(at('y'), 'utf8')).toBe('{"a":1,"b":2,"c":3}\n');
  await expect(protectFile(at('x.txt'), at('z'), abc)).rejects.toThrow(TypeError);
  await expect(protectFile(at('x.txt'), at('z'), abc, { format: 'xml' as never })).rejects.toThrow(RangeError);
  await expect(protectFile(at('x.txt'), at('z'), abc, { froce: true } as never)).rejects.toThrow(TypeError);
  await expect(protectFile('', at('z'), abc)).rejects.toThrow(TypeError);
  expect((await protectFile(at('x.txt'), at('z'), abc, { format: 'csv' })).rowsOut).toBe(1);
});

test('an error or an abort half-way leaves nothing', async () => {
  await writeFile(at('bad.csv'), BAD);
  expect((await errorOf(protectFile(at('bad.csv'), at('out.csv'), abc))).issues.map(brief)).toEqual([
    'ragged_row row 3001 line 3002',
  ]);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(new Error('stop'));
  await expect(
    protectFile(at('in.csv'), at('out.csv'), abc, { signal: controller.signal, onProgress }),
  ).rejects.toThrow('stop');
  expect(await left()).toEqual(['bad.csv', 'in.csv']);
});

test('an error leaves the old output as it was', async () => {
  await writeFile(at('bad.csv'), BAD);
  await writeFile(at('out.csv'), 'old');
  await errorOf(protectFile(at('bad.csv'), at('out.csv'), abc, { force: true }));
  expect(await readFile(at('out.csv'), 'utf8')).toBe('old');
  expect(await left()).toEqual(['bad.csv', 'in.csv', 'out.csv']);
});

test('an existing output', async () => {
  await writeFile(at('out.csv'), 'old', { mode: 0o600 });
  const error = await errorOf(protectFile(at('in.csv'), at('out.csv'), abc));
  expect([error.code, error.kind]).toEqual(['output_exists', 'io']);
  await protectFile(at('in.csv'), at('out.csv'), abc, { force: true });
  expect(await readFile(at('out.csv'), 'utf8')).toBe(TEXT);
  expect((await stat(at('out.csv'))).mode & 0o777).toBe(0o600);
  expect(await left()).toEqual(['in.csv', 'out.csv']);
});

test('an output that is created meanwhile is not overwritten', async () => {
  const output = await openOutput(at('out.csv'), { force: false });
  await output.write(Buffer.from('new'));
  await writeFile(at('out.csv'), 'other');
  expect((await errorOf(output.finish())).code).toBe('output_exists');
  expect(await readFile(at('out.csv'), 'utf8')).toBe('other');
  await output.discard();
  expect(await left()).toEqual(['in.csv', 'out.csv']);
});

test('input and output the same file, by any name', async () => {
  await link(at('in.csv'), at('hard.csv'));
  await symlink('in.csv', at('soft.csv'));
  await symlink('.', at('here'));
  for (const name of ['in.csv', 'hard.csv', 'soft.csv', 'here/in.csv', './in.csv']) {
    expect((await errorOf(protectFile(at('in.csv'), at(name), abc, { force: true }))).code).toBe('same_file');
  }
  expect(await readFile(at('in.csv'), 'utf8')).toBe(TEXT);
});

test('if the output is a symbolic link, its target is replaced', async () => {
  await mkdir(at('other'));
  await writeFile(at('other/real.csv'), 'old');
  await symlink('other/real.csv', at('link.csv'));
  await symlink('nowhere', at('dangling.csv'));
  expect((await errorOf(protectFile(at('in.csv'), at('link.csv'), abc))).code).toBe('output_exists');
  expect((await errorOf(protectFile(at('in.csv'), at('dangling.csv'), abc))).code).toBe('output_exists');
  await protectFile(at('in.csv'), at('link.csv'), abc, { force: true });
  expect(await readFile(at('other/real.csv'), 'utf8')).toBe(TEXT);
  expect(await readdir(at('other'))).toEqual(['real.csv']);
});

test('a file that cannot be read or written is reported with its name and the reason', async () => {
  const missing = await errorOf(protectFile(at('none.csv'), at('out.csv'), abc));
  expect(missing.message).toBe(`${at('none.csv')}: cannot be read: there is no such file or folder (ENOENT)`);
  expect((await errorOf(protectFile(`${folder}`, at('out.csv'), abc, { format: 'csv' }))).message).toContain(
    'it is a directory',
  );
  expect((await errorOf(protectFile(at('in.csv'), at('no/out.csv'), abc))).code).toBe('io_failed');
  expect((await errorOf(protectFile(at('in.csv'), folder, abc, { force: true }))).message).toContain(
    'it is a directory',
  );
  expect((await errorOf(protectFile(at('in.csv'), at(`${'x'.repeat(300)}.csv`), abc))).message).toContain(
    'ENAMETOOLONG',
  );
  expect(await left()).toEqual(['in.csv']);
});

test('the mode of a new file', async () => {
  const output = await openOutput(at('secret'), { force: false, mode: 0o600 });
  await output.write(Buffer.from('x'));
  await output.finish();
  expect((await stat(at('secret'))).mode & 0o777).toBe(0o600);
});

test('a private file is private, whatever the umask, the part of an interrupted run and the replaced file', async () => {
  const before = process.umask(0o377);
  try {
    const output = await openOutput(at('secret'), { force: false, mode: 0o600 });
    await output.finish();
  } finally {
    process.umask(before);
  }
  expect((await stat(at('secret'))).mode & 0o777).toBe(0o600);
  for (const [name, resumeAt] of [
    ['new', undefined],
    ['resumed', 1],
  ] as const) {
    await writeFile(at(name), 'old', { mode: 0o644 });
    await writeFile(partName(at(name)), 'x', { mode: 0o644 });
    const output = await openOutput(at(name), { force: true, mode: 0o600, resumeAt });
    const open =
      resumeAt === undefined ? (await left()).find((file) => file.endsWith('.tmp'))! : `.${name}.trefoil-part`;
    expect((await stat(at(open))).mode & 0o777).toBe(0o600);
    await output.finish();
    expect((await stat(at(name))).mode & 0o777).toBe(0o600);
  }
});

test('a part of a run that could be resumed gets its name through a link, too', async () => {
  await mkdir(at('other'));
  await writeFile(at('other/real.csv'), 'old');
  await symlink('other/real.csv', at('link.csv'));
  const output = await openOutput(at('link.csv'), { force: true, resumeAt: 0 });
  await output.write(Buffer.from('whole'));
  await output.keep();
  await placePart(at('link.csv'), 5, true);
  expect(await readFile(at('other/real.csv'), 'utf8')).toBe('whole');
  expect((await lstat(at('link.csv'))).isSymbolicLink()).toBe(true);
  expect(await readdir(at('other'))).toEqual(['real.csv']);
});

test('DuckDB writes into a folder of its own with a random name, and two runs never share one', async () => {
  const both = await Promise.all([1, 2].map(() => openFolderOutput(at('out.csv'), { force: false, mode: 0o600 })));
  expect(both[0]!.file).not.toBe(both[1]!.file);
  for (const { file } of both) {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    await writeFile(file, 'records');
  }
  expect(await both[0]!.finish()).toBe(7);
  expect((await errorOf(both[1]!.finish())).code).toBe('output_exists');
  expect(await left()).toEqual(['in.csv', 'out.csv']);
});

test('an input that is not read is closed', async () => {
  const input = await openInput(at('in.csv'));
  await input[Symbol.asyncIterator]().return?.();
  expect((await collect(await openInput(at('in.csv')))).toString()).toBe(TEXT);
});

test('system errors', () => {
  const code = (name: string): unknown =>
    (systemError(Object.assign(new Error('x'), { code: name }), 'cannot be written', 'f') as { code: string }).code;
  expect(['ENOSPC', 'EFBIG', 'EDQUOT', 'EPIPE', 'EIO', 'EXDEV'].map(code)).toEqual([
    'no_space',
    'no_space',
    'no_space',
    'output_closed',
    'io_failed',
    'io_failed',
  ]);
  const own = new Error('own');
  expect(systemError(own, 'x', 'f')).toBe(own);
});

const unix = process.platform !== 'win32';

test.runIf(existsSync('/dev/full'))('a full disk', async () => {
  expect((await errorOf(protectFile(at('in.csv'), '/dev/full', abc))).code).toBe('no_space');
  expect((await protectFile(at('in.csv'), '/dev/null', abc)).rowsOut).toBe(3000);
});

test.runIf(unix)('a named pipe whose reader ends', async () => {
  execFileSync('mkfifo', [at('pipe')]);
  await writeFile(at('big.csv'), `a,b,c\n${'1,2,3\n'.repeat(100_000)}`);
  const reader = promisify(execFile)('head', ['-c', '10', at('pipe')]);
  expect((await errorOf(protectFile(at('big.csv'), at('pipe'), abc))).code).toBe('output_closed');
  expect((await reader).stdout).toBe('a,b,c\n1,2,');
});

test.runIf(unix && process.getuid?.() !== 0)('a folder that may not be written', async () => {
  await chmod(folder, 0o500);
  expect((await errorOf(protectFile(at('in.csv'), at('out.csv'), abc))).message).toContain('permission denied');
  await chmod(folder, 0o700);
});

test.runIf(unix)('a limit on the size of files ends the run and leaves nothing', async () => {
  // A process of its own, because the limit applies to a process. esbuild bundles the sources for it.
  const { build } = await import('esbuild');
  const file = fileURLToPath(new URL('../../src/files/outputs/output-file.ts', import.meta.url));
  await build({ entryPoints: [file], bundle: true, platform: 'node', format: 'esm', outfile: at('file.mjs') });
  await writeFile(
    at('run.mjs'),
    `import { openOutput } from './file.mjs';
    const output = await openOutput('out.bin', { force: false });
    try { for (let i = 0; i < 100; i++) await output.write(new Uint8Array(4000)); }
    catch (error) { await output.discard(); console.log(error.code, error.kind); }`,
  );
  const { stdout } = await promisify(execFile)('bash', ['-c', 'ulimit -f 10; exec "$0" run.mjs', process.execPath], {
    cwd: folder,
  });
  expect(stdout.trim()).toBe('no_space io');
  expect(await left()).toEqual(['file.mjs', 'in.csv', 'run.mjs']);
});

test('every open file is closed', async () => {
  if (!existsSync('/proc/self/fd')) return;
  const before = (await readdir('/proc/self/fd')).length;
  await writeFile(at('bad.csv'), BAD);
  for (let i = 0; i < 20; i++) {
    await errorOf(protectFile(at('bad.csv'), at('out.csv'), abc));
    await errorOf(protectFile(at('in.csv'), folder, abc));
  }
  const probe = await open(at('in.csv'));
  expect((await readdir('/proc/self/fd')).length).toBeLessThan(before + 10);
  await probe.close();
});

test('a revealed file can be read by its owner alone', async () => {
  await writeFile(at('people.csv'), 'name\nAda\n');
  const people = policy({ name: seal({ scope: 'person.name' }) });
  await protectFile(at('people.csv'), at('sealed.csv'), people.bind(keys));
  await revealFile(at('sealed.csv'), at('open.csv'), people.bind(keys, revealAccess));
  expect((await stat(at('open.csv'))).mode & 0o777).toBe(0o600);
  expect((await stat(at('sealed.csv'))).mode & 0o200).toBe(0o200);
});
