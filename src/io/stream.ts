/**
 * Streams: the two shells around a run, an async iterable and a web `TransformStream`. Both work on one chunk of the
 * source and one batch of records at a time. They ask for the next chunk only when the consumer has taken everything,
 * so a slow consumer slows the source down, and memory stays flat.
 */

import { badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import type { Encoding } from './encoding.ts';
import type { Run, Step } from './records.ts';

/** A source of chunks of bytes or text, asynchronous or not. A Node `Readable` is one. */
export type Source =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | ReadableStream<Uint8Array>
  | Uint8Array;

/** A policy with its keys, as returned by `policy.bind(keys)`, or by `policy.open(keys, stores)`. */
export interface CanProtect {
  readonly protect: unknown;
  // The type excludes a rule that was bound or opened without a policy, which has no named columns.
  readonly protectColumns: (...given: never) => Readonly<Record<string, unknown>> | Promise<unknown>;
}

/** A policy that was bound or opened with `revealAccess`, or opened with the access of a warrant. */
export interface CanReveal extends CanProtect {
  readonly reveal: unknown;
}

/** A policy that moves records to another key, as returned by `rekey` and `project` of `trefoil/policy`. */
export type CanMove = { readonly rekey: unknown } | { readonly project: unknown };

/** A cursor over a source. */
interface Cursor {
  readonly next: () => Promise<IteratorResult<unknown>>;
  readonly close: () => Promise<unknown>;
}

/**
 * Runs over a source. The source is closed if the consumer stops, if the run fails, if the limit is reached, and if the
 * signal is aborted.
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
    const toBytes = makeToBytes(run.encoding);
    cursor = openSource(source);
    while (!run.done()) {
      const step = await untilAbort(cursor.next(), signal);
      if (step.done === true) {
        exhausted = true;
        break;
      }
      yield* settled(run.push(toBytes(step.value)), signal);
    }
    if (exhausted) yield* settled(run.push(toBytes(END)), signal);
    yield* settled(run.end(), signal);
  } finally {
    if (!exhausted) {
      const closed = (cursor ?? openSource(source)).close();
      // A source that hangs may never close, so an aborted run does not wait for it.
      if (signal?.aborted !== true) await closed;
    }
  }
}

/** The bytes of a run, which waits for its promises. */
async function* settled(
  steps: Iterable<Step>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const step of steps) {
    if (step instanceof Promise) await untilAbort(step, signal);
    else yield step;
  }
}

/** Runs as a web stream. If the signal is aborted, both sides of the stream fail. */
export function runTransform(
  start: () => Run,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const run = start();
  const toBytes = makeToBytes(run.encoding);
  let abort = (): void => {};
  return new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      abort = () => controller.error(signal?.reason);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    },
    async transform(chunk, controller) {
      try {
        await enqueueAll(run.push(toBytes(chunk)), controller);
        if (!run.done()) return;
        await enqueueAll(run.end(), controller);
      } catch (error) {
        signal?.removeEventListener('abort', abort);
        throw error;
      }
      signal?.removeEventListener('abort', abort);
      controller.terminate();
    },
    async flush(controller) {
      signal?.removeEventListener('abort', abort);
      await enqueueAll(run.push(toBytes(END)), controller);
      await enqueueAll(run.end(), controller);
    },
  });
}

/** Enqueues the bytes of a run, which waits for its promises. */
async function enqueueAll(
  steps: Iterable<Step>,
  controller: TransformStreamDefaultController<Uint8Array>,
): Promise<void> {
  for (const step of steps) {
    if (step instanceof Promise) await step;
    else controller.enqueue(step);
  }
}

/** Waits for a step of the source. If the signal is aborted first, the promise is rejected with its reason. */
export function untilAbort<T>(step: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return step;
  // `Promise.race` with one long-lived promise would keep every step in memory until the run ends.
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function openSource(source: Source): Cursor {
  // Text and bytes are iterable, too, but as a source they are one chunk.
  if (typeof source === 'string' || isBytes(source)) return openIterator([source][Symbol.iterator]());
  if (typeof source === 'object' && source !== null) {
    const { destroy, getReader } = source as { destroy?: unknown; getReader?: unknown };
    if (Symbol.asyncIterator in source) {
      // The iterator of Node's Readable waits for the next chunk before it closes; `destroy` does not wait.
      const destroySource = typeof destroy === 'function' ? () => destroy.call(source) : undefined;
      return openIterator(source[Symbol.asyncIterator](), destroySource);
    }
    if (Symbol.iterator in source) return openIterator(source[Symbol.iterator]());
    if (typeof getReader === 'function') return openReader(source as ReadableStream<Uint8Array>);
  }
  badType('source', `expected chunks of bytes or text, got ${typeName(source)}`);
}

/** Reads a web stream that has no async iterator (Safari). */
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

/** Whether a value is a `Uint8Array` of any realm; a test runner's sandbox has its own class. */
function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) && (value as unknown as Record<symbol, unknown>)[Symbol.toStringTag] === 'Uint8Array'
  );
}

function openIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>, destroySource?: () => void): Cursor {
  return {
    next: async () => iterator.next(),
    // An error while closing would hide the reason for closing.
    close: async () => {
      try {
        destroySource?.();
        await iterator.return?.();
      } catch {}
    },
  };
}

const END = Symbol('end');

/**
 * Makes a function that returns chunks as bytes. If a chunk of text ends with the first half of a surrogate pair, that
 * half is kept for the next chunk; {@link END} asks for what is left.
 */
function makeToBytes(encoding: Encoding): (chunk: unknown) => Uint8Array {
  const encoder = new TextEncoder();
  let carry = '';
  return (chunk) => {
    if (typeof chunk === 'string' && encoding !== 'utf-8') {
      badType('source', `expected chunks of bytes in ${encoding}, got text; leave out the option encoding`);
    }
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
