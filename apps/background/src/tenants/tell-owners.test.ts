import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { pino } from 'pino';
import type { z } from 'zod';
import { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { enqueue, tellOwnersJob } from '#libs/jobs';
import { createLogger, type Logger } from '#libs/telemetry';
import { testHomes, type TestHomes } from '#libs/testing';
import { JobRunner } from '../jobs/job-runner.js';
import { MailRelay } from '../mail/mail-relay.js';
import { smtpTransport } from '../mail/mail-transport.js';
import { startSmtp } from '../mail/smtp.fixture.js';
import { TellOwners } from './tell-owners.js';

const logger = createLogger('background', 'silent');

let homes: TestHomes;
let background: Database;
let control: Database;
let owner: Client;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  homes = await testHomes();
  const { common, dedicated } = homes;
  [background, control] = (await Promise.all(
    (['wharf_background', 'wharf_control'] as const).map((role) => Database.connect({ ...common, dedicated, role })),
  )) as [Database, Database]; // one for each role
  owner = new Client({ connectionString: common.databaseUrl });
  await owner.connect();
  smtp = await startSmtp();
});

afterAll(async () => {
  smtp?.close();
  await Promise.all([background.close(), control.close(), owner.end()]);
  await homes.drop();
});

/** A tenant with two owners, of whom one has proved their address, and an admin. */
async function newTenant(slug: string): Promise<string> {
  const tenantId = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, slug]);
  for (const [name, role, proved] of [
    ['ana', 'owner', true],
    ['olaf', 'owner', false],
    ['adam', 'admin', true],
  ] as const) {
    const id = newId();
    await owner.query(
      `insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, 'x', case when $3 then now() end)`,
      [id, `${name}@${slug}.test`, proved],
    );
    await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, $3)`, [tenantId, id, role]);
  }
  return tenantId;
}

type Told = Omit<z.input<typeof tellOwnersJob.payload>, 'tenantId'>;

/** Has a job for the tenant done, as its queue does. */
async function tell(tenantId: string, told: Told, log: Logger = logger): Promise<string> {
  const id = await control.asTenant(tenantId, (tx) => enqueue(tx, tenantId, tellOwnersJob, { tenantId, ...told }));
  const runner = new JobRunner(background, [new TellOwners(background, homes.common.masterKey, log)], log);
  return (await runner.run({ tenantId, id }, 'more-left')).outcome;
}

/** Sends what waits, now; every mail that arrived, by address. */
async function sent(): Promise<Array<readonly [to: string, mail: string]>> {
  smtp.messages.length = 0;
  const transport = smtpTransport(new Secret(`smtp://127.0.0.1:${smtp.port}`), 'w@w.test');
  const relay = new MailRelay(background, homes.common.masterKey, transport, logger);
  await owner.query(`update mail_outbox set due_at = now()`);
  await relay.relay().finally(() => transport.close());
  return smtp.messages
    .map((mail) => [/^To: (.*)$/m.exec(mail)?.[1] ?? '', plain(mail)] as const)
    .sort(([one], [other]) => one.localeCompare(other));
}

/** A mail without its soft line breaks (RFC 2045 §6.7). */
function plain(mail: string): string {
  return mail.replaceAll('=\n', '');
}

test('the owners of the tenant, and nobody else, are told of a suspension, also by a mail server that was away', async () => {
  const [mine] = [await newTenant('acme'), await newTenant('canary-b')];
  expect(await tell(mine, { news: { kind: 'suspended' }, reason: 'spam reports', contact: 'help@platform.test' })).toBe(
    'done',
  );
  smtp.refuse = true;
  expect(await sent()).toEqual([]);
  smtp.refuse = false;
  const mails = await sent();
  expect(mails.map(([to]) => to)).toEqual(['ana@acme.test', 'olaf@acme.test']);
  for (const [, mail] of mails) {
    expect(mail).toContain('Subject: acme is suspended at Wharf');
    expect(mail).toContain('They say why: spam reports');
    expect(mail).toContain('Questions: help@platform.test');
  }
  expect(await sent()).toEqual([]);
});

test.each<[Told['news'], string, string]>([
  [{ kind: 'resumed' }, 'works again at Wharf', 'answer again'],
  [
    { kind: 'deletion_requested', by: 'operator', due_at: '2031-02-03T04:05:06.000Z' },
    'is to be deleted at Wharf',
    'deleted on 2031-02-03 04:05 UTC. Only they can take it back.',
  ],
  [
    { kind: 'deletion_requested', by: 'owner', due_at: '2031-02-03T04:05:06.000Z' },
    'is to be deleted at Wharf',
    'Until then an owner can take it back',
  ],
  [
    { kind: 'deletion_requested', by: 'owner', due_at: '2031-02-03T04:05:06.000Z', often: true },
    'is to be deleted at Wharf',
    'no mail may tell you when it is taken back',
  ],
  [{ kind: 'restored' }, 'is not deleted at Wharf', 'was taken back'],
])('says what has become of the tenant, without a reason that nobody wants told: %j', async (news, subject, says) => {
  const tenantId = await newTenant(`t-${newId()}`);
  expect(await tell(tenantId, { news })).toBe('done');
  const mails = await sent();
  expect(mails).toHaveLength(2);
  for (const [, mail] of mails) {
    expect(mail).toContain(subject);
    expect(mail).toContain(says);
    expect(mail).not.toContain('They say why');
  }
});

test('owners are told also where their tenant has a database of its own', async () => {
  const tenantId = await newTenant('apart');
  await homes.settle(tenantId);
  expect(await tell(tenantId, { news: { kind: 'suspended' } })).toBe('done');
  expect((await sent()).map(([to]) => to)).toEqual(['ana@apart.test', 'olaf@apart.test']);
});

test('who has no address is counted, and named nowhere', async () => {
  const tenantId = await newTenant('by-provider');
  const id = newId();
  await owner.query(`insert into accounts (id, home_tenant_id, asserted_email) values ($1, $2, 'pia@idp.test')`, [
    id,
    tenantId,
  ]);
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [tenantId, id]);
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
  expect(await tell(tenantId, { news: { kind: 'suspended' } }, log)).toBe('done');
  expect((await sent()).map(([to]) => to)).toEqual(['ana@by-provider.test', 'olaf@by-provider.test']);
  const said = lines.map((line): Record<string, unknown> => JSON.parse(line)).filter((line) => 'untold' in line);
  expect(said).toMatchObject([{ tenant_id: tenantId, untold: 1 }]);
  expect(lines.join('')).not.toMatch(/@|pia/);
});

test('that a tenant is to be deleted is said also when its people are gone before the mail is sent', async () => {
  const tenantId = await newTenant('gone');
  const about = async (news: Told['news']) => {
    await tell(tenantId, { news });
    const { rows } = await owner.query(
      `delete from mail_outbox returning exists (select from accounts a where a.id = account_id) as goes_with_account`,
    );
    return rows.map((row) => row.goes_with_account);
  };
  const asked = { kind: 'deletion_requested', by: 'operator', due_at: '2031-02-03T04:05:06.000Z' } as const;
  expect(await about(asked)).toEqual([false, false]);
  expect(await about({ kind: 'suspended' })).toEqual([true, true]);
});

test('the background service reads nothing of an account but its address', async () => {
  const tenantId = await newTenant('mine');
  const read = (what: string) => background.asTenant(tenantId, (tx) => tx.query(`select ${what} from accounts`));
  await expect(read('id, email')).resolves.toBeDefined();
  for (const what of ['*', 'password_hash', 'asserted_email', 'email_verified_at'])
    await expect(read(what)).rejects.toThrow('permission denied');
});
