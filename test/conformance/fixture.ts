import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OperatorApi, signUp, WharfApi } from '#libs/journey';
import { bundleManifest, packBundle, type ArchiveEntry, type Wharf } from '#libs/testing';
import type { Place } from './logins/place.js';

/** Which protocol eras a variant of the suite's server speaks; the bridge speaks the others for it. */
export const ERAS = ['both', 'legacy', 'modern'] as const;

type Era = (typeof ERAS)[number];

/** A tenant with the suite's server, published once for each variant, as the suite finds it. */
export interface Fixture {
  readonly tenantUrl: string;
  /** The path of a variant's own URL. */
  readonly pathOf: (eras: Era) => string;
  readonly owner: Pick<Place, 'tenant' | 'person'> & { readonly apiKey: string };
}

const TENANT = 'acme-suite';
const MANIFEST = bundleManifest({
  user_config: {
    eras: { type: 'string', title: 'Eras', description: 'Which protocol eras it speaks.', default: 'both' },
  },
  server: {
    type: 'node',
    entry_point: 'server/index.js',
    mcp_config: {
      command: 'node',
      args: ['${__dirname}/server/index.js'],
      env: { ERAS: '${user_config.eras}' },
    },
  },
});

/** The suite's server as its bundle holds it: the compiled modules beside this one. */
function serverModules(): ArchiveEntry[] {
  const folder = fileURLToPath(new URL('server/', import.meta.url));
  const modules = readdirSync(folder).filter((name) => name.endsWith('.js'));
  const packed = modules.map((name) => ({ name: `server/${name}`, content: readFileSync(folder + name) }));
  return [{ name: 'server/package.json', content: '{"type":"module"}' }, ...packed];
}

/** Signs up and publishes the suite's server, an MCP bundle, as an ordinary tenant does. */
export async function publishFixture(wharf: Wharf, variants: readonly Era[] = ERAS): Promise<Fixture> {
  const person = { email: 'owner@conformance.example', password: 'correct horse battery staple' };
  const signedUp = await signUp(wharf.url, { tenantName: 'Conformance', slug: TENANT, ...person });
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: signedUp.api_key.text });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.setPlan(TENANT, 'scale', 'the suite makes more calls in a minute than a free tenant may');
  const archive = packBundle(serverModules(), MANIFEST);
  const artefact = await api.uploadArtefact('application/zip', new Uint8Array(archive));
  for (const eras of variants) {
    await api.createServer(eras, `Speaks ${eras}`);
    await api.allowWrites(eras);
    const { release } = await api.createRelease(eras, { kind: 'bundle', artefact, config: { eras } });
    await api.publish(eras, release.id);
  }
  return {
    tenantUrl: `${wharf.url}/t/${TENANT}/mcp`,
    pathOf: (eras) => `/t/${TENANT}/${eras}/mcp`,
    owner: { tenant: TENANT, apiKey: signedUp.api_key.text, person },
  };
}
