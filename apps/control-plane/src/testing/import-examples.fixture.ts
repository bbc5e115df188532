import { createHash } from 'node:crypto';
import { Client } from 'pg';
import type { ControlPlane } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const REASON = 'because a test says so';
const CONTENT = Buffer.from('an archive of one part');
/** A verifier key: its name, four bytes of its hash, and the key with the byte of its kind before it. */
const SIGNED_BY = [
  `elsewhere.example+00000000+${Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7)]).toString('base64')}`,
];

const body = {
  bytes: CONTENT.length,
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
  signed_by: SIGNED_BY,
  reason: REASON,
};

/** Ends what other examples have left open: five uploads and one import are in hand at most. */
async function endOthers(api: ControlPlane): Promise<void> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(`update tenant_imports set state = 'cancelled' where state in ('uploading', 'waiting', 'failed')`);
  await owner.end();
}

/** An upload that is open, with its part or without. */
export async function openImport(api: ControlPlane, parts: 'whole' | 'empty'): Promise<string> {
  await endOthers(api);
  const made = await api.send('POST', '/admin/v1/imports', { key: api.operatorKey, body });
  if (made.status !== 201) throw new Error(made.text);
  if (parts === 'whole') {
    const put = await api.send('PUT', `/admin/v1/imports/${made.body.id}/parts/0`, { key: api.operatorKey, ...PART });
    if (put.status !== 200) throw new Error(put.text);
  }
  return made.body.id;
}

/** An import that has failed, as the background service leaves it: it can be tried again, or its archive is at fault. */
export async function failedImport(api: ControlPlane, parts: 'kept' | 'gone'): Promise<string> {
  const id = await openImport(api, 'whole');
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(
    `update tenant_imports set state = 'failed', failure = 'The slug acme is taken here; name another one.', attempts = 3,
       ended_at = now(), kept_until = case when $2 then now() + interval '3 days' end where id = $1`,
    [id, parts === 'kept'],
  );
  await owner.end();
  return id;
}

const PART = { body: CONTENT.toString(), headers: { 'content-type': 'application/octet-stream' } };

/** Good requests of operators who bring a tenant in. */
export const IMPORT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'POST /admin/v1/imports': async (api) => {
    await endOthers(api);
    return { path: '/admin/v1/imports', status: 201, body };
  },
  'GET /admin/v1/imports': () => ({ path: '/admin/v1/imports', status: 200 }),
  'GET /admin/v1/imports/{import}': async (api) => ({
    path: `/admin/v1/imports/${await openImport(api, 'empty')}`,
    status: 200,
  }),
  'PUT /admin/v1/imports/{import}/parts/{number}': async (api) => ({
    path: `/admin/v1/imports/${await openImport(api, 'empty')}/parts/0`,
    status: 200,
    ...PART,
  }),
  'POST /admin/v1/imports/{import}/begin': async (api) => ({
    path: `/admin/v1/imports/${await openImport(api, 'whole')}/begin`,
    status: 202,
    body: { secret: { kind: 'passphrase', passphrase: 'SECRET-CANARY' }, reason: REASON },
  }),
  'POST /admin/v1/imports/{import}/retry': async (api) => ({
    path: `/admin/v1/imports/${await failedImport(api, 'kept')}/retry`,
    status: 202,
    body: { slug: 'another', secret: { kind: 'passphrase', passphrase: 'SECRET-CANARY' }, reason: REASON },
  }),
  'POST /admin/v1/imports/{import}/cancel': async (api) => ({
    path: `/admin/v1/imports/${await openImport(api, 'whole')}/cancel`,
    status: 200,
    body: { reason: REASON },
  }),
};
