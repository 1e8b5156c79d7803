// Appends three entries to a small log in the folder `log`, signed with the key in `log.key`. The first run makes it.
import { existsSync, readFileSync } from 'node:fs';
import { noteSigner, openLog } from 'trefoil/log';
import { logFolder } from 'trefoil/node';

const signer = noteSigner(readFileSync('log.key', 'utf8'));
const store = logFolder('log', { head: 'head' });
const log = await openLog(store, { signer, create: !existsSync('head') });
await log.append({ kind: 'start', host: 'gateway-1', boot: '0123456789abcdef0123456789abcdef' });
await log.append({ kind: 'beat' });
const { index } = await log.append({ kind: 'beat' });
await log.close();
console.log(`the log has ${index + 1} entries`);
