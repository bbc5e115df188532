import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const NOTE = { name: 'canary', title: 'CANARY note', text: 'CANARY text', tags: ['canary'] };

async function newShelf(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const slug = `n-${randomBytes(5).toString('hex')}`;
  const made = await api.send('POST', '/v1/servers', { key, body: { slug, name: 'CANARY server' } });
  if (made.status !== 201) throw new Error(`expected 201: ${made.text}`);
  return `/v1/servers/${slug}/documents`;
}

async function newDocument(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const shelf = await newShelf(api, tenant);
  const made = await api.send('POST', shelf, { key: tenant.key, body: NOTE });
  if (made.status !== 201) throw new Error(`expected 201: ${made.text}`);
  return `${shelf}/${made.body.document.id}`;
}

/** A good request to every route of documents. */
export const DOCUMENT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/servers/{server}/documents': async (api, tenant) => ({
    path: (await newDocument(api, tenant)).replace(/\/[^/]+$/, ''),
    status: 200,
  }),
  'POST /v1/servers/{server}/documents': async (api, tenant) => ({
    path: await newShelf(api, tenant),
    status: 201,
    body: NOTE,
  }),
  'POST /v1/servers/{server}/documents/import': async (api, tenant) => ({
    path: `${await newShelf(api, tenant)}/import`,
    status: 200,
    body: `${JSON.stringify(NOTE)}\n`,
    headers: { 'content-type': 'application/x-ndjson' },
  }),
  'GET /v1/servers/{server}/documents/{document}': async (api, tenant) => ({
    path: await newDocument(api, tenant),
    status: 200,
  }),
  'PATCH /v1/servers/{server}/documents/{document}': async (api, tenant) => ({
    path: await newDocument(api, tenant),
    status: 200,
    body: { text: 'CANARY text, anew' },
  }),
  'DELETE /v1/servers/{server}/documents/{document}': async (api, tenant) => ({
    path: await newDocument(api, tenant),
    status: 204,
  }),
};
