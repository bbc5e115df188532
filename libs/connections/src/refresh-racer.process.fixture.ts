import { Database } from '#libs/database';
import { Secret } from '#libs/config';
import { ConnectionTokens } from './connection-tokens.js';
import { tokenMark, type ConnectionWish } from './known-login.js';

/** A process that asks for a person's token when it is told to, as a gateway does. */

/** What it is started with. */
interface Started {
  readonly databaseUrl: string;
  readonly masterKey: string;
}

const { databaseUrl, masterKey }: Started = JSON.parse(process.argv[2] ?? '');
const secret = new Secret(masterKey);
const database = await Database.connect({ databaseUrl, masterKey: secret, role: 'wharf_gateway', poolSize: 2 });
const tokens = new ConnectionTokens({ database, masterKey: secret, onTakenBack: async () => undefined });

async function take(wish: ConnectionWish & { readonly seen?: string }): Promise<void> {
  const { seen, ...asked } = wish;
  // As after the change that it hears of between two calls.
  tokens.forget('*');
  process.send?.(await tokens.find({ ...asked, refused: seen === undefined ? undefined : tokenMark(seen) }));
}

process.on('message', (wish: ConnectionWish) => void take(wish));
process.on('disconnect', () => process.exit(0));
process.send?.({ kind: 'ready' });
