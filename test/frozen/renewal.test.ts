/**
 * Frozen tokens of renewal-v1 (docs/spec/renewal-v1.md). They were computed in Python with hmac, hashlib, the AES of
 * the package cryptography, and FF1 written down from SP 800-38G.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { projectTokens, token } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { keyset } from '../../src/keys.ts';
import { emailAddress } from '../../src/prepare.ts';
import { secretText } from '../reference/tree.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const ROOTS = ['', ' 2', ' 3'].map((more) => sha256(`trefoil frozen test root${more}`));

/** The keyset of three epochs, of which `primary` is the primary key. */
function lineage(primary: 1 | 2 | 3) {
  const keys = ROOTS.map((root, i) => ({
    id: `e${i + 1}`,
    ...(i + 1 === primary && { primary: true }),
    ...(i > 0 && { base: 'e1' }),
    secret: secretText(root),
  }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys, domains: { 'partner-b': { of: 'eu-enclave' } } }));
}

const VALUE = 'Ada@Example.com';
const SCOPE = { scope: 'person.email', prepare: emailAddress } as const;
const FORMS = {
  labelled: token({ ...SCOPE, label: 'mail' }),
  uuid: token({ ...SCOPE, form: 'uuid' }),
};

/** Epoch, domain, shown key id, key check, labelled token, uuid. */
const EPOCHS = [
  [
    1,
    'eu-enclave',
    's0nr0',
    'aybrrwdf0sv5jjp6',
    'mail_s0nr05ms0mtg95zaje2fzw5byxq5ez0cqbm',
    '2d320a6a-092f-8d52-9c27-ff855fbb72bb',
  ],
  [
    2,
    'eu-enclave',
    'p9t4e',
    'ebhthhcg1rb1abex',
    'mail_p9t4extvse9n9acgy9tkr01dgxs4x8cxj40',
    '1a5f6afe-b559-8c58-b10d-8a354eb7866e',
  ],
  [
    3,
    'eu-enclave',
    'wdh8w',
    'ee6dhk8egwwnnskv',
    'mail_wdh8wbsehs9ncw61nc3hwptahvt6pgwz04s',
    '77a0dba4-3a05-8825-9645-c5a4fcb63688',
  ],
  [
    1,
    'partner-b',
    'wrx8p',
    'js5htpctcfgr212v',
    'mail_wrx8p19f4hnj4hvc6fez82tbz0p0bzgr0ep',
    '757e9458-33bc-8829-9a4b-2aa49f1089f8',
  ],
  [
    2,
    'partner-b',
    '9tsat',
    '5zermfaqmvnw4km9',
    'mail_9tsatds4ax5bsx4pshe99bj4tv502bwqzrf',
    '2e4fc12e-ba9f-8cd5-802f-f567ddb88194',
  ],
] as const;

describe.each(EPOCHS)('epoch %s of %s', (epoch, domain, id, check, labelled, uuid) => {
  const keys = lineage(epoch).domain(domain);

  it('shows its key id and key check, and writes its tokens', () => {
    expect(keys.keyId).toBe(id);
    expect(keys.keyCheck[id]).toBe(check);
    expect(FORMS.labelled.bind(keys).protect(VALUE)).toBe(labelled);
    expect(FORMS.uuid.bind(keys).protect(VALUE)).toBe(uuid);
  });

  it.each(EPOCHS.filter(([, other]) => other === domain))(
    'renews the tokens of epoch %s',
    (_, __, from, ___, old, oldUuid) => {
      expect(FORMS.labelled.bind(keys).renew(old)).toBe(labelled);
      if (from !== id) expect(FORMS.uuid.bind(keys).renew(oldUuid, { from })).toBe(uuid);
    },
  );

  it('gets the tokens of the other domain', () => {
    for (const [from, other, otherId, , old, oldUuid] of EPOCHS) {
      if (other === domain) continue;
      const options = { from: lineage(from).domain(other), to: keys };
      expect(projectTokens(FORMS.labelled, options).project(old)).toBe(labelled);
      expect(projectTokens(FORMS.uuid, options).project(oldUuid, { from: otherId })).toBe(uuid);
    }
  });
});

describe('epoch 2 of eu-enclave', () => {
  const keys = lineage(2).domain('eu-enclave');

  it('has the node of the permutation of 128 bits', () => {
    const node = openKeys(keys).primary.derive('token permutation', 'person.email', ['bits', '128']);
    expect(Buffer.from(node).toString('hex')).toBe('334a3fa49047de41db8194c8ade9007dcfafbc92ef957a8faa03e7114d1e16e4');
  });

  it.each([
    ['bare', 12, 'y41p0pqkbsc9'],
    ['hex', 12, '6067df1009dc'],
    ['hex', 32, 'eeb79726a95321e4ea78005b0ee49d43'],
    ['base64url', 21, '3HUiOuP5bX6lV47lak_UI'],
    ['digits', 12, '767792883800'],
    ['digits', 38, '79807116156419607022638585274530524606'],
  ] as const)('writes %s of %s characters', (form, length, made) => {
    const rule = token({ ...SCOPE, form, length, population: 1000 });
    expect(rule.bind(keys).protect(VALUE)).toBe(made);
    expect(rule.bind(keys).protectMany([VALUE])).toEqual([made]);
  });
});
