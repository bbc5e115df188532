import type { Database } from '#libs/database';
import { ApiKeys } from './api-keys.js';
import { HeldClients } from './held-clients.js';
import { HeldGrants } from './held-grants.js';
import { ServerPeople } from './server-people.js';

/** What proofs are checked against, as the database last told it. */
export function knownCredentials(database: Database, hearing: () => boolean) {
  return {
    keys: new ApiKeys(database, hearing),
    grants: new HeldGrants(database, hearing),
    clients: new HeldClients(database, hearing),
    people: new ServerPeople(database, hearing),
  };
}
