/**
 * Hostile values: every type of JavaScript, and objects that pretend to be one. Text in them is a marker that must
 * never be in a message.
 */

/** A text that is in no message of ours and in no name of an option. */
export const MARKER = 'QzHostileMarkerQz';

/** The error that hostile getters and proxies throw. It may pass through, because it is the caller's own. */
export class HostileError extends Error {
  override readonly name = 'HostileError';
}

const bomb = (): never => {
  throw new HostileError('thrown by a hostile value');
};

/** Names that functions of the library look up. */
const NAMES = [
  'subject',
  'subjects',
  'days',
  'prepareSubject',
  'header',
  'workers',
  'resume',
  'rejects',
  'maxRejects',
  'inputCompression',
  'outputCompression',
  'scope',
  'prepare',
  'form',
  'label',
  'onToken',
  'empty',
  'optional',
  'why',
  'format',
  'value',
  'first',
  'last',
  'with',
  'date',
  'number',
  'prefix',
  'ip',
  'v4',
  'v6',
  'length',
  'min',
  'max',
  'clear',
  'type',
  'alphabet',
  'pattern',
  'domain',
  'keyCheck',
  'unnamed',
  'fields',
  'trefoil',
  'rule',
  'onReject',
  'onProgress',
  'signal',
  'batchSize',
  'limit',
  'delimiter',
  'quoting',
  'message',
  'code',
  'a',
  'field',
  'step',
  'allowCodebook',
  'minDomain',
  'separators',
  'keepSpecial',
  'prefixPreserving',
  'luhn',
  'brands',
  'countries',
  'letters',
  'minSize',
  'values',
  'places',
  'from',
  'to',
  'regex',
  'parts',
  'formats',
  'of',
  'population',
  'maxCollisionProbability',
  'prf',
  'offsets',
  'bytes',
  'validity',
  'onBroken',
  'table',
  'index',
  'key',
  'version',
  'expires',
  'body',
  'rows',
  'mac',
];

const withGetters = () =>
  Object.defineProperties({}, Object.fromEntries(NAMES.map((name) => [name, { get: bomb, enumerable: true }])));

/** A proxy handler with one function for every trap. */
const TRAPS = [
  'get',
  'set',
  'has',
  'deleteProperty',
  'apply',
  'construct',
  'defineProperty',
  'getOwnPropertyDescriptor',
  'getPrototypeOf',
  'setPrototypeOf',
  'isExtensible',
  'preventExtensions',
  'ownKeys',
];
const handler = (trap: () => unknown): ProxyHandler<object> => Object.fromEntries(TRAPS.map((name) => [name, trap]));

function cycle(): object {
  const object: Record<string, unknown> = { text: MARKER };
  object.a = object;
  object.self = [object];
  return object;
}

function deep(levels: number): unknown {
  let value: unknown = MARKER;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function holes(): unknown[] {
  const array = new Array<unknown>(10);
  array[3] = MARKER;
  array[7] = {};
  return array;
}

const array = (change: (made: unknown[]) => unknown): unknown => {
  const made: unknown[] = [MARKER, 'b'];
  change(made);
  return made;
};

/** Every hostile value by its name. They are made again at every call, because a function under test may change one. */
export function hostileValues(): readonly (readonly [name: string, value: unknown])[] {
  const rejected = Promise.reject(new HostileError('rejected'));
  rejected.catch(() => {});
  return [
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-0', -0],
    ['1', 1],
    ['-1', -1],
    ['1.5', 1.5],
    ['2^53', 2 ** 53],
    ['1e308', 1e308],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['10n', 10n],
    ['-2^70 as bigint', -(2n ** 70n)],
    ['empty text', ''],
    ['text', MARKER],
    ['text with lines', `\r\n ${MARKER}\n`],
    ['text with a zero byte', `\0${MARKER}`],
    ['long text', MARKER + 'x'.repeat(100_000)],
    ['long text of digits', '1'.repeat(100_000)],
    ['long text of brackets', '['.repeat(50_000)],
    ['half a surrogate pair', `${MARKER}\ud800`],
    ['the other half', `\udc00${MARKER}`],
    ['astral text', `\u{1f600}${MARKER}\u{10ffff}`],
    ['right to left', `\u202e${MARKER}`],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['JSON', `{"a":"${MARKER}"}`],
    ['a number as text', '12e4'],
    ['symbol', Symbol(MARKER)],
    ['Symbol.iterator', Symbol.iterator],
    ['function', () => MARKER],
    ['function that throws', bomb],
    ['async function', async () => MARKER],
    ['generator function', function* () {}],
    ['class', class {}],
    ['empty array', []],
    ['array of text', [MARKER]],
    ['array of everything', [undefined, null, 0, 1n, MARKER, Symbol(MARKER), bomb, {}, []]],
    ['array with holes', holes()],
    ['nested arrays', deep(1000)],
    ['array that contains itself', array((made) => made.push(made))],
    ['array with a hostile element', array((made) => Object.defineProperty(made, 0, { get: bomb, enumerable: true }))],
    ['array with a hostile iterator', array((made) => Object.defineProperty(made, Symbol.iterator, { get: bomb }))],
    ['array with a hostile map', array((made) => Object.defineProperty(made, 'map', { get: bomb }))],
    ['array of a subclass', new (class extends Array<unknown> {})(3)],
    ['empty object', {}],
    ['object', { a: MARKER, field: MARKER, scope: MARKER, length: 2 }],
    ['object with a marked name', { [MARKER]: MARKER }],
    ['object that contains itself', cycle()],
    ['object without prototype', Object.create(null)],
    ['object with a prototype', Object.create({ scope: MARKER, a: MARKER })],
    ['object with an own __proto__', JSON.parse(`{"__proto__":{"scope":"${MARKER}"},"a":1}`)],
    ['array-like', { length: 3, 0: MARKER, 1: MARKER, 2: MARKER }],
    ['array-like of absurd length', { length: 1e300 }],
    ['object with hostile getters', withGetters()],
    ['object that is no text', { toString: bomb, valueOf: bomb, [Symbol.toPrimitive]: bomb, toJSON: bomb }],
    ['object that is text', { toString: () => MARKER, valueOf: () => MARKER, toJSON: () => MARKER }],
    // biome-ignore lint/suspicious/noThenProperty: this member is what makes the object hostile
    ['thenable', { then: bomb }],
    ['hostile iterable', { [Symbol.iterator]: bomb, [Symbol.asyncIterator]: bomb }],
    ['frozen object', Object.freeze({ a: MARKER })],
    ['proxy that throws', new Proxy({}, handler(bomb))],
    ['proxy of a function that throws', new Proxy(() => 1, handler(bomb))],
    ['proxy of an array that throws', new Proxy([], handler(bomb))],
    [
      'proxy that knows nothing',
      new Proxy(
        {},
        { get: () => undefined, has: () => false, ownKeys: () => [], getOwnPropertyDescriptor: () => undefined },
      ),
    ],
    ['revoked proxy', revoked({})],
    ['revoked proxy of an array', revoked([])],
    ['Date', new Date(0)],
    ['no Date', new Date(Number.NaN)],
    ['RegExp', /QzHostileMarkerQz/g],
    ['Map', new Map([[MARKER, MARKER]])],
    ['Set', new Set([MARKER])],
    ['WeakMap', new WeakMap()],
    ['Error', new Error(MARKER)],
    ['promise', Promise.resolve(MARKER)],
    ['rejected promise', rejected],
    ['bytes', new TextEncoder().encode(MARKER)],
    ['Buffer', Buffer.from(MARKER)],
    ['no bytes', new Uint8Array(0)],
    ['Float64Array', new Float64Array([Number.NaN])],
    ['BigInt64Array', new BigInt64Array(2)],
    ['ArrayBuffer', new ArrayBuffer(8)],
    ['DataView', new DataView(new ArrayBuffer(8))],
    ['boxed text', Object(MARKER)],
    ['boxed number', Object(1)],
    ['boxed bigint', Object(1n)],
    ['boxed symbol', Object(Symbol(MARKER))],
    ['globalThis.Math', Math],
  ];
}
