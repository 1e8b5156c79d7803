/** `trefoil oversee witness` as a process: real sockets, signals, bad HTTP, and kills. */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cosign, cosigner, latestOf, newNoteKey, openNote, verifierKey, type WitnessPlace } from '../../../src/log.ts';
import { makeVerifier } from '../../../src/note/verifier.ts';
import { makeLogKey, type SmallLog, smallLog } from '../../log/witness/small-log.ts';
import { type Ended, makePlace, type Place } from '../harness.ts';

let place: Place;
const running: ChildProcess[] = [];
const log = makeLogKey();
const key = newNoteKey('witness.example/w', { algorithm: 'cosignature/v1' });
const verifier = verifierKey(key.verifierKey);

beforeEach(() => {
  place = makePlace();
  place.write('w.key', `${key.privateKey}\n`);
  place.write('policy.txt', `log ${log.verifier.text}\nquorum none\n`);
});

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  place.remove();
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The line of standard output. */
  readonly line: string;
  readonly witness: WitnessPlace;
}

const ARGS = ['--key', 'w.key', '--log-policy', 'policy.txt', '--state', 'state'] as const;

/** Starts a witness, and waits until it listens. */
async function start(...more: string[]): Promise<Started> {
  const args = ['oversee', 'witness', ...ARGS, '--listen', '127.0.0.1:0', ...more];
  const { child, ended } = place.start(args);
  running.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(text);
    });
    ended.then(({ err }) => reject(new Error(err)), reject);
  });
  return { child, ended, line, witness: { name: 'W', verifier, url: line.trim().split(' ')[3] ?? null } };
}

const ask = (witness: WitnessPlace, next: SmallLog, from: number): Promise<string> =>
  cosign(next.checkpoint, from, next.proof, witness, { log: log.verifier }).then(
    () => 'cosigned',
    (error) => error.code ?? error.name,
  );

describe('a life', () => {
  test('it writes its line of a policy, cosigns, remembers over restarts, and ends well', async () => {
    const first = await start('--new');
    expect(first.line).toBe(`witness witness.example/w ${verifier.text} ${first.witness.url}\n`);
    expect(await ask(first.witness, await smallLog(log, 5), 0)).toBe('cosigned');
    expect(await ask(first.witness, await smallLog(log, 300), 0)).toBe('cosigned');
    first.child.kill('SIGTERM');
    const ended = await first.ended;
    expect([ended.code, ended.out]).toEqual([0, first.line]);
    expect(ended.err).toContain('trefoil: cosigned 300 entries of log.example/2026\n');
    expect(ended.err).toContain('trefoil: the witness has ended\n');

    const second = await start();
    expect((await latestOf(second.witness, log.verifier))?.size).toBe(300);
    expect(await ask(second.witness, await smallLog(log, 5), 0)).toBe('log_rolled_back');
    expect(await ask(second.witness, await smallLog(log, 300, { branch: ' b', fork: 299 }), 300)).toBe('log_forked');
    expect(await ask(second.witness, await smallLog(log, 301), 300)).toBe('cosigned');
    second.child.kill('SIGINT');
    const { code, err } = await second.ended;
    expect(code).toBe(0);
    const kept = /was forked: .* it is kept in (state\/[0-9a-f]{64}\.forked-[0-9a-f]{16}), and the first/.exec(
      err,
    )?.[1];
    const [one, other] = [kept!, `${kept}.other`].map((file) => openNote(place.read(file), [log.verifier]).text);
    expect(one).toContain('\n300\n');
    expect(other).toBe((await smallLog(log, 300)).text);
    expect(one).not.toBe(other);
  });

  test('evidence of a fork is kept, however many public checkpoints somebody sends with wrong proofs', async () => {
    const { witness, child, ended } = await start('--new');
    expect(await ask(witness, await smallLog(log, 10), 0)).toBe('cosigned');
    const post = async (next: SmallLog): Promise<number> => {
      const body = `old 10\n${Buffer.alloc(32).toString('base64')}\n\n${next.checkpoint}`;
      return (await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body })).status;
    };
    // The last one again, one larger one many times, and more larger ones than are kept.
    for (const size of [10, 10, 11, 11, 11, ...Array.from({ length: 20 }, (_, i) => 12 + i)]) {
      expect(await post(await smallLog(log, size))).toBe(422);
    }
    expect(await ask(witness, await smallLog(log, 10, { branch: ' b', fork: 9 }), 10)).toBe('log_forked');
    child.kill('SIGTERM');
    const { err } = await ended;
    const files = readdirSync(place.path('state')).join('\n');
    expect(files.match(/\.disputed-[0-9a-f]{16}$/gm)).toHaveLength(16);
    expect(files.match(/\.forked-[0-9a-f]{16}$/gm)).toHaveLength(1);
    expect(err.match(/it is kept in/g)).toHaveLength(17);
    expect(err.match(/it is not kept, because too many are/g)).toHaveLength(5);
    expect(err).toContain('log.example/2026 was forked');
  });

  test('a file where the socket should be is not removed, and least of all the key', async () => {
    place.write('precious.txt', 'the only copy\n');
    symlinkSync('precious.txt', place.path('link'));
    const before = place.read('w.key');
    for (const file of ['precious.txt', 'w.key', 'link']) {
      const args = ['oversee', 'witness', ...ARGS, '--listen', `unix:${file}`];
      const { code, out, err } = await place.run([...args, '--new']);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('--listen names a file that is no socket');
    }
    expect([place.read('precious.txt'), place.read('w.key')]).toEqual(['the only copy\n', before]);
    expect(place.files()).toContain('link');
    expect(place.files().filter((file) => file.startsWith('state'))).toEqual([]);
  });

  test('a prefix is part of its address', async () => {
    const { witness } = await start('--new', '--prefix', '/our/witness');
    expect(witness.url).toMatch(/:[0-9]+\/our\/witness$/);
    expect(await ask(witness, await smallLog(log, 5), 0)).toBe('cosigned');
    expect((await latestOf(witness, log.verifier))?.size).toBe(5);
  });

  test('a unix socket, also when a killed process has left one', async () => {
    for (let i = 0; i < 2; i++) {
      const args = ['oversee', 'witness', ...ARGS, '--listen', 'unix:w.sock', ...(i === 0 ? ['--new'] : [])];
      const { child, ended } = place.start(args);
      running.push(child);
      await new Promise<void>((resolve, reject) => {
        child.stdout!.once('data', () => resolve());
        ended.then(({ err }) => reject(new Error(err)));
      });
      const status = await new Promise((resolve, reject) => {
        const asked = request({ socketPath: place.path('w.sock'), path: '/nothing' }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject);
        asked.end();
      });
      expect(status).toBe(404);
      child.kill('SIGKILL');
      await ended;
    }
    expect(place.files()).toContain('w.sock');
  });

  test('--log names the logs instead of a policy', async () => {
    const args = ['--key', 'w.key', '--log', log.verifier.text, '--state', 'state', '--new', '--listen', '127.0.0.1:0'];
    const { child, ended } = place.start(['oversee', 'witness', ...args]);
    running.push(child);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });
});

describe('kill −9', () => {
  test('it never cosigns two different trees of one size, over twenty kills while two forks grow', async () => {
    const cosigned = new Map<number, Set<string>>();
    const opens = (line: string, text: string) => openNote(`${text}\n${line}\n`, [verifier]);
    let size = 3;
    for (let i = 0; i < 20; i++) {
      const { child, ended, witness } = await start(...(i === 0 ? ['--new'] : []));
      let isAlive = true;
      let isFirst = true;
      // From the first cosignature on, the process has between 0 and 60 ms to live.
      const die = async () => {
        isFirst = false;
        await new Promise((resolve) => setTimeout(resolve, (i * 17) % 60));
        isAlive = false;
        child.kill('SIGKILL');
      };
      const grow = async (branch: string) => {
        for (let step = 0; isAlive && step < 60; step++) {
          const next = await smallLog(log, size + step, { branch, fork: 2 });
          try {
            const { line } = await cosign(next.checkpoint, 0, next.proof, witness, {
              log: log.verifier,
              timeout: 2000,
            });
            opens(line, next.text);
            cosigned.set(next.size, (cosigned.get(next.size) ?? new Set()).add(next.text));
            if (isFirst) void die();
          } catch {
            // Refused, or the process was killed meanwhile.
          }
        }
      };
      await Promise.all([grow(' a'), grow(' b'), grow(' a')]);
      await ended;
      size = Math.max(3, ...cosigned.keys()) + 1;
    }
    expect(cosigned.size).toBeGreaterThan(10);
    expect([...cosigned].filter(([, texts]) => texts.size > 1)).toEqual([]);
    // All that was cosigned is of one branch: the last one extends every other.
    const last = await start();
    const seen = await latestOf(last.witness, log.verifier);
    expect(seen?.size).toBeGreaterThanOrEqual(Math.max(...cosigned.keys()));
  }, 120_000);
});

describe('bad HTTP', () => {
  /** Sends bytes and returns the first line of the answer. */
  const raw = (url: string, bytes: string): Promise<string> =>
    new Promise((resolve) => {
      const { port } = new URL(url);
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\r\n')) socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text.split('\r\n')[0]!));
      setTimeout(() => socket.destroy(), 3000).unref();
    });

  test('is answered or cut off, and the witness goes on', async () => {
    const { witness } = await start('--new');
    const url = witness.url!;
    const post = 'POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n';
    expect(await raw(url, 'hello\r\n\r\n')).toContain(' 400 ');
    expect(await raw(url, 'GET //evil HTTP/1.1\r\nHost: w\r\n\r\n')).toContain(' 404 ');
    expect(await raw(url, 'GET http://evil/ HTTP/1.1\r\nHost: w\r\n\r\n')).toContain(' 400 ');
    expect(await raw(url, 'TRACE /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n')).toContain(' 400 ');
    expect(await raw(url, `${post}Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello`)).toContain(' 415 ');
    expect(await raw(url, `${post}Content-Length: 5\r\n\r\nhello`)).toContain(' 400 ');
    expect(await raw(url, `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`)).toContain(' 400 ');
    expect(await raw(url, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: w\r\n\r\n`)).toContain(' 431 ');
    expect(await raw(url, `${post}Content-Length: 10000000\r\n\r\n${'x'.repeat(200_000)}`)).toContain(' 413 ');
    expect(await ask(witness, await smallLog(log, 5), 0)).toBe('cosigned');
  });

  test('a hundred requests at once, and clients that go away', async () => {
    const { witness, child, ended } = await start('--new');
    const { port } = new URL(witness.url!);
    const gone = Array.from({ length: 30 }, () => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold 0\n');
        setTimeout(() => socket.destroy(), 50);
      });
      socket.on('error', () => {});
      return socket;
    });
    const next = await smallLog(log, 9);
    const codes = await Promise.all(Array.from({ length: 100 }, () => ask(witness, next, 0)));
    expect(new Set(codes)).toEqual(new Set(['cosigned']));
    for (const socket of gone) socket.destroy();
    // A connection that only waits does not keep the process.
    const idle = connect(Number(port), '127.0.0.1');
    idle.on('error', () => {});
    await new Promise((resolve) => idle.on('connect', resolve));
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    idle.destroy();
  });
});

describe('slow clients', () => {
  const head = 'POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n';

  /** Connections that begin a request and never end it. */
  async function crowd(url: string, count: number, bytes: string) {
    const ends: Promise<number>[] = [];
    const sockets = Array.from({ length: count }, () => {
      const from = Date.now();
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
      socket.on('error', () => {});
      socket.resume();
      ends.push(new Promise((resolve) => socket.on('close', () => resolve(Date.now() - from))));
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 800));
    const close = (): void => {
      for (const socket of sockets) socket.destroy();
    };
    return { ends, close };
  }

  test('300 unfinished bodies do not keep an honest client out', async () => {
    const { witness } = await start('--new');
    const { close } = await crowd(witness.url!, 300, `${head}Content-Length: 1000\r\n\r\nold`);
    const from = Date.now();
    expect(await ask(witness, await smallLog(log, 9), 0)).toBe('cosigned');
    expect(Date.now() - from).toBeLessThan(5000);
    close();
  });

  test('a header that is not finished after ten seconds is given up', async () => {
    const { witness } = await start('--new');
    const { ends, close } = await crowd(witness.url!, 3, head);
    for (const took of await Promise.all(ends)) expect(took).toBeLessThan(13_000);
    close();
  }, 40_000);
});

describe('what is refused before it starts', () => {
  const rows: readonly (readonly [what: string, args: readonly string[], code: number, message: RegExp])[] = [
    ['no key', ['--log-policy', 'policy.txt', '--state', 's', '--new', '--listen', '127.0.0.1:0'], 2, /--key FILE is/],
    ['no log', ['--key', 'w.key', '--state', 's', '--new', '--listen', '127.0.0.1:0'], 2, /either --log-policy/],
    ['no address', [...ARGS, '--new'], 2, /--listen ADDRESS is required/],
    ['a bad address', [...ARGS, '--new', '--listen', '7381'], 2, /--listen expected/],
    ['a bad port', [...ARGS, '--new', '--listen', '127.0.0.1:70000'], 2, /--listen expected/],
    ['a bad prefix', [...ARGS, '--new', '--listen', '127.0.0.1:0', '--prefix', 'w'], 2, /--prefix expected/],
    ['no state', [...ARGS, '--listen', '127.0.0.1:0'], 5, /there is no state of a witness; make it with --new, and/],
    [
      'a state that is no folder',
      ['--key', 'w.key', '--log-policy', 'policy.txt', '--state', 'w.key', '--new', '--listen', '127.0.0.1:0'],
      5,
      /w\.key/,
    ],
    [
      'no policy file',
      ['--key', 'w.key', '--log-policy', 'none.txt', '--state', 's', '--new', '--listen', '127.0.0.1:0'],
      5,
      /none\.txt/,
    ],
    [
      'a policy that is none',
      ['--key', 'w.key', '--log-policy', 'w.key', '--state', 's', '--new', '--listen', '127.0.0.1:0'],
      3,
      /w\.key.*begins with none of/,
    ],
    [
      'a key that is none',
      ['--key', 'policy.txt', '--log-policy', 'policy.txt', '--state', 's', '--new', '--listen', '127.0.0.1:0'],
      4,
      /policy\.txt.*PRIVATE/,
    ],
    [
      'a verifier key that is none',
      ['--key', 'w.key', '--log', 'x', '--state', 's', '--new', '--listen', '127.0.0.1:0'],
      2,
      /--log: the text is not/,
    ],
    [
      'the key of a witness as that of a log, also its own',
      ['--key', 'w.key', '--log', verifier.text, '--state', 's', '--new', '--listen', '127.0.0.1:0'],
      2,
      /--log expected the key of a log, got one for cosignatures/,
    ],
    [
      'one key twice',
      ['--key', 'w.key', '--log', log.verifier.text, '--log', log.verifier.text, '--state', 's'],
      2,
      /--log has the same key twice/,
    ],
    [
      'a state that is a file',
      ['--key', 'w.key', '--log-policy', 'policy.txt', '--state', 'policy.txt', '--new', '--listen', '127.0.0.1:0'],
      5,
      /policy\.txt: --state names a file/,
    ],
    [
      'a socket in a folder that is missing',
      [...ARGS, '--new', '--listen', 'unix:none/w.sock'],
      5,
      /none\/w\.sock: the folder of the socket cannot be read: there is no such file or folder/,
    ],
    [
      'an empty key',
      ['--key', '-', '--log-policy', 'policy.txt', ...ARGS.slice(4), '--listen', '127.0.0.1:0'],
      4,
      /standard input: /,
    ],
  ];

  test.runIf(process.platform !== 'win32')('the path of a socket that the system would cut', async () => {
    const path = `unix:${'s'.repeat(120)}`;
    const ended = await place.run(['oversee', 'witness', ...ARGS, '--new', '--listen', path]);
    expect([ended.code, ended.err]).toEqual([2, expect.stringMatching(/a path of at most 10[37] bytes after unix:/)]);
    expect(place.files()).not.toContain('state');
  });

  test('the key of a log that is also that of the witness', async () => {
    const raw = Buffer.from(verifier.text.slice(verifier.name.length + 10), 'base64').subarray(1);
    const same = makeVerifier('log.example', 'ed25519', raw).text;
    const args = ['--key', 'w.key', '--log', same, '--state', 's', '--new', '--listen', '127.0.0.1:0'];
    const ended = await place.run(['oversee', 'witness', ...args]);
    expect([ended.code, ended.err]).toEqual([2, expect.stringMatching(/a log cannot be its own witness/)]);
    expect(place.files()).not.toContain('s');
  });

  test('a host that does not exist: the corrected command has no --new', async () => {
    const ended = await place.run(['oversee', 'witness', ...ARGS, '--new', '--listen', 'none.invalid:0']);
    expect([ended.code, ended.err]).toEqual([5, expect.stringMatching(/the state is made in state: leave out --new/)]);
    expect((await start()).line).toContain('witness');
  });

  test('a state of which a checkpoint is missing', async () => {
    const { witness, child, ended } = await start('--new');
    await ask(witness, await smallLog(log, 5), 0);
    await place.bash('rm state/*.checkpoint');
    expect(await ask(witness, await smallLog(log, 5, { branch: ' b', fork: 1 }), 0)).toBe('witness_unavailable');
    child.kill('SIGTERM');
    expect((await ended).err).toMatch(/the last checkpoint of a log is missing/);
    const again = await place.run(['oversee', 'witness', ...ARGS, '--listen', '127.0.0.1:0']);
    expect([again.code, again.err]).toEqual([7, expect.stringMatching(/might cosign a second tree/)]);
  });

  test.each(rows)('%s', async (_, args, code, message) => {
    const ended = await place.run(['oversee', 'witness', ...args]);
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(ended.err).toMatch(message);
    expect(ended.err).not.toMatch(/PRIVATE\+KEY\+w/);
  });

  test('a key of notes, a private key as an argument, a state of another key, a second witness', async () => {
    const { line } = await start('--new');
    expect(line).toContain('witness');
    const second = await place.run(['oversee', 'witness', ...ARGS, '--listen', '127.0.0.1:0']);
    expect([second.code, second.out]).toEqual([5, '']);
    expect(second.err).toMatch(/another witness may have this folder open/);
    running[0]!.kill('SIGKILL');

    place.write('note.key', `${newNoteKey('log.example').privateKey}\n`);
    const args = ['--log-policy', 'policy.txt', '--state', 'state', '--listen', '127.0.0.1:0'];
    const note = await place.run(['oversee', 'witness', '--key', 'note.key', ...args]);
    expect([note.code, note.err]).toEqual([4, expect.stringMatching(/note\.key.*make one for cosignatures/)]);
    const secret = await place.run(['oversee', 'witness', '--key', 'w.key', '--log', key.privateKey, '--state', 's']);
    expect([secret.code, secret.err]).toEqual([2, expect.stringMatching(/got a private key/)]);
    expect(secret.err).not.toContain(key.privateKey);
    const other = newNoteKey('witness.example/w', { algorithm: 'cosignature/v1' });
    place.write('other.key', `${other.privateKey}\n`);
    const foreign = await place.run(['oversee', 'witness', '--key', 'other.key', ...args]);
    expect([foreign.code, foreign.err]).toEqual([7, expect.stringMatching(/another key/)]);
    expect(() => cosigner(other.privateKey)).not.toThrow();
  });

  test('an address that is in use', async () => {
    const { witness } = await start('--new');
    const args = ['--key', 'w.key', '--log-policy', 'policy.txt', '--state', 'other', '--new'];
    const { host } = new URL(witness.url!);
    const ended = await place.run(['oversee', 'witness', ...args, '--listen', host]);
    expect([ended.code, ended.err]).toEqual([5, expect.stringMatching(/another process listens there \(EADDRINUSE\)/)]);
  });

  test('a state that was damaged', async () => {
    const { witness, child, ended } = await start('--new');
    await ask(witness, await smallLog(log, 5), 0);
    child.kill('SIGTERM');
    await ended;
    const file = (await place.bash('ls state/*.checkpoint')).out.trim();
    place.write(file, place.read(file).replace('\n5\n', '\n4\n'));
    const again = await place.run(['oversee', 'witness', ...ARGS, '--listen', '127.0.0.1:0']);
    expect([again.code, again.out]).toEqual([7, '']);
    expect(again.err).toMatch(/the state of the witness was changed/);
  });
});
