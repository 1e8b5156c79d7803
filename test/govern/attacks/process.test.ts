/**
 * The rows of docs/security.md on the process that has the keys, on what it hands out, and on forks. Several of these
 * attacks succeed: the page says so, and a test whose name begins with SUCCEEDS shows it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { digits } from '../../../src/format.ts';
import { checkCharter, parseCharter } from '../../../src/govern.ts';
import { fpe, keyset } from '../../../src/index.ts';
import {
  checkProof,
  cosigner,
  newNoteKey,
  noteSigner,
  openLog,
  parseLogPolicy,
  verifierKey,
  witness,
  witnessMemory,
  writeEntry,
} from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';
import { parsePolicy } from '../../../src/policy.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { codeOf, rejection } from '../../helpers/errors.ts';
import {
  accessWith,
  boot,
  charterText,
  customer,
  eventsOf,
  isUse,
  journalist,
  KEYS,
  NOW,
  name,
  newPlace,
  papersFor,
  people,
  plain,
  ROWS,
} from './world.ts';

describe('an attacker in the process that has the keys', () => {
  it('finds no way back in the governed keys, in the access, or in what they print', async () => {
    const service = await boot();
    const papers = await papersFor();
    const access = accessWith(papers);
    for (const bind of [() => name.bind(service.keys, revealAccess), () => people.bind(service.keys, revealAccess)]) {
      expect(codeOf(bind)).toBe('warrant_required');
    }
    expect((await rejection(people.open(service.keys, {}, revealAccess))).code).toBe('warrant_required');
    const shown =
      inspect([service.keys, access], { depth: 9, showHidden: true }) + JSON.stringify([service.keys, access]);
    for (const hidden of [papers.dossier, 'TICKET-20817', KEYS['chris-desk'].privateKey]) {
      expect(shown).not.toContain(hidden);
    }
  });

  it('SUCCEEDS with the library and the keyset: everything is revealed, and nothing of it is in the log', async () => {
    const service = await boot();
    expect(people.bind(plain, revealAccess).reveal(journalist).name).toBe('Jo Journalist');
    await service.stop();
    expect((await eventsOf(service.at)).events.filter(isUse)).toEqual([]);
  });

  it('SUCCEEDS with a patched service that does not write its log', async () => {
    const service = await boot({
      wrap: (real) => ({
        charter: real.charter,
        admit: async () => undefined,
        use: async () => ({ index: 0, checkpoint: '', done: async () => undefined }),
        deny: () => undefined,
      }),
    });
    const open = await people.open(service.keys, {}, accessWith(await papersFor({ values: 1 })));
    for (let use = 0; use < 3; use++) expect((await open.reveal(customer)).name).toBe(ROWS[0].name);
    await service.stop();
    const { ok, events } = await eventsOf(service.at);
    expect([ok, events.filter(isUse)]).toEqual([true, []]);
  });

  it('exchanges no record while its use is being written', async () => {
    const service = await boot();
    const open = await people.open(service.keys, {}, accessWith(await papersFor()));
    const row = { ...customer };
    const one = open.reveal(row);
    Object.assign(row, journalist);
    expect((await one).name).toBe(ROWS[0].name);
    const rows = [{ ...customer }];
    const many = open.revealMany(rows);
    rows[0] = { ...journalist };
    rows.push({ ...journalist });
    expect((await many).map((each) => each.name)).toEqual([ROWS[0].name]);
  });

  it('does not get a value before its use is in the log, and none if the log fails', async () => {
    let isFull = false;
    const order: string[] = [];
    const service = await boot({
      wrap: (real) => ({
        ...real,
        use: async (request) => {
          if (isFull) throw new Error('no space left');
          const noted = await real.use(request);
          order.push('noted');
          return noted;
        },
      }),
    });
    const open = await people.open(service.keys, {}, accessWith(await papersFor()));
    await open.reveal(customer).then(() => order.push('revealed'));
    expect(order).toEqual(['noted', 'revealed']);
    isFull = true;
    await expect(open.reveal(customer)).rejects.toThrow('no space left');
  });
});

describe('an attacker who may protect with governed keys', () => {
  it('amendment 12, in one process: SUCCEEDS in trying guesses and in writing a code book, and nothing is logged', async () => {
    const service = await boot();
    const guess = ROWS.map((row) => row.name).find((one) => name.bind(service.keys).protect(one) === journalist.name);
    expect(guess).toBe('Jo Journalist');
    const pins = fpe({ scope: 'pin', format: digits({ length: 4 }), allowCodebook: 'shown by a test' }).bind(
      service.keys,
    );
    const secret = pins.protect('4711');
    const book = new Map(
      Array.from({ length: 10_000 }, (_, i) => String(i).padStart(4, '0')).map((pin) => [pins.protect(pin), pin]),
    );
    expect(book.get(secret)).toBe('4711');
    await service.stop();
    expect((await eventsOf(service.at)).events.map(({ kind }) => kind)).toEqual(['charter', 'start']);
  });

  it('amendment 12, by leases: gets no more than a rate allows, and what no rate names is refused', async () => {
    const service = await boot();
    const wanted = { client: 'etl', verb: 'protect', scope: 'seal:person.name', count: 60 } as const;
    await service.sequencer.forward(wanted);
    expect((await rejection(service.sequencer.forward(wanted))).code).toBe('rate_spent');
    for (const other of [{ scope: 'fpe:card.pan' }, { verb: 'lookup' }, { client: 'mallory' }] as const) {
      expect((await rejection(service.sequencer.forward({ ...wanted, ...other }))).code).toBe('not_in_charter');
    }
    await service.stop();
    // A crash after it was logged gives nothing back.
    const again = await boot({ at: service.at, create: false });
    expect((await rejection(again.sequencer.forward(wanted))).code).toBe('rate_spent');
  });
});

describe('an operator who shows two forks to two witnesses', () => {
  /** Two witnesses that know the log, each on its own. */
  function witnesses() {
    return ['ncc', 'dpa'].map((of) => {
      const key = newNoteKey(`${of}.example`, { algorithm: 'cosignature/v1' });
      const logs = [verifierKey(KEYS.log.verifierKey)];
      const handle = witness({
        signer: cosigner(key.privateKey, { now: () => NOW * 1000 }),
        state: witnessMemory(),
        logs,
      });
      const fetch = async (input: RequestInfo | URL, init?: RequestInit) => handle(new Request(input, init));
      return {
        line: `witness ${of} ${key.verifierKey} https://${of}.example/`,
        fetch: fetch as typeof globalThis.fetch,
      };
    });
  }

  it('amendment 2, any: SUCCEEDS, so a charter with such a quorum is refused; all: neither fork is cosigned', async () => {
    const both = witnesses();
    const lines = [`log ${KEYS.log.verifierKey}`, ...both.map(({ line }) => line)];
    const policyOf = (group: string) =>
      parseLogPolicy(`${[...lines, `group outside ${group} ncc dpa`, 'quorum outside', ''].join('\n')}`);
    const [any, all] = [policyOf('any'), policyOf('all')];
    const proofs = await Promise.all(
      both.map(async ({ fetch }, i) => {
        // The other witness is not asked.
        const host = ['ncc.example', 'dpa.example'][i]!;
        const asked = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
          if (new URL(new Request(input, init).url).host !== host) throw new TypeError('fetch failed');
          return fetch(input, init);
        };
        const { log: folder, head } = newPlace();
        const log = await openLog(logFolder(folder, { head, sync: false }), {
          signer: noteSigner(KEYS.log.privateKey),
          create: true,
          witnesses: any,
          fetch: asked as typeof globalThis.fetch,
          now: () => NOW * 1000,
        });
        const event = { kind: 'start', host: `fork-${i}`, boot: '00112233445566778899aabbccddeeff' } as const;
        await log.append(event);
        await log.cosigned(1, 10_000);
        const proof = await log.prove(0);
        await log.close();
        return { proof, entry: writeEntry(event, NOW) };
      }),
    );
    for (const { proof, entry } of proofs) {
      expect(checkProof(proof, entry, any).index).toBe(0);
      expect(codeOf(() => checkProof(proof, entry, all))).toBe('witness_missing');
    }
    const text = (group: string) =>
      charterText().replace(
        'quorum none',
        [...lines.slice(1), `group outside ${group} ncc dpa`, 'quorum outside'].join('\n'),
      );
    const wordsOf = (group: string) =>
      checkCharter(parseCharter(text(group)))
        .filter(({ level }) => level === 'refused')
        .map(({ word }) => word);
    expect(wordsOf('any')).toContain('forks');
    expect(wordsOf('all')).not.toContain('forks');
  });
});

describe('whoever reads the files of a log', () => {
  const example = (file: string) => readFileSync(new URL(`../../../docs/examples/${file}`, import.meta.url), 'utf8');

  it('finds no value, token, name or e-mail of people.csv, outside the openings, which have mode 0600', async () => {
    const rows = parseCsv(example('people.csv'), { columns: true }) as Record<string, string>[];
    const keys = keyset.generate().domain('eu-enclave');
    const sheet = parsePolicy({ ...parseYaml(example('people.policy.yaml')), keyCheck: keys.keyCheck, subject: 'id' });
    const safe = sheet.bind(keys).protectMany(rows) as Record<string, string>[];
    const service = await boot({ keys });
    const reason = 'A table has to be restored after the fire in the second archive.';
    const whole = { purpose: 'tables.all', values: null, subjects: null, reason, case: 'FIRE-77' } as const;
    const scopes = ['fpe:card.pan', 'seal:person.iban', 'seal:person.name'];
    const papers = await papersFor({ ...whole, scopes }, { by: ['chris', 'anna', 'bela'] });
    const open = await sheet.open(service.keys, {}, accessWith(papers));
    const back = (await open.revealMany(safe as never)) as unknown as Record<string, string>[];
    expect(back.map((row) => row.name)).toEqual(rows.map((row) => row.name));
    const few = safe.slice(0, 3);
    const one = await papersFor({ subjects: few.map((row) => ({ token: row.id! })), values: 50 });
    const narrow = parsePolicy({
      trefoil: 1,
      domain: 'eu-enclave',
      subject: 'id',
      fields: { id: { rule: 'token', scope: 'person', label: 'cust' }, name: { rule: 'seal', scope: 'person.name' } },
    });
    const opened = await narrow.open(service.keys, {}, accessWith(one));
    await opened.revealMany(few.map((row) => ({ id: row.id, name: row.name })) as never);
    await service.stop();

    const hidden = new Set<string>([reason, 'FIRE-77', 'TICKET-20817', 'called back']);
    for (const list of [rows, safe, back]) {
      for (const row of list) {
        // Shorter texts and kept cities may occur in base64 or in a name by chance.
        for (const [field, value] of Object.entries(row)) if (field !== 'city' && value.length > 7) hidden.add(value);
      }
    }
    expect(hidden.size).toBeGreaterThan(3000);
    const files = (readdirSync(service.at.log, { recursive: true }) as string[])
      .map((path) => join(service.at.log, path))
      .concat(service.at.head)
      .filter((path) => statSync(path).isFile());
    const openings = files.filter((path) => path.startsWith(join(service.at.log, 'openings')));
    expect(openings.length).toBeGreaterThan(0);
    for (const path of openings) expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const path of files) {
      const text = readFileSync(path, 'utf8');
      const found = [...hidden].filter((value) => text.includes(value));
      if (openings.includes(path))
        expect(found.filter((value) => rows.some((row) => Object.values(row).includes(value)))).toEqual([]);
      else expect(found, path).toEqual([]);
    }
    // The openings have the tokens of the people whom a warrant names: that is what they are for.
    const inside = openings.map((path) => readFileSync(path, 'utf8')).join('\n');
    for (const row of few) expect(inside).toContain(row.id);
  });
});
