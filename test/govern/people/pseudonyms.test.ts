/**
 * Pseudonyms of people in logs (docs/spec/log-v1.md, "Pseudonyms"). Amendment 13 of the design: one person is one
 * pseudonym, whatever the epoch, the label, the form and the recipient of the token.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectPseudonyms } from '../../../src/govern/people/pseudonyms.ts';
import { projectTokens, token } from '../../../src/index.ts';
import { keyset } from '../../../src/keys.ts';
import { emailAddress } from '../../../src/prepare.ts';
import { secretText } from '../../reference/tree.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const ROOTS = ['', ' 2', ' 3'].map((more) => sha256(`trefoil frozen test root${more}`));

/** Epochs of one lineage, `primary` the one that protects. */
function lineage(primary: 1 | 2 | 3, { own = false } = {}) {
  const keys = ROOTS.map((root, i) => ({
    id: `e${i + 1}`,
    ...(i + 1 === primary && { primary: true }),
    ...(i > 0 && !own && { base: 'e1' }),
    secret: secretText(root),
  }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys, domains: { 'partner-b': { of: 'eu-enclave' } } }));
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string; name: string }).code ?? (error as Error).name;
  }
  return 'nothing was thrown';
};

const SCOPE = { scope: 'person.email', prepare: emailAddress } as const;
const FORMS = {
  labelled: token({ ...SCOPE, label: 'mail' }),
  other: token({ ...SCOPE, label: 'kunde' }),
  bare: token({ ...SCOPE }),
  hex: token({ ...SCOPE, form: 'hex' }),
  base64url: token({ ...SCOPE, form: 'base64url' }),
};

describe('the vector of the page', () => {
  it('is that of the program in Python', () => {
    const keys = lineage(1).domain('eu-enclave');
    const made = FORMS.labelled.bind(keys).protect('Ada@Example.com');
    expect(subjectPseudonyms(keys, 'person.email')(made)).toBe('e06j8ksfq9a9v5mv');
  });
});

describe('one person is one pseudonym', () => {
  const values = fc.emailAddress({ size: 'small' });

  it('in every epoch, with every label, in every form and for every recipient', () => {
    fc.assert(
      fc.property(values, (value) => {
        const seen = new Set<string>();
        for (const epoch of [1, 2, 3] as const) {
          for (const domain of ['eu-enclave', 'partner-b']) {
            const keys = lineage(epoch).domain(domain);
            const pseudonymOf = subjectPseudonyms(keys, 'person.email', { fromKey: keys.keyId });
            for (const rule of Object.values(FORMS)) seen.add(pseudonymOf(rule.bind(keys).protect(value) as string));
          }
        }
        expect(seen.size).toBe(1);
        expect([...seen][0]).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
      }),
      { numRuns: 20 },
    );
  });

  it('after a token was renewed and projected', () => {
    const [old, young] = [lineage(1).domain('eu-enclave'), lineage(3).domain('eu-enclave')];
    const first = FORMS.labelled.bind(old).protect('Ada@Example.com');
    const renewed = FORMS.labelled.bind(young).renew(first);
    const partner = lineage(3).domain('partner-b');
    const projected = projectTokens(FORMS.labelled, { from: young, to: partner }).project(renewed);
    expect(new Set([first, renewed, projected]).size).toBe(3);
    const names = [
      subjectPseudonyms(young, 'person.email')(first),
      subjectPseudonyms(young, 'person.email')(renewed),
      subjectPseudonyms(partner, 'person.email')(projected),
    ];
    expect(names).toEqual(Array(3).fill('e06j8ksfq9a9v5mv'));
  });

  it('and another one for each root key with a base of its own', () => {
    const names = ([1, 2, 3] as const).map((epoch) => {
      const keys = lineage(epoch, { own: true }).domain('eu-enclave');
      return subjectPseudonyms(keys, 'person.email')(FORMS.labelled.bind(keys).protect('Ada@Example.com'));
    });
    expect(new Set(names).size).toBe(3);
  });

  it('and another one in another scope, so a token of that scope finds nobody', () => {
    const keys = lineage(2).domain('eu-enclave');
    const made = FORMS.labelled.bind(keys).protect('Ada@Example.com');
    expect(subjectPseudonyms(keys, 'person')(made)).not.toBe(subjectPseudonyms(keys, 'person.email')(made));
  });
});

describe('what is no token of a person', () => {
  const keys = lineage(2).domain('eu-enclave');
  const pseudonymOf = subjectPseudonyms(keys, 'person.email');
  const made = FORMS.labelled.bind(keys).protect('Ada@Example.com');

  it('is refused', () => {
    const short = token({ ...SCOPE, label: 'mail', length: 20, population: 1000 })
      .bind(keys)
      .protect('Ada@Example.com');
    const uuid = token({ ...SCOPE, form: 'uuid' })
      .bind(keys)
      .protect('Ada@Example.com');
    const damaged = `${made.slice(0, -1)}${made.endsWith('0') ? '1' : '0'}`;
    for (const text of ['', 'Ada@Example.com', short, uuid, damaged, 'x'.repeat(26), 'u'.repeat(32)]) {
      expect(
        codeOf(() => pseudonymOf(text)),
        text.replace(/[a-z0-9]/g, '.'),
      ).toMatch(/^(malformed_token|epoch_required)$/);
    }
    expect(codeOf(() => pseudonymOf(4711 as unknown as string))).toBe('wrong_type');
  });

  it('is refused if it is of another keyset', () => {
    const other = FORMS.labelled.bind(keyset.generate().domain('eu-enclave')).protect('Ada@Example.com');
    expect(codeOf(() => pseudonymOf(other))).toBe('foreign_token');
  });

  it('needs the name of its key if it does not show it and there are several', () => {
    const bare = FORMS.hex.bind(keys).protect('Ada@Example.com') as string;
    expect(codeOf(() => pseudonymOf(bare))).toBe('epoch_required');
    expect(subjectPseudonyms(keys, 'person.email', { fromKey: keys.keyId })(bare)).toBe('e06j8ksfq9a9v5mv');
    expect(codeOf(() => subjectPseudonyms(keys, 'person.email', { fromKey: 'zzzzz' }))).toBe('foreign_token');
  });
});
