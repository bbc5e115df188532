import { createHash } from 'node:crypto';
import { ImageError } from './image-error.js';
import { isDigest, locationOf } from './reference.js';

const ANSWER_MS = 30_000;
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
/** The API of the registry that names without one mean is at another host than its name says. */
const API_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };
/** An index names the manifest of each kind of machine: its digest is right on all of them. */
const KINDS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** How a registry is reached; tests have one of their own on this machine. */
export interface RegistryOptions {
  /** Of a registry's name; HTTPS at its host where this says nothing. */
  readonly urlOf?: (registry: string) => string;
}

/**
 * Asks a registry which manifest a tag stands for now, by the OCI distribution specification, as nobody in particular. The
 * digest is worked out of what was sent, so that it is true whatever the registry says of it.
 * @throws ImageError when the registry cannot be reached, does not have it, or sends something else
 */
export async function resolveDigest(name: string, tag: string, options: RegistryOptions = {}): Promise<string> {
  const { registry, repository } = locationOf(name);
  const url = options.urlOf?.(registry) ?? `https://${API_HOSTS[registry] ?? registry}`;
  const where = `${url}/v2/${repository}/manifests/${tag}`;
  const first = await ask(where, name);
  const answer = first.status === 401 ? await ask(where, name, await tokenFor(first, name)) : first;
  if (answer.status === 404) throw new ImageError(`${registry} has no ${name}:${tag}; check the name and the version.`);
  if (!answer.ok) throw new ImageError(`${registry} answered ${answer.status} about ${name}:${tag}; try again later.`);
  const manifest = await readBounded(answer, name);
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  const said = answer.headers.get('docker-content-digest');
  if (isDigest(said ?? undefined) && said !== digest)
    throw new ImageError(`${registry} sent another manifest of ${name}:${tag} (${digest}) than it says (${said}).`);
  return digest;
}

async function ask(where: string, name: string, token?: string): Promise<Response> {
  const headers = { accept: KINDS, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  try {
    return await fetch(where, { headers, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    throw new ImageError(
      `The registry of ${name} cannot be reached at ${new URL(where).host}; run this where it can be, nothing was changed.`,
      { cause: error },
    );
  }
}

/** What a registry that wants a token even of everybody says: where to get one, and for what. */
async function tokenFor(refused: Response, name: string): Promise<string> {
  await refused.body?.cancel();
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const told = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]));
  const realm = URL.parse(told.get('realm') ?? '');
  if (!/^bearer /i.test(challenge) || realm === null)
    throw new ImageError(
      `The registry of ${name} wants a login that this does not know; only public images are pinned.`,
    );
  for (const key of ['service', 'scope']) {
    const value = told.get(key);
    if (value !== undefined) realm.searchParams.set(key, value);
  }
  const answer = await ask(realm.href, name);
  if (!answer.ok) throw new ImageError(`${realm.host} gives no token for ${name} (${answer.status}); try again later.`);
  const body: unknown = JSON.parse((await readBounded(answer, name)).toString('utf8'));
  const given = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const token: unknown = given.find(([key]) => key === 'token' || key === 'access_token')?.[1];
  if (typeof token !== 'string') throw new ImageError(`${realm.host} gives no token for ${name}; try again later.`);
  return token;
}

async function readBounded(answer: Response, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MANIFEST_BYTES_MAX)
      throw new ImageError(`The registry of ${name} sends more than ${MANIFEST_BYTES_MAX} bytes; that is no manifest.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
