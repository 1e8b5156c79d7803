/**
 * Finds the frames of a Zstandard file (RFC 8878, section 3.1) without decompressing them.
 *
 * Node's own stream does not read files of several frames reliably. In our tests Node 22.23 leaves out every frame that
 * begins inside a chunk, and reads a file that was cut as if it were complete. Node 24.22 still does the latter if the
 * cut is in the first bytes of a frame. So Node gets chunks that end where frames end, and this file decides whether
 * the last frame is complete.
 */

const ZSTANDARD = 0xfd2fb528;
const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
/** Section 3.1.2: the first of sixteen magic numbers of skippable frames, which may hold data of other programs. */
const SKIPPABLE = 0x184d2a50;

/** What is wrong with a file: bytes after its end, damaged bytes, or an end inside a frame. */
export type FrameFault = 'behind' | 'broken' | 'cut';

/** The bytes of a source, without skippable frames, in chunks that no frame ends inside of. */
export async function* alongFrames(
  source: AsyncIterable<Uint8Array>,
  refuse: (fault: FrameFault) => never,
): AsyncGenerator<Uint8Array, void, undefined> {
  let frame = new Frame();
  let frames = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const isMagic = frame.state === 'magic';
      const end = frame.take(chunk, at);
      if (frame.state === 'broken') refuse('broken');
      // Bytes that are not a frame are bytes after the last frame, or the file is not Zstandard at all.
      if (frame.state === 'unknown') refuse(frames === 0 ? 'broken' : 'behind');
      // A magic number is passed on only when all of it was read, because it may be that of a skippable frame.
      if (!isMagic && !frame.isSkippable) yield chunk.subarray(at, end);
      else if (frame.state === 'descriptor') yield MAGIC;
      at = end;
      if (frame.state !== 'whole') continue;
      frame = new Frame();
      frames++;
    }
  }
  if (frame.state === 'magic' && !frame.mayBegin) refuse(frames === 0 ? 'broken' : 'behind');
  if (frame.state !== 'magic' || frame.isBegun || frames === 0) refuse('cut');
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

/** One frame, as far as it has been read. */
class Frame {
  state: State = 'magic';
  isBegun = false;
  isSkippable = false;
  /** Bytes that the current state still needs. */
  #left = 4;
  /** The number in these bytes, little-endian (section 3). */
  #value = 0;
  #read = 0;
  #hasChecksum = false;
  #isLast = false;

  /** Reads from `at` to the end of the magic number, of the frame or of the chunk. Returns where it stopped. */
  take(chunk: Uint8Array, at: number): number {
    this.isBegun = true;
    while (at < chunk.length || this.#left === 0) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        // Numbers have at most four bytes; longer parts are skipped.
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

  /** Whether the bytes read so far can be the beginning of a magic number. */
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

  /** Enters the state that follows the bytes just read. */
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
      // Section 3.1.1.2: whether the block is the last, its type, its size. An RLE block (1) has one byte; 3 is
      // reserved.
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

/** Section 3.1.1.1: the length of window descriptor, dictionary identifier and content size, from the descriptor. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor >> 5) & 1;
  const content = [isSingle, 2, 4, 8][descriptor >> 6]!;
  return 1 - isSingle + [0, 1, 2, 4][descriptor & 3]! + content;
}
