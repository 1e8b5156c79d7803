/**
 * Frozen outputs. An output that changes here breaks every data set that users have.
 *
 * A new release must not change them: if this file fails, the change is wrong. Another construction gets another
 * version and another file. The outputs were computed with test/reference (on node:crypto alone) and not copied from
 * the library. The last test computes them again.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { card, digits, type Format, pattern, text } from '../../src/format.ts';
import { fpe, keyset, seal, token } from '../../src/index.ts';
import * as steps from '../../src/prepare.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { type FormatCase, fpeReference } from '../reference/fpe.ts';
import { sealReference } from '../reference/seal.ts';
import { tokenReference } from '../reference/token.ts';

/** The root key is SHA-256 of the text `trefoil frozen test root`. */
const KEYSET = `{
  "version": "keyset-v1",
  "keys": [
    {
      "id": "frozen",
      "primary": true,
      "secret": "trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v"
    }
  ]
}
`;

/** The readings beside them enter no key; test/prepare/readings.test.ts has their outputs. */
const { readDate: _, readEpoch: __, readNumber: ___, readPhone: ____, ...STEPS } = steps;

const keys = keyset.parse(KEYSET);
const eu = keys.domain('eu-enclave', { keyCheck: { s0nr0: 'aybrrwdf0sv5jjp6' } });
const us = keys.domain('us-mirror');

/** Scope `person`: the token with the label `cust`, without a label, and in the bare form. */
const TOKENS: readonly {
  readonly prepare: readonly (keyof typeof STEPS)[];
  readonly value: string;
  readonly labelled: string;
  readonly plain: string;
  readonly bare: string;
}[] = [
  {
    prepare: [],
    value: 'Ada Lovelace',
    labelled: 'cust_s0nr09m6f2xf9aqcn3kaj4dfreqj7z8k0ar',
    plain: 's0nr09m6f2xf9aqcn3kaj4dfreqj7z8qpj0',
    bare: '9m6f2xf9aqcn3kaj4dfreqj7z8',
  },
  {
    prepare: [],
    value: '10017',
    labelled: 'cust_s0nr0pzmnx6xnhf60j6msm3e1nwdyhryxbs',
    plain: 's0nr0pzmnx6xnhf60j6msm3e1nwdyhrtbk1',
    bare: 'pzmnx6xnhf60j6msm3e1nwdyhr',
  },
  {
    prepare: [],
    value: ' Zoë\u{1f600} ',
    labelled: 'cust_s0nr0hknwbgp8n4m34zvaxtr9cremncqre2',
    plain: 's0nr0hknwbgp8n4m34zvaxtr9cremnckept',
    bare: 'hknwbgp8n4m34zvaxtr9cremnc',
  },
  {
    prepare: [],
    value: 'x'.repeat(200),
    labelled: 'cust_s0nr08d7z27h6nqz8qcxj2gnsq2hzzcre8x',
    plain: 's0nr08d7z27h6nqz8qcxj2gnsq2hzzcwrg5',
    bare: '8d7z27h6nqz8qcxj2gnsq2hzzc',
  },
  {
    prepare: ['nfc'],
    value: 'Zoe\u0308',
    labelled: 'cust_s0nr0zq8zrs81dhsgmr3zgj51mp8zqc9rar',
    plain: 's0nr0zq8zrs81dhsgmr3zgj51mp8zqcdej0',
    bare: 'zq8zrs81dhsgmr3zgj51mp8zqc',
  },
  {
    prepare: ['nfkc'],
    value: '４２ ﬁn²',
    labelled: 'cust_s0nr038gpcf6gztqppe3tw4049njzbc74ge',
    plain: 's0nr038gpcf6gztqppe3tw4049njzbc3j8p',
    bare: '38gpcf6gztqppe3tw4049njzbc',
  },
  {
    prepare: ['trim'],
    value: '\u00a0 Ada  Lovelace\u000d\u000a',
    labelled: 'cust_s0nr0br110cfgdwwjgmpv1da8k9hz30tjxg',
    plain: 's0nr0br110cfgdwwjgmpv1da8k9hz30y458',
    bare: 'br110cfgdwwjgmpv1da8k9hz30',
  },
  {
    prepare: ['casefold'],
    value: 'Straße ΣΊΣΥΦΟΣ',
    labelled: 'cust_s0nr0xven87n7nmp8zysrwamtdx1scrgw60',
    plain: 's0nr0xven87n7nmp8zysrwamtdx1scrmayr',
    bare: 'xven87n7nmp8zysrwamtdx1scr',
  },
  {
    prepare: ['digitsOnly'],
    value: 'DE 12-34.5',
    labelled: 'cust_s0nr03cpahamhszht0bmeza2bhjmt5mewz1',
    plain: 's0nr03cpahamhszht0bmeza2bhjmt5maa7s',
    bare: '3cpahamhszht0bmeza2bhjmt5m',
  },
  {
    prepare: ['emailAddress'],
    value: ' Ada@Example.COM ',
    labelled: 'cust_s0nr00da2zqy8a5ce79a0nye0ctj90re1s5',
    plain: 's0nr00da2zqy8a5ce79a0nye0ctj90raq1x',
    bare: '0da2zqy8a5ce79a0nye0ctj90r',
  },
  {
    prepare: ['emailAddressExact'],
    value: ' Ada@Example.COM ',
    labelled: 'cust_s0nr0wktn25aq4k0crthy41pxky7skrj5zt',
    plain: 's0nr0wktn25aq4k0crthy41pxky7skrpk72',
    bare: 'wktn25aq4k0crthy41pxky7skr',
  },
  {
    prepare: ['phoneE164'],
    value: '+49 (30) 901-820',
    labelled: 'cust_s0nr0m1ac9mjnd6arm29hvb8rysps2mct06',
    plain: 's0nr0m1ac9mjnd6arm29hvb8rysps2m8cry',
    bare: 'm1ac9mjnd6arm29hvb8rysps2m',
  },
  {
    prepare: ['ipAddress'],
    value: '::FFFF:c000:207',
    labelled: 'cust_s0nr0ptsftq6xeqdnj40b9bsgr463wme5pz',
    plain: 's0nr0ptsftq6xeqdnj40b9bsgr463wmake7',
    bare: 'ptsftq6xeqdnj40b9bsgr463wm',
  },
  {
    prepare: ['phone'],
    value: '+49 (0)30 901-820',
    labelled: 'cust_s0nr05kfr4vgqb78zzm0f72ng24wedrdy48',
    plain: 's0nr05kfr4vgqb78zzm0f72ng24wedr98wg',
    bare: '5kfr4vgqb78zzm0f72ng24wedr',
  },
  {
    prepare: ['wholeNumber'],
    value: '6150769120280496265.0',
    labelled: 'cust_s0nr0txa3ntqzsr44jt32pktvkv8jagkzb5',
    plain: 's0nr0txa3ntqzsr44jt32pktvkv8jagq9kx',
    bare: 'txa3ntqzsr44jt32pktvkv8jag',
  },
  {
    prepare: ['trim', 'nfkc', 'casefold'],
    value: ' ＡＤＡ\u0009',
    labelled: 'cust_s0nr0z8fmf6nths925zyc2ngv0d1c88bgpr',
    plain: 's0nr0z8fmf6nths925zyc2ngv0d1c88f6e0',
    bare: 'z8fmf6nths925zyc2ngv0d1c88',
  },
  {
    prepare: ['casefold', 'nfkc', 'trim'],
    value: ' ADA\u0009',
    labelled: 'cust_s0nr0f91sv4a9m2e85gk8ggqbcsed8mgtmx',
    plain: 's0nr0f91sv4a9m2e85gk8ggqbcsed8mmcc5',
    bare: 'f91sv4a9m2e85gk8ggqbcsed8m',
  },
];

/** Scope `frozen.field`. */
const FPE: readonly { readonly format: Format; readonly values: readonly (readonly [string, string])[] }[] = [
  {
    format: digits(),
    values: [
      ['000000', '355822'],
      ['999999', '679894'],
      ['123456', '492510'],
      ['1234567', '9326276'],
      ['012345678', '247700301'],
      ['0123456789', '3454698610'],
      ['99999999999', '89932900482'],
      ['4111111111111111', '2320761514417195'],
      ['31415926535897932384', '85621965152919092248'],
      ['00000000000000000000000000000000', '82054814542146635018250750551334'],
      [
        '2718281828459045235360287471352662497757247093699959574966967627',
        '2962745485932141017857038793548227304766185546558979701056986006',
      ],
    ],
  },
  {
    format: text('ABCDEFGHJKLMNPRSTUVWXYZ0123456789'),
    values: [
      ['AAAA', 'HFUJ'],
      ['9999', 'LAZ2'],
      ['AB12', 'CA37'],
      ['AB1234', '9J3JEG'],
      ['HELL0', 'FNSHE'],
      ['XK7PZ92', '417WLVX'],
      ['A1B2C3D4', 'D5WK1KE4'],
      ['ZZZZZZZZ', '68L5MB06'],
      ['M477', 'UU13'],
      ['TREF011', 'T52AHDD'],
    ],
  },
  {
    format: text('\u{1f600}\u{1f601}\u{10400}aéb'),
    values: [
      [
        '\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}',
        '\u{1f601}\u{1f600}\u{1f600}b\u{10400}a\u{1f601}a',
      ],
      ['abéabéab', 'éa\u{1f600}\u{1f601}ééaa'],
      ['\u{10400}a\u{1f601}béaba\u{1f600}', '\u{10400}\u{1f601}\u{10400}\u{1f600}\u{1f601}\u{1f600}é\u{1f601}b'],
      ['bbbbbbbbbbbb', '\u{10400}\u{1f601}\u{1f600}ba\u{1f601}éé\u{1f600}\u{10400}\u{10400}\u{1f601}'],
    ],
  },
  {
    format: card(),
    values: [
      ['4111111111111111', '0201042784128745'],
      ['5555555555554444', '8234435292213674'],
      ['378282246310005', '507376784468698'],
      ['4222222222222', '0645109932584'],
      ['30569309025904', '99025582307343'],
      ['6205500000000000004', '6572845018556395302'],
    ],
  },
  {
    format: card({ clear: { first: 6 } }),
    values: [
      ['4111 1111 1111 1111', '4111 1140 2427 6955'],
      ['4111-1111-1111-1111', '4111-1140-2427-6955'],
      ['4111111111111111', '4111114024276955'],
      ['5555 5555 5555 4444', '5555 5563 6088 9348'],
      ['3782 822463 10005', '3782 829955 67037'],
      ['4222222222222', '4222221491117'],
      ['30569309025904', '30569391369434'],
      ['6205500000000000004', '6205501218833660112'],
      ['4539 5787 6362 1486', '4539 5738 1782 8781'],
      ['6011111111111117', '6011114248887849'],
    ],
  },
  {
    format: pattern('A999999'),
    values: [
      ['K013377', 'O590180'],
      ['A000000', 'P439114'],
      ['Z999999', 'R849775'],
      ['Q123456', 'A782518'],
      ['B000001', 'X204388'],
      ['X987654', 'R065128'],
    ],
  },
  {
    format: pattern('999-9999'),
    values: [
      ['555-0123', '574-9230'],
      ['000-0000', '388-6908'],
      ['999-9999', '494-4671'],
      ['867-5309', '332-2509'],
    ],
  },
  {
    format: pattern('\\A-Aa9aA'),
    values: [
      ['A-Xy7zQ', 'A-Aa3xC'],
      ['A-Aa0aA', 'A-Yk6oU'],
      ['A-Zz9zZ', 'A-Nu4mN'],
    ],
  },
];

/** Scope `person.name`, `missing: []`. The first three buckets take values of up to 31, 63 and 127 bytes. */
const SEALED: readonly { readonly value: string; readonly sealed: string }[] = [
  {
    value: '',
    sealed: 's0nr0040x8e8t9kmgkes8snyqv5rvr1nrc7d525zrdvj187d78kamwbgcgk6fvewwpeaccpm2318r8rvj37xc',
  },
  {
    value: 'Ada',
    sealed: 's0nr0040p15zv0sww6cvy6141ydag70vfv5h16hghkqgqhx1chmr8gxm2z45h8a10jh1jhh3gb786k7py6kd7',
  },
  {
    value: 'Zoë Müller',
    sealed: 's0nr0040zqtg0dqn5pdd2p0gn53tsgjjs3w1nte407yt5sw6cb4rha2v2dfw82ndbh417sz379ccv1ks028qa',
  },
  {
    value: '\u{1f600} Нино \u0000',
    sealed: 's0nr0040wytfa4fg3sn7rfnpbstz548hfkm06ma2870shbz87my3bp52m7khw68q1r15t8nwy9xch01c9pc9b',
  },
  {
    value: '\ufeffx',
    sealed: 's0nr0040rywjve04gw9q2sjffhdhngwz0c8pfdb7xat74hrnw1wnskcvw3g9nagzcfkdjc8jwcsr6s6w1qf8w',
  },
  {
    value: 'x'.repeat(30),
    sealed: 's0nr0040q4a37n8aawh4fns4ebhrxvarsjhe30fyvrvvk4zcvmy5hz5nmmkvw7290f43c0hrd6cs2hfw1pk6r',
  },
  {
    value: 'x'.repeat(31),
    sealed: 's0nr0040w3feh48rssxdfctectcb2x7mgm2axt1wmr0y2hmzzv7017md2thr7s4fy7577jgdvfyeracq5rrrb',
  },
  {
    value: 'x'.repeat(32),
    sealed:
      's0nr0040kn6gzbs0n4vyvpt5pqmzgn4zdnv6nhxsfg8my97kfyw2j3dcnmwsm54x985yfgr27tvnm4e3nfxp697ak9rtd2ccvb71' +
      'x1msaa8wdbyt7m59at819mfh0vaswq6qmjzrg',
  },
  {
    value: 'x'.repeat(63),
    sealed:
      's0nr0040hjmq1yskfq219xgk09h924rtf23nkbhcz2rmw1jxd2zj50m3ff18rmcxa89gq05sze9z8e2cmf7n2c5qhp1ypszxzxer' +
      'jakmgp328j1wnxx29zrz5wdtt7znn42ag2sq0',
  },
  {
    value: 'x'.repeat(64),
    sealed:
      's0nr0040g1a671f0srq82811n047ej1tgfpf8acrz1mtfv0fknvxq1wqfs9tc8bxedy8mnjmt8mxkvfcwea2n0a0rsg4a174a6qv' +
      'yebvmy5868s5rzpmhbzm5k6p0c0c02sakhpbba3jag9tgfjqr8gax8s1bqd4h4pez37fwnhk208mststk72tyqbk59n0e4beyz1h' +
      '572yq29t4w8fn307jt54jy68pax520y7xm4p2xw',
  },
  {
    value: 'x'.repeat(127),
    sealed:
      's0nr0040k4z0sd7kax981rt5qdptydknpap2n14tp5r04dp67dd9vrrhge008c9azcwfmgjmaebn6s0smrnba52n627y7hz924v7' +
      'cvk1336jcb9k25qe31vs0jjmd8aa7m2vn451qmwgnjw3qv78tatpwc736j1qbmkm2zkqv2nnqhg6b4777smkhd4tbtwpz5dx5mvq' +
      'vj5rk1x9chcez5m41qs5twvb13ps0he7nmyg49g',
  },
  {
    value: 'x'.repeat(128),
    sealed:
      's0nr0040y4739cmcv0d90eypbxpzrwgbxy8c7zyty8qk8b2w8ge80tgr32x8sf0hajd84s5b3zr8fgsnmqkbw1ndd28km39p9wcs' +
      'etqpxgfj67whym8qeaqh0eewa49rc1vx3f5m3qf0p7g97q2rtckyfdtcgp42mcc5k497j2jeswp7t25c3bqsmwx5qbvpgx71mg6w' +
      'x6k3nf0fxmngvfnfg2phqmkqer0tneh2vtvqj9ws19b8xen56v5de3zr5hvas5y5br9rq3vq33egmj9bkzywb8ts2agrrry4mc8n' +
      'xc8yatxhbp6va3g88793qdeymkdxv08fpajd6aywpc2p1k6h4xjjrdt0wq7gffpcg2zt8j4xrf8fjjkthp7jgny7wab3jmbt068y' +
      '1xcfsgfyr21hddcg8rapam7s8wqpad0cxamxhycxf068',
  },
  {
    value: 'ë'.repeat(16),
    sealed:
      's0nr0040jvjk94w378cfe6fzgxa9t1da5efs7nje1kqyaa2gr7qdeace2nyn4hpekc6knp2cgywwvpzy85v0xfbs8terypmq36ft' +
      'b0zdp0gmsgvqn12y0shyme05b7kq10p3mvkmg',
  },
];

/** Scope `person.age`, `value: integer`. */
const INTEGERS: readonly (readonly [number, string])[] = [
  [0, 's0nr0040hjqtaxhd23xrfkkrhvnkj81ww97tgk5ztss4nwybpdqz5z8dq8brb3kbb2f3rqnyazn3g0r5rve8k'],
  [1, 's0nr0040v8d6jn6kf7xvtk1v9hcmajfkznf21rfrz2958by4jrrtfve3ez6dd4hwz4s6pha6vwvwbpbahjcv4'],
  [-1, 's0nr0040ypta5k85prnfa85mfg4jkdht55vmbm9q0n6d7n4w33ay7zqkk94d3jz7zd9yb4xtt5vx52e4tffvm'],
  [42, 's0nr0040yqacgpf40fv519et1f0qetjp7b0x56sgrgtam9sjvxqmyztr78y2jr7vnq6madyrqv1agfqs027kh'],
  [1_000_000, 's0nr0040nc0ne64jpgpzhesszbkwcwrffk5sghnz618d81kkht6rfzvq0j88dwwhdjtsg53bfnmbdw4shp9ht'],
  [Number.MAX_SAFE_INTEGER, 's0nr0040t1re7r967ctedevhzbnv8c26fgnqkc2dmy89f2fnak8mwpxthx85y5e2p510ms9jjgm7eby83nvyc'],
  [Number.MIN_SAFE_INTEGER, 's0nr0040tca2j6hm6t9cf6wtg6d7x8qkh5pse1rf9pc8ae80sc5bawmhzse3tw724rhpjmzxtcxsakvn9v9td'],
];

describe('keyset-v1', () => {
  it('export', () => {
    expect(keys.export(secretAccess)).toBe(KEYSET);
  });

  it('key ids and key checks', () => {
    expect([eu, us].map((domain) => ({ ...domain }))).toEqual([
      { domain: 'eu-enclave', keyId: 's0nr0', keyCheck: { s0nr0: 'aybrrwdf0sv5jjp6' } },
      { domain: 'us-mirror', keyId: 'k6x3z', keyCheck: { k6x3z: 'pv6003atbjf3j5ws' } },
    ]);
  });

  it('one output of each kind in another domain', () => {
    expect(token({ scope: 'person', label: 'cust' }).bind(us).protect(10017)).toBe(
      'cust_k6x3ze9h16c4ht49fttz127413spcf8ezar',
    );
    expect(seal({ scope: 'person.name' }).bind(us).protect('Zoë Müller')).toBe(
      'k6x3z040gdvvx4bwk7a72q6x1ege0szttxmj6pz3f294wz37r8y3v9pd0m5zkj96rk26ez7vwxz3rj4tbv9x4',
    );
    expect(fpe({ scope: 'frozen.field', format: digits() }).bind(us).protect('123456')).toBe('320800');
  });
});

describe('token-v1', () => {
  it.each(TOKENS)('$prepare of $value', ({ prepare: names, value, labelled, plain, bare }) => {
    const list = names.map((name) => STEPS[name] as steps.Prepare);
    const options = { scope: 'person', prepare: list } as const;
    const verbs = token({ ...options, label: 'cust' }).bind(eu);
    expect(verbs.protect(value)).toBe(labelled);
    expect(verbs.matches(value, labelled)).toBe(true);
    expect(token(options).bind(eu).protect(value)).toBe(plain);
    expect(
      token({ ...options, form: 'bare' })
        .bind(eu)
        .protect(value),
    ).toBe(bare);
  });

  it('every step occurs in these tokens', () => {
    const used = new Set(TOKENS.flatMap(({ prepare: names }) => names));
    expect([...used].sort()).toEqual(Object.keys(STEPS).sort());
  });
});

describe('fpe-v1', () => {
  it.each(FPE)('$format', ({ format, values }) => {
    const verbs = fpe({ scope: 'frozen.field', format }).bind(eu, revealAccess);
    for (const [value, enciphered] of values) {
      expect(verbs.protect(value)).toBe(enciphered);
      expect(verbs.reveal(enciphered as never)).toBe(value);
    }
  });
});

describe('seal-v1', () => {
  const names = seal({ scope: 'person.name', missing: [] }).bind(eu, revealAccess);
  const ages = seal({ scope: 'person.age', value: 'integer' }).bind(eu, revealAccess);

  it.each(SEALED)('$value', ({ value, sealed }) => {
    expect(names.protect(value)).toBe(sealed);
    expect(names.reveal(sealed as never)).toBe(value);
  });

  it.each(INTEGERS)('the integer %s', (value, sealed) => {
    expect(ages.protect(value)).toBe(sealed);
    expect(ages.reveal(sealed as never)).toBe(value);
  });
});

it('the references, which share no code with the library, return the same outputs', () => {
  const root = createHash('sha256').update('trefoil frozen test root').digest();
  const at = { root, domain: 'eu-enclave' };
  for (const { prepare: names, value, labelled, bare } of TOKENS) {
    const prepared = names.reduce((done, name) => (STEPS[name] as steps.Prepare)(done), value);
    const reference = tokenReference({ ...at, scope: 'person', prepare: names, label: 'cust' }, prepared);
    expect(reference).toEqual({ labelled, bare });
  }
  for (const { format, values } of FPE) {
    const { clear } = format as { clear?: { first?: number } };
    const reference = { ...format, first: clear?.first ?? 0 } as unknown as FormatCase;
    for (const [value, enciphered] of values) {
      expect(fpeReference({ ...at, scope: 'frozen.field', format: reference }, value)).toBe(enciphered);
    }
  }
  for (const { value, sealed } of SEALED) expect(sealReference({ ...at, scope: 'person.name' }, value)).toBe(sealed);
  for (const [value, sealed] of INTEGERS)
    expect(sealReference({ ...at, scope: 'person.age' }, `${value}`)).toBe(sealed);
});
