/** Fields that the tests of policies share, and a record that has a value for each. */
import { coarsen, drop, each, keep, mask, token } from '../../src/index.ts';

/** Fields whose rules need no key. */
export const WITHOUT_KEY = {
  born: coarsen({ date: 'month' }),
  spent: coarsen({ number: 10 }),
  phone: mask({ last: 3 }),
  city: keep,
};

export const ID = token({ scope: 'person', label: 'cust' });

/** Fields that can go to a recipient as they are. */
export const TRAVELLING = {
  id: ID,
  code: token({ scope: 'person', form: 'uuid' }),
  ...WITHOUT_KEY,
  items: each({ sku: keep, by: ID }),
};

/** The same with a field that is left out. */
export const WITH_NOTES = { ...TRAVELLING, notes: drop };

export const ROW = {
  id: 'ada',
  code: 'ada',
  born: '1984-03-12',
  spent: 17,
  phone: '+47 22 22 55 55',
  city: 'Oslo',
  items: [
    { sku: 'A1', by: 'ada' },
    { sku: 'B2', by: null },
  ],
};
