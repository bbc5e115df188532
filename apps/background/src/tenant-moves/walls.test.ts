import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, urlForRole, type DatabaseRole } from '#libs/database';
import { testHomes, type TestHomes } from '#libs/testing';
import { Client } from 'pg';

/** What the roles that move tenants, and ask for moves, can do with their passwords alone. */
let homes: TestHomes;
const clients: Client[] = [];
let owner: Client;
const account = newId();
const operator = newId();

beforeAll(async () => {
  homes = await testHomes();
  owner = await connect(homes.common.databaseUrl);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'hash')`, [account]);
  await owner.query(`insert into operators (id, name, key_hash) values ($1, 'o', 'key')`, [operator]);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await homes?.drop();
});

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  clients.push(client);
  await client.connect();
  return client;
}

const as = (role: DatabaseRole, where: 'common' | 'own') =>
  connect(urlForRole(homes[where].databaseUrl, role, homes.common.masterKey));

const REFUSED: ReadonlyArray<readonly [string, string]> = [
  ['another address of an account', `update accounts set email = 'b@example.com' where email = 'a@example.com'`],
  ['another password of one', `update accounts set password_hash = 'known' where email = 'a@example.com'`],
  [
    'an account with a password',
    `insert into accounts (id, email, password_hash) values ('${newId()}', 'c@example.com', 'known')`,
  ],
  ['an operator', `insert into operators (id, name) values ('${newId()}', 'me')`],
  ['an operator with a key', `insert into operators (id, name, key_hash) values ('${newId()}', 'me', 'known')`],
  ['another name of an operator', `update operators set name = 'me'`],
  ['another limit of a plan', `update plans set servers_max = 1000`],
  ['the hash of a password', `select password_hash from accounts`],
  ['the hash of an operator’s key', `select key_hash from operators`],
  [
    'an act of an operator',
    `insert into operator_actions (operator_id, action, reason) values ('${operator}', 'a', 'r')`,
  ],
  [
    'a move of its own',
    `insert into tenant_moves (id, tenant_id, from_database, reason) values ('${newId()}', '${newId()}', 'own', 'r')`,
  ],
  ['another way of a move', `update tenant_moves set to_database = 'own'`],
];

test.each(REFUSED)('who moves tenants may not write or read in the common database: %s', async (_what, sql) => {
  const mover = await as('wharf_mover', 'common');
  await expect(mover.query(sql)).rejects.toMatchObject({ code: '42501' });
});

test('in a database of tenants’ own it keeps the copies that their rows refer to', async () => {
  const mover = await as('wharf_mover', 'own');
  await mover.query(`insert into operators (id, name) values ($1, 'o')`, [operator]);
  await mover.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'copied')`, [
    account,
  ]);
  await mover.query(`update accounts set email_verified_at = now() where id = $1`, [account]);
  await mover.query(`update plans set servers_max = 1000 where name = 'free'`);
});

const move = (columns: string, values: string) =>
  `insert into tenant_moves (id, tenant_id, from_database, reason${columns}) values ('${newId()}', '${newId()}', 'own', 'r'${values})`;

test('who deletes tenants asks them back to the common database, in no operator’s name, and nowhere else', async () => {
  const lifeCycle = await as('wharf_life_cycle', 'common');
  for (const sql of [
    move(', to_database', `, 'another'`),
    move(', requested_by', `, '${operator}'`),
    move(', state', `, 'compared'`),
  ])
    await expect(lifeCycle.query(sql)).rejects.toMatchObject({ code: '42501' });
  await lifeCycle.query(move('', ''));
  const { rows } = await owner.query(`select to_database, requested_by, state from tenant_moves`);
  expect(rows).toEqual([{ to_database: null, requested_by: null, state: 'waiting' }]);
});

test('operators’ service asks for moves, and says of none that it was made', async () => {
  const service = await as('wharf_operator', 'common');
  await expect(service.query(move(', state', `, 'compared'`))).rejects.toMatchObject({ code: '42501' });
  await service.query(move(', requested_by', `, '${operator}'`));
});
