/**
 * Streams: the two shells around a run, one an async iterable that pulls, one a web `TransformStream`. Both work on one
 * chunk of the source and one batch of records at a time, and ask for the next chunk only when all of that was taken: a
 * slow consumer slows the source down, and memory stays flat.
 */

import { badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import type { Run } from './records.ts';

/** What can be read from: chunks of bytes or text, asynchronous or not. A Node `Readable` is one. */
export type Source =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | ReadableStream<Uint8Array>
  | Uint8Array;

/** A policy with its keys, as `policy.bind(keys)` gives it. */
export interface CanProtect {
  readonly protect: unknown;
  // A rule that is bound alone has no columns by name, and one that waits for its stores gives a promise: neither can
  // stand here.
  readonly protectColumns: (...given: never) => Readonly<Record<string, unknown>>;
}

/** A policy that was bound with `revealAccess`. */
export interface CanReveal extends CanProtect {
  readonly reveal: unknown;
}

/** A policy with its keys and stores, as `policy.open(keys, stores)` gives it: files wait for stores, streams do not. */
export interface OpenToProtect {
  readonly protect: unknown;
  readonly protectColumns: (...given: never) => Promise<unknown>;
  // Nor a vault's rule that is opened alone.
  readonly lookup?: never;
}

/** A policy that was opened with `revealAccess`. */
export interface OpenToReveal extends OpenToProtect {
  readonly reveal: unknown;
}

/** A cursor over a source. */
interface Cursor {
  readonly next: () => Promise<IteratorResult<unknown>>;
  readonly close: () => Promise<unknown>;
}

/**
 * Runs over a source. The source is closed when the consumer stops, when the run fails, when the limit is reached and
 * when the signal says so.
 */
export async function* runSource(
  source: Source,
  start: () => Run,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let cursor: Cursor | null = null;
  let exhausted = false;
  try {
    signal?.throwIfAborted();
    const run = start();
    const toBytes = makeToBytes();
    cursor = openSource(source);
    while (!run.done()) {
      const step = await untilAbort(cursor.next(), signal);
      if (step.done === true) {
        exhausted = true;
        break;
      }
      yield* run.push(toBytes(step.value));
    }
    if (exhausted) yield* run.push(toBytes(END));
    yield* run.end();
  } finally {
    if (!exhausted) {
      const closed = (cursor ?? openSource(source)).close();
      // A source that hangs would not close either: after an abort nothing waits for it.
      if (signal?.aborted !== true) await closed;
    }
  }
}

/** The same as a web stream. An abort errors both sides. */
export function runTransform(
  start: () => Run,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const toBytes = makeToBytes();
  const run = start();
  let abort = (): void => {};
  return new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      abort = () => controller.error(signal?.reason);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    },
    transform(chunk, controller) {
      try {
        for (const out of run.push(toBytes(chunk))) controller.enqueue(out);
        if (!run.done()) return;
        for (const out of run.end()) controller.enqueue(out);
      } catch (error) {
        signal?.removeEventListener('abort', abort);
        throw error;
      }
      signal?.removeEventListener('abort', abort);
      controller.terminate();
    },
    flush(controller) {
      signal?.removeEventListener('abort', abort);
      for (const out of run.push(toBytes(END))) controller.enqueue(out);
      for (const out of run.end()) controller.enqueue(out);
    },
  });
}

/** A step of the source, or the signal's reason if that comes first. */
export function untilAbort<T>(step: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return step;
  // Not Promise.race against one long-lived promise: that would hold on to every step until the run ends.
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function openSource(source: Source): Cursor {
  // Texts and bytes are iterable, too, but nobody means their characters.
  if (typeof source === 'string' || isBytes(source)) return openIterator([source][Symbol.iterator]());
  if (typeof source === 'object' && source !== null) {
    const { destroy, getReader } = source as { destroy?: unknown; getReader?: unknown };
    if (Symbol.asyncIterator in source) {
      // Node's readable waits for its next chunk before it closes; `destroy` does not.
      const hurry = typeof destroy === 'function' ? () => destroy.call(source) : undefined;
      return openIterator(source[Symbol.asyncIterator](), hurry);
    }
    if (Symbol.iterator in source) return openIterator(source[Symbol.iterator]());
    if (typeof getReader === 'function') return openReader(source as ReadableStream<Uint8Array>);
  }
  badType('source', `expected chunks of bytes or text, got ${typeName(source)}`);
}

/** A web stream where it has no async iterator (Safari). */
function openReader(source: ReadableStream<Uint8Array>): Cursor {
  const reader = source.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
    close: () => reader.cancel(),
  };
}

/** Bytes of any realm: a test runner's sandbox has a `Uint8Array` of its own. */
function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) && (value as unknown as Record<symbol, unknown>)[Symbol.toStringTag] === 'Uint8Array'
  );
}

function openIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>, hurry?: () => void): Cursor {
  return {
    next: async () => iterator.next(),
    // What goes wrong while closing is of no interest next to why it is closed.
    close: async () => {
      try {
        hurry?.();
        await iterator.return?.();
      } catch {}
    },
  };
}

const END = Symbol('end');

/** Chunks as bytes. A surrogate pair may be cut by two chunks of text; {@link END} gives what is left. */
function makeToBytes(): (chunk: unknown) => Uint8Array {
  const encoder = new TextEncoder();
  let carry = '';
  return (chunk) => {
    if (isBytes(chunk) && carry === '') return chunk;
    if (typeof chunk !== 'string' && chunk !== END && !isBytes(chunk)) {
      badType('source', `expected chunks of bytes or text, got a chunk that is ${typeName(chunk)}`);
    }
    let text = carry + (typeof chunk === 'string' ? chunk : '');
    carry = '';
    const last = text.charCodeAt(text.length - 1);
    if (typeof chunk === 'string' && last >= 0xd800 && last <= 0xdbff) {
      carry = text.slice(-1);
      text = text.slice(0, -1);
    }
    if (!text.isWellFormed()) fail('lone_surrogate', 'the source has half of a surrogate pair; correct its encoding');
    return encoder.encode(text);
  };
}
