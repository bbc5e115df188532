import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { encrypt } from '#libs/secrets';
import { newExportKey } from '#libs/tenant-archive';
import { ImportStage, type Forged } from './import-stage.fixture.js';

let stage: ImportStage;

beforeAll(async () => {
  stage = await ImportStage.open();
});

afterAll(() => stage?.close());

const lines = (name: string, text: string): Forged => ({
  texts: { [`tables/${name}.ndjson`]: text },
  manifest: (manifest) => ({ ...manifest, tables: [...manifest.tables, name] }),
});

test.each<[string, Forged, RegExp]>([
  [
    'a line that is longer than any row',
    lines('policies', 'x'.repeat(9_000_000)),
    /policies\.ndjson holds a line of more/,
  ],
  ['a line that is no JSON', lines('policies', '{"tenant_id":'), /policies\.ndjson holds a line that is no row/],
  ['a row of another kind', lines('usage_months', '{"tenant_id":"no id"}'), /usage_months\.ndjson holds a row that/],
  [
    'use of less than nothing',
    lines('usage_months', '{"calls":-9}'),
    /usage_months\.ndjson holds a calls of less than/,
  ],
  [
    'files that come to more than a disk holds',
    { manifest: (said) => ({ ...said, files: said.files.map((file) => ({ ...file, bytes: 2 ** 40 })) }) },
    /come to more than/,
  ],
  [
    'a file that unpacks to more than it says',
    {
      texts: { [`blobs/${'0'.repeat(64)}`]: '0'.repeat(30_000_000) },
      manifest: (said) => ({
        ...said,
        files: said.files.map((file) => ({ ...file, bytes: Math.min(file.bytes, 500) })),
      }),
    },
    /blobs\/0+ is not as it was written/,
  ],
  [
    'a path that leads out',
    {
      texts: { 'blobs/aaaaaaaa': 'x' },
      bytes: (whole) => Buffer.from(whole.toString('latin1').replaceAll('blobs/aaaaaaaa', '../../etc/pass'), 'latin1'),
    },
    /cannot be read.*Use another copy/,
  ],
  [
    'a table that is nobody’s to bring',
    { manifest: (said) => ({ ...said, tables: [...said.tables, 'legal_holds', 'accounts'] }) },
    /tables that no tenant has here: legal_holds, accounts/,
  ],
  [
    'secrets that it says it has none of',
    lines('secrets', ''),
    /secrets are left out, and holds tables\/secrets\.ndjson/,
  ],
])('an archive with %s is refused in a sentence that names it, and nothing is changed', async (_, forged, sentence) => {
  const before = await stage.countIn('tenants');
  await expect(stage.imported(newId(), {}, forged)).rejects.toThrow(sentence);
  expect(await stage.countIn('tenants')).toBe(before);
});

test('what is sealed under keys that did not come along keeps an archive out', async () => {
  const [tenantId, keyId] = [newId(), newId()];
  const { key, envelope } = await newExportKey({ kind: 'passphrase', passphrase: 'a long passphrase' });
  const dataKey = (under: Uint8Array) => ({
    tenant_id: tenantId,
    id: keyId,
    sealed: encrypt(under, Buffer.alloc(32, 3), `moved-data-key|${tenantId}|${keyId}`).toString('base64'),
    created_at: new Date().toISOString(),
  });
  const foreign = encrypt(Buffer.alloc(32, 4), Buffer.from('v'), `tenant|${tenantId}|secret|s|1`);
  const secret = {
    tenant_id: tenantId,
    name: 's',
    version: 1,
    data_key_id: keyId,
    ciphertext: `\\x${foreign.toString('hex')}`,
  };
  const opening: Forged = { manifest: (said) => ({ ...said, key: envelope }), secret: 'a long passphrase' };
  const elsewhere = { data_keys: [dataKey(Buffer.alloc(32, 5))] };
  await expect(stage.imported(tenantId, elsewhere, opening)).rejects.toThrow(
    /data_keys\.ndjson holds something that is not sealed/,
  );
  const sealed = { data_keys: [dataKey(key)], secrets: [secret] };
  await expect(stage.imported(tenantId, sealed, opening)).rejects.toThrow(
    /secrets\.ndjson holds something that is not sealed/,
  );
  await expect(stage.imported(tenantId, { data_keys: [dataKey(key)] }, opening)).resolves.toMatchObject({ tenantId });
});

test('neither its plan nor what an operator switched elsewhere is believed of an archive', async () => {
  const tenantId = newId();
  const flag = { tenant_id: tenantId, flag: 'sse_transport', enabled: true, reason: 'elsewhere' };
  await stage.imported(tenantId, {
    tenants: [{ id: tenantId, slug: 'believed', name: 'Moved', plan: 'scale' }],
    tenant_feature_flags: [
      { ...flag, decided_by: 'operator' },
      { ...flag, decided_by: 'tenant' },
    ],
  });
  const { rows } = await stage.owner.query(
    `select t.plan, array_agg(f.decided_by) as decided from tenants t join tenant_feature_flags f on f.tenant_id = t.id
     where t.id = $1 group by 1`,
    [tenantId],
  );
  expect(rows).toEqual([{ plan: 'free', decided: ['tenant'] }]);
});
