/** What `explain` says of recipients, held against what the keys do. */
import { describe, expect, it } from 'vitest';
import { drop, keep, keyset, policy, projectTokens, shiftDate, token } from '../../src/index.ts';
import { addDomain, addKey, promoteKey } from '../../src/keys.ts';
import { explain } from '../../src/policy.ts';

const fields = {
  id: token({ scope: 'person', label: 'cust' }),
  mail: token({ scope: 'person.email' }),
  born: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
  city: keep,
  notes: drop,
};
const ours = policy(fields, { domain: 'eu' });
const theirs = policy(fields, { domain: 'partner-b' });
const withRecipients = (first: ReturnType<typeof keyset.generate>) =>
  addDomain(addDomain(first, 'partner-b', { of: 'eu' }), 'partner-c', { of: 'eu' });
const renewable = withRecipients(keyset.generate({ renewable: true }));
const single = withRecipients(keyset.generate());

const section = (page: string) => page.split('\n## Recipients, and who can link\n')[1]!.split('\n## ')[0]!;

describe('the section about recipients', () => {
  it('names who has other tokens of the same people, in the page of the parent and of a recipient', () => {
    const parent = section(explain(ours, { keyset: renewable }));
    expect(parent).toContain('are given of `id`, `mail`: `partner-b`, `partner-c`');
    expect(parent).toContain('by what is alike in their copies: `city`, the order of rows');
    expect(parent).toContain('another number of days in each of these domains: `born`');
    const child = section(explain(theirs, { keyset: renewable }));
    expect(child).toContain('this domain is a recipient of `eu`');
    expect(child).toContain('have other tokens of the same people: `partner-c`');
    expect(child).not.toContain('`partner-b`');
  });

  it('says who can link, and with a base that also protects, that the parent can be linked, too', () => {
    const closed = section(explain(ours, { keyset: renewable }));
    const open = section(explain(ours, { keyset: single }));
    for (const text of [closed, open]) {
      expect(text).toContain('who can link them: anyone who has the keys that `trefoil project` needs');
      expect(text).toContain('with every context and period (`per`)');
      expect(text).toContain('anyone who may choose the rows that are projected');
    }
    const warning = `the root key \`${single.primary}\` is a base that also makes or made tokens of \`eu\``;
    expect(open).toContain(warning);
    expect(closed).not.toContain('is a base that also');
    // A later key over the same base does not change that.
    const later = addKey(single);
    const promoted = promoteKey(later, later.ids.find((id) => id !== single.primary)!);
    expect(section(explain(ours, { keyset: promoted }))).toContain(warning);
    expect(section(explain(theirs, { keyset: promoted }))).toContain(warning);
  });

  it('is true: project links the domains that it names, and a domain that it does not name has no link', () => {
    const rule = fields.id;
    const [eu, b, c] = ['eu', 'partner-b', 'partner-c'].map((name) => renewable.domain(name));
    const made = rule.bind(eu!).protect(7);
    expect(projectTokens(rule, { from: eu!, to: b! }).project(made)).toBe(rule.bind(b!).protect(7));
    expect(projectTokens(rule, { from: b!, to: c! }).project(rule.bind(b!).protect(7))).toBe(rule.bind(c!).protect(7));
    expect(() => projectTokens(rule, { from: eu!, to: renewable.domain('us') })).toThrow(/no common base/);
    const us = policy({ id: rule }, { domain: 'us' });
    expect(section(explain(us, { keyset: renewable }))).toContain('None: in the key file no domain is a recipient');
  });

  it('says that it does not know them without a key file or a domain, and that there is nothing without tokens', () => {
    expect(section(explain(ours))).toContain('This page was written without the key file');
    expect(section(explain(policy(fields), { keyset: renewable }))).toContain('was written without a domain');
    expect(section(explain(policy({ city: keep }), { keyset: renewable }))).toContain('None: no field has tokens');
  });

  it('several policies: the page about all of them says which domain is a recipient', () => {
    const text = explain([ours, theirs], { names: ['a.yaml', 'b.yaml'], keyset: renewable });
    expect(text).toContain('- `a.yaml`: domain `eu`\n- `b.yaml`: domain `partner-b`, a recipient of `eu`\n');
    expect(() => explain(ours, { keyset: {} as never })).toThrow(TypeError);
  });
});
