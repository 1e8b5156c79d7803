/** The folder of a witness: what is on the disk, who may open it, and what is refused. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { newNoteKey } from '../../../src/log.ts';
import { type WitnessFolder, witnessFolder } from '../../../src/node.ts';

const key = newNoteKey('witness.example', { algorithm: 'cosignature/v1' }).verifierKey;
const folders: string[] = [];
const open: WitnessFolder[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-witness-'));
  folders.push(folder);
  return join(folder, 'state');
}

async function opened(path: string, create = false, its = key): Promise<WitnessFolder> {
  const state = await witnessFolder(path, { key: its, create });
  open.push(state);
  return state;
}

afterEach(async () => {
  for (const state of open.splice(0)) await state.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error) => error.code ?? error.name,
  );

test('remembers one checkpoint for each log, in a file for its owner alone', async () => {
  const path = newFolder();
  const state = await opened(path, true);
  expect(await state.latest('log.example')).toBeNull();
  expect(await state.replace('log.example', null, 'one\n')).toBe(true);
  expect(await state.replace('other.example', null, 'other\n')).toBe(true);
  expect(await state.replace('log.example', null, 'two\n')).toBe(false);
  expect(await state.replace('log.example', 'other\n', 'two\n')).toBe(false);
  expect(await state.replace('log.example', 'one\n', 'two\n')).toBe(true);
  await state.close();
  const names = readdirSync(path);
  expect(names.filter((name) => name.endsWith('.checkpoint'))).toHaveLength(2);
  expect(names.filter((name) => name !== 'witness.json')).toHaveLength(2);
  if (process.platform !== 'win32') {
    for (const name of names) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  }
  const again = await opened(path);
  expect(await again.latest('log.example')).toBe('two\n');
});

test('many writes at once: exactly one of those that saw the same text wins', async () => {
  const state = await opened(newFolder(), true);
  const done = await Promise.all(Array.from({ length: 20 }, (_, i) => state.replace('log.example', null, `${i}\n`)));
  expect(done.filter(Boolean)).toHaveLength(1);
  expect(await state.latest('log.example')).toBe(`${done.indexOf(true)}\n`);
});

test('a folder that is missing is not made again in silence', async () => {
  const path = newFolder();
  expect(await codeOf(witnessFolder(path, { key }))).toBe('witness_state_missing');
  expect(existsSync(path)).toBe(false);
  const state = await opened(path, true);
  await state.close();
  rmSync(join(path, 'witness.json'));
  expect(await codeOf(witnessFolder(path, { key }))).toBe('witness_state_missing');
});

test('a state is never replaced by a new one, nor is any other folder', async () => {
  const path = newFolder();
  const state = await opened(path, true);
  await state.replace('log.example', null, 'one\n');
  await state.close();
  expect(await codeOf(witnessFolder(path, { key, create: true }))).toBe('output_exists');
  const other = newFolder();
  writeFileSync(join(other, '..', 'file'), '');
  expect(await codeOf(witnessFolder(join(other, '..'), { key, create: true }))).toBe('output_exists');
});

test('a folder belongs to one key', async () => {
  const path = newFolder();
  await (await opened(path, true)).close();
  const other = newNoteKey('witness.example', { algorithm: 'cosignature/v1' }).verifierKey;
  expect(await codeOf(witnessFolder(path, { key: other }))).toBe('witness_state_broken');
  writeFileSync(join(path, 'witness.json'), '{}\n');
  expect(await codeOf(witnessFolder(path, { key }))).toBe('witness_state_broken');
  expect(await codeOf(witnessFolder(path, { key: 'hello' }))).toBe('note_key_invalid');
});

test('a second process, or a second opening, is refused', async () => {
  const path = newFolder();
  const state = await opened(path, true);
  await expect(witnessFolder(path, { key })).rejects.toThrow(/another witness may have this folder open/);
  await state.close();
  await opened(path);
});

test('a process whose lock was taken away writes nothing more', async () => {
  const path = newFolder();
  const state = await opened(path, true);
  await state.replace('log.example', null, 'one\n');
  rmSync(join(path, 'lock'));
  expect(await codeOf(state.replace('log.example', 'one\n', 'two\n'))).toBe('resume_refused');
  expect(await state.latest('log.example')).toBe('one\n');
});

test('a file that is damaged is an error and not an empty state', async () => {
  const path = newFolder();
  const state = await opened(path, true);
  await state.replace('log.example', null, 'one\n');
  const file = join(path, readdirSync(path).find((name) => name.endsWith('.checkpoint'))!);
  writeFileSync(file, Uint8Array.of(0xff));
  expect(await codeOf(state.latest('log.example'))).toBe('witness_state_broken');
  writeFileSync(file, 'x'.repeat(600_000));
  expect(await codeOf(state.latest('log.example'))).toBe('witness_state_broken');
  expect(await codeOf(state.replace('log.example', null, 'two\n'))).toBe('witness_state_broken');
});

test('a folder that cannot be written: the text stays the old one', async () => {
  if (process.getuid?.() === 0) return; // Root may write everywhere.
  const path = newFolder();
  const state = await opened(path, true);
  await state.replace('log.example', null, 'one\n');
  chmodSync(path, 0o500);
  expect(await codeOf(state.replace('log.example', 'one\n', 'two\n'))).toBe('io_failed');
  chmodSync(path, 0o700);
  expect(readFileSync(join(path, 'witness.json'), 'utf8')).toContain('witness-v1');
  expect(await state.latest('log.example')).toBe('one\n');
});

describe('the checkpoint of a log that is missing', () => {
  const fileOf = (path: string): string => join(path, readdirSync(path).find((name) => name.endsWith('.checkpoint'))!);

  async function cosigned(): Promise<string> {
    const path = newFolder();
    const state = await opened(path, true);
    await state.replace('log.example', null, 'one\n');
    await state.replace('other.example', null, 'other\n');
    return path;
  }

  test('is found when the witness starts', async () => {
    const path = await cosigned();
    await open.pop()!.close();
    const file = fileOf(path);
    const text = readFileSync(file);
    rmSync(file);
    await expect(witnessFolder(path, { key })).rejects.toMatchObject({
      code: 'witness_state_broken',
      issues: [{ message: expect.stringContaining('might cosign a second tree') }],
    });
    writeFileSync(file, text);
    expect(await (await opened(path)).latest('log.example')).toBe('one\n');
  });

  test('is found while it runs, and nothing else is cosigned for that log', async () => {
    const path = await cosigned();
    const [state] = open;
    rmSync(fileOf(path));
    const results = ['log.example', 'other.example'].map((origin) => codeOf(state!.latest(origin)));
    expect((await Promise.all(results)).sort()).toEqual(['none', 'witness_state_broken']);
    const replaced = ['log.example', 'other.example'].map((origin) => codeOf(state!.replace(origin, null, 'two\n')));
    expect((await Promise.all(replaced)).sort()).toEqual(['none', 'witness_state_broken']);
    expect(readdirSync(path).filter((name) => name.endsWith('.checkpoint'))).toHaveLength(1);
  });

  test('a process that ended before the list was written loses nothing', async () => {
    const path = await cosigned();
    await open.pop()!.close();
    const about = join(path, 'witness.json');
    const { logs, ...rest } = JSON.parse(readFileSync(about, 'utf8'));
    expect(logs).toHaveLength(2);
    writeFileSync(about, `${JSON.stringify({ ...rest, logs: logs.slice(0, 1) })}\n`);
    const state = await opened(path);
    expect(await state.latest('log.example')).toBe('one\n');
    rmSync(fileOf(path));
    const codes = await Promise.all(['log.example', 'other.example'].map((origin) => codeOf(state.latest(origin))));
    expect(codes.sort()).toEqual(['none', 'witness_state_broken']);
  });
});
