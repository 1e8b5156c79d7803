/**
 * The frames of a Zstandard file (RFC 8878, section 3.1), told apart without unpacking them.
 *
 * Node's own stream cannot be trusted with more than one. Tried: that of Node 22.23 leaves out every frame that begins
 * inside a chunk, and takes a file that was cut for a whole one; that of Node 24.22 still does so when the cut is in a
 * frame's first bytes. So the bytes are handed to it along the frames, and whether the last one is whole is decided here.
 */

const ZSTANDARD = 0xfd2fb528;
const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
/** Section 3.1.2: sixteen numbers, for what others have put between the frames. */
const SKIPPABLE = 0x184d2a50;

/** What is wrong with a file. */
export type FrameFault = 'behind' | 'broken' | 'cut';

/** The bytes of a source, with no frame's end inside a chunk and without skippable frames. */
export async function* alongFrames(
  source: AsyncIterable<Uint8Array>,
  fault: (what: FrameFault) => never,
): AsyncGenerator<Uint8Array, void, undefined> {
  let frame = new Frame();
  let frames = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const isMagic = frame.state === 'magic';
      const end = frame.take(chunk, at);
      if (frame.state === 'broken') fault('broken');
      // What is no frame is something else behind one, or no Zstandard at all.
      if (frame.state === 'unknown') fault(frames === 0 ? 'broken' : 'behind');
      // Whether to hand over a magic number shows when all of it was read.
      if (!isMagic && !frame.isSkippable) yield chunk.subarray(at, end);
      else if (frame.state === 'descriptor') yield MAGIC;
      at = end;
      if (frame.state !== 'whole') continue;
      frame = new Frame();
      frames++;
    }
  }
  if (frame.state === 'magic' && !frame.mayBegin) fault(frames === 0 ? 'broken' : 'behind');
  if (frame.state !== 'magic' || frame.isBegun || frames === 0) fault('cut');
}

type State =
  | 'magic'
  | 'skippable'
  | 'descriptor'
  | 'header'
  | 'block'
  | 'body'
  | 'rest'
  | 'whole'
  | 'unknown'
  | 'broken';

/** One frame, as far as it was read. */
class Frame {
  state: State = 'magic';
  isBegun = false;
  isSkippable = false;
  /** Bytes that the present state still takes. */
  #left = 4;
  /** The number that these bytes give, the first the lowest (section 3: little-endian). */
  #value = 0;
  #read = 0;
  #hasChecksum = false;
  #isLast = false;

  /** Reads on from `at`, to the end of the magic number, of the frame or of the chunk; tells where it stopped. */
  take(chunk: Uint8Array, at: number): number {
    this.isBegun = true;
    while (at < chunk.length || this.#left === 0) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        // Numbers have four bytes at most; what is longer is passed over.
        for (let i = 0; i < step && this.#read < 4; i++) this.#value += chunk[at + i]! * 2 ** (8 * this.#read++);
        this.#left -= step;
        at += step;
      }
      if (this.#left > 0) break;
      const before = this.state;
      this.#next();
      if (before === 'magic' || this.state === 'whole' || this.state === 'broken') break;
    }
    return at;
  }

  /** Whether what was read of a magic number is the beginning of one. */
  get mayBegin(): boolean {
    const begin = 256 ** this.#read;
    return [ZSTANDARD, SKIPPABLE + (this.#value & 15)].some((magic) => magic % begin === this.#value);
  }

  #enter(state: State, bytes: number): void {
    this.state = state;
    this.#left = bytes;
    this.#value = 0;
    this.#read = 0;
  }

  /** What follows on the bytes just read. */
  #next(): void {
    const value = this.#value;
    if (this.state === 'magic') {
      this.isSkippable = value >= SKIPPABLE && value < SKIPPABLE + 16;
      if (this.isSkippable) this.#enter('skippable', 4);
      else if (value === ZSTANDARD) this.#enter('descriptor', 1);
      else this.state = 'unknown';
    } else if (this.state === 'skippable') {
      this.#enter('rest', value);
    } else if (this.state === 'descriptor') {
      this.#hasChecksum = (value & 4) !== 0;
      this.#enter('header', headerBytes(value));
    } else if (this.state === 'header') {
      this.#enter('block', 3);
    } else if (this.state === 'block') {
      // Section 3.1.1.2: whether it is the last, its type, its size; a run (1) is one byte, 3 is reserved.
      const type = (value >> 1) & 3;
      this.#isLast = (value & 1) === 1;
      if (type === 3) this.state = 'broken';
      else this.#enter('body', type === 1 ? 1 : value >> 3);
    } else if (this.state === 'body' && !this.#isLast) {
      this.#enter('block', 3);
    } else if (this.state === 'body' && this.#hasChecksum) {
      this.#enter('rest', 4);
    } else {
      this.state = 'whole';
    }
  }
}

/** Section 3.1.1.1: the bytes of window, dictionary and content size, as the descriptor tells them. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor >> 5) & 1;
  const content = [isSingle, 2, 4, 8][descriptor >> 6]!;
  return 1 - isSingle + [0, 1, 2, 4][descriptor & 3]! + content;
}
