/** The contract over the stores that need no server. */
import { memoryStore } from 'trefoil/vault';
import { runContract } from './run-contract.ts';

runContract('memory', async () => {
  const store = memoryStore();
  return { store, again: async () => store, drop: async () => {} };
});
