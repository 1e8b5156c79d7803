/**
 * Self-tests of the kernels that are our own. A just-in-time compiler can be wrong, and so can memory: a wrong tag would
 * not be noticed by anyone for years, because nobody can read it. So
 *
 * - before the first tag of an algorithm and of a vector unit, and again when some 20,000 were made and the code runs
 *   compiled, messages of the lengths at the edges of a block go each way through it, and the tags of all are hashed to
 *   one answer that is known;
 * - of every 8,192 tags, whatever the keys, one is computed again by @noble/hashes.
 *
 * A difference throws, and no tag is given by this algorithm again. It is a fault of the machine or of this library, not of the data, so it is no `TrefoilError`.
 * Measured: 7 ns a tag; noble's code is cold when it is called so seldom, and takes 60 µs.
 */

import { utf8 } from '../../core/bytes.ts';
import { LANES, type Lanes } from './hmac-lanes.ts';
import { type Batch, makeBatch, type Prf, tagAt } from './prf.ts';
import { STATE_WORDS } from './sha256.ts';

/** An algorithm that can be tested. */
export interface Algorithm {
  readonly name: string;
  /** Key set-up of the kernel. */
  readonly make: (key: Uint8Array) => Prf;
  /** The same function by another hand. */
  readonly oracle: (key: Uint8Array) => (message: Uint8Array) => Uint8Array;
  /** The known answer: the tag of all tags, in hexadecimal. */
  readonly answer: string;
}

/** Lengths of the known messages in bytes: around one block and two, with and without room for the length. */
const LENGTHS = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1024, 1025];
const NOT_ASCII = 'Zoë Müller, 東京, \u{1f600}';

/** Tags after which V8 has compiled what it will compile. */
const WARM = 20_000;

/** One of so many tags is computed again. */
const EVERY = 8192;

/** What is known of an algorithm in this process, whatever the keys. */
interface State {
  /** Tags until one is computed again. */
  left: number;
  /** Tags that were made, counted when one is computed again. */
  made: number;
  /** Whether the known answer was given after that many. */
  warm: boolean;
  /** Whether a tag was ever wrong: then no other is given. */
  broken: boolean;
  /** Vector units that gave the known answer. */
  readonly lanes: WeakSet<Lanes>;
}

const states = new WeakMap<Algorithm, State>();

/** A kernel with its self-tests around it. */
export function checked(algorithm: Algorithm, key: Uint8Array): Prf {
  const prf = algorithm.make(key);
  // Noble may keep what it is given.
  const oracle = algorithm.oracle(Uint8Array.from(key));
  const { tag } = prf;
  let known = states.get(algorithm);
  if (known === undefined) {
    known = { left: EVERY, made: 0, warm: false, broken: false, lanes: new WeakSet() };
    states.set(algorithm, known);
    answerTo(known, makeBatch(null));
  }
  const state = known;
  if (state.broken) throwFault(algorithm);

  /** The slot of a batch whose message is kept until its tag is there, the message, and whose batch it is. */
  let watched = 0;
  let kept: string | Uint8Array | null = null;
  let keptIn: Batch | null = null;

  function answerTo(of: State, batch: Batch): void {
    if (!answers(algorithm, batch)) fault(of);
    if (batch.lanes !== null) of.lanes.add(batch.lanes);
  }

  function fault(of: State): never {
    of.broken = true;
    // Every tag from now on asks.
    of.left = 0;
    throwFault(algorithm);
  }

  function compare(message: string | Uint8Array, tags: Int32Array, at: number, step: number): void {
    if (state.broken) throwFault(algorithm);
    const right = oracle(typeof message === 'string' ? utf8(message) : message);
    const view = new DataView(right.buffer, right.byteOffset, right.length);
    let difference = 0;
    for (let j = 0; j < STATE_WORDS; j++) difference |= view.getInt32(4 * j, false) ^ tags[at + j * step]!;
    if (difference !== 0) fault(state);
    state.made += EVERY;
    state.left = EVERY;
  }

  function single(message: string | Uint8Array): void {
    compare(message, tag, 0, 1);
    if (!state.warm && state.made >= WARM) {
      state.warm = true;
      answerTo(state, makeBatch(null));
    }
  }

  return {
    tag,
    text(message) {
      prf.text(message);
      if (--state.left <= 0) single(message);
    },
    bytes(message, from, to) {
      prf.bytes(message, from, to);
      if (--state.left <= 0) single(message.slice(from, to));
    },
    putText(batch, slot, message) {
      if (slot === watched) {
        kept = message;
        keptIn = batch;
      }
      prf.putText(batch, slot, message);
    },
    putBytes(batch, slot, message, from, to) {
      if (slot === watched) {
        kept = message.slice(from, to);
        keptIn = batch;
      }
      prf.putBytes(batch, slot, message, from, to);
    },
    run(batch, size) {
      if (state.broken) throwFault(algorithm);
      const { lanes } = batch;
      if ((lanes !== null && !state.lanes.has(lanes)) || (!state.warm && state.made >= WARM)) {
        // The known messages go through the vector unit's own memory, where the batch lies.
        const blocks = batch.blocks.slice();
        const tags = batch.tags.slice();
        state.warm ||= state.made >= WARM;
        answerTo(state, makeBatch(lanes));
        batch.blocks.set(blocks);
        batch.tags.set(tags);
      }
      prf.run(batch, size);
      const message = keptIn === batch ? kept : null;
      kept = null;
      state.left -= size;
      if (state.left > 0) return;
      if (message !== null && watched < size) compare(message, batch.tags, tagAt(watched), LANES);
      watched = (watched + 619) % size;
    },
  };
}

/** The known answer, or an error. */
export function knownAnswer(algorithm: Algorithm, batch: Batch): void {
  if (!answers(algorithm, batch)) throwFault(algorithm);
}

/** Sends every known message each way, and tells whether all their tags give the known answer. */
function answers(algorithm: Algorithm, batch: Batch): boolean {
  const prf = algorithm.make(Uint8Array.from({ length: 32 }, (_, i) => i));
  const texts = [...LENGTHS.map((length) => String.fromCharCode(...Array.from({ length }, letter))), NOT_ASCII];
  const tags = new Uint8Array(4 * STATE_WORDS * texts.length);
  const view = new DataView(tags.buffer);
  let difference = 0;
  texts.forEach((text, slot) => {
    prf.putText(batch, 2 * slot, text);
    const message = utf8(text);
    prf.putBytes(batch, 2 * slot + 1, message, 0, message.length);
  });
  prf.run(batch, 2 * texts.length);
  texts.forEach((text, slot) => {
    prf.text(text);
    for (let j = 0; j < STATE_WORDS; j++) {
      const word = prf.tag[j]!;
      view.setInt32(4 * (STATE_WORDS * slot + j), word, false);
      difference |= word ^ batch.tags[tagAt(2 * slot) + j * LANES]!;
      difference |= word ^ batch.tags[tagAt(2 * slot + 1) + j * LANES]!;
    }
  });
  prf.bytes(tags, 0, tags.length);
  const answer = Array.from(prf.tag, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return difference === 0 && answer === algorithm.answer;
}

/** A printable character for each place. */
function letter(_: unknown, i: number): number {
  return 32 + ((i * 7) % 95);
}

function throwFault({ name }: Algorithm): never {
  throw new Error(
    `the self-test of ${name} failed: this machine or JavaScript engine computed a wrong tag; nothing that this ` +
      'process protected is to be used',
  );
}
