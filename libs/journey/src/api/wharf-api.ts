import { HttpDoor, queryOf } from './http-door.js';
import {
  apiKeysShape,
  artefactShape,
  auditPageShape,
  builtReleaseShape,
  newApiKeyShape,
  releaseAnswerShape,
  secretShape,
  serverShape,
  serversShape,
  signUpShape,
  tenantAnswerShape,
  type ApiKey,
  type AuditPage,
  type AuditRecord,
  type BuiltRelease,
  type NewApiKey,
  type Release,
  type Server,
  type SignedUp,
  type StoredSecret,
  type Tenant,
} from './shapes.js';

const PUBLISH_MS = 60_000;
const ASK_EVERY_MS = 100;
const AUDIT_PAGES_MAX = 200;

/** Who signs up. */
export interface SignUp {
  readonly tenantName: string;
  readonly slug: string;
  readonly email: string;
  readonly password: string;
}

/** Which audit records to show. */
export interface AuditFilter {
  readonly event?: string | undefined;
  readonly target?: string;
  readonly outcome?: string | undefined;
  /** The server's slug. */
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Opens a tenant. @throws ApiProblem */
export async function signUp(publicUrl: string, person: SignUp): Promise<SignedUp> {
  const { tenantName, slug, email, password } = person;
  const body = { tenant_name: tenantName, slug, email, password };
  return new HttpDoor(publicUrl).ask({ method: 'POST', path: '/v1/signup', body }, signUpShape);
}

/** The management API as a tenant's own program uses it. Every method throws ApiProblem where it is refused. */
export class WharfApi {
  readonly #door: HttpDoor;

  constructor(options: { readonly publicUrl: string; readonly apiKey: string }) {
    this.#door = new HttpDoor(options.publicUrl, options.apiKey);
  }

  async tenant(): Promise<Tenant> {
    return (await this.#door.ask({ method: 'GET', path: '/v1/tenant' }, tenantAnswerShape)).tenant;
  }

  async createServer(slug: string, name: string): Promise<Server> {
    return this.#door.ask({ method: 'POST', path: '/v1/servers', body: { slug, name } }, serverShape);
  }

  /** Lets agents call the server's tools that write, which a new server does not; they are asked for it when they want to, or at once. */
  async allowWrites(slug: string, asksFor: 'read' | 'write' = 'read'): Promise<Server> {
    const body = { writes: true, asks_for: asksFor };
    return this.#door.ask({ method: 'PATCH', path: `/v1/servers/${slug}`, body }, serverShape);
  }

  async servers(): Promise<readonly Server[]> {
    return (await this.#door.ask({ method: 'GET', path: '/v1/servers' }, serversShape)).servers;
  }

  async server(slug: string): Promise<Server> {
    return this.#door.ask({ method: 'GET', path: `/v1/servers/${slug}` }, serverShape);
  }

  /** Uploads what releases are built from; returns its digest. */
  async uploadArtefact(mediaType: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
    return (await this.#door.upload({ path: '/v1/artefacts', mediaType, content }, artefactShape)).digest;
  }

  /** Builds a release of a server from a source (`{kind: 'openapi' | 'http' | 'bundle', …}`). */
  async createRelease(server: string, source: unknown): Promise<BuiltRelease> {
    const path = `/v1/servers/${server}/releases`;
    return this.#door.ask({ method: 'POST', path, body: { source } }, builtReleaseShape);
  }

  async release(server: string, id: string): Promise<Release> {
    const path = `/v1/servers/${server}/releases/${id}`;
    return (await this.#door.ask({ method: 'GET', path }, releaseAnswerShape)).release;
  }

  /** Publishes a release and waits until it is live. @throws Error with the reason where it is rejected, or after a minute */
  async publish(server: string, releaseId: string, breaking?: 'breaking is meant'): Promise<Release> {
    const body = { acknowledge_breaking: breaking !== undefined };
    await this.#door.send({ method: 'POST', path: `/v1/servers/${server}/releases/${releaseId}/publish`, body });
    const until = performance.now() + PUBLISH_MS;
    while (performance.now() < until) {
      const release = await this.release(server, releaseId);
      if (release.state === 'live') return release;
      if (release.state !== 'publishing') {
        throw new Error(
          `Release ${release.number} of ${server} is ${release.state}: ${JSON.stringify(release.rejection)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
    throw new Error(`Release ${releaseId} of ${server} was not live within ${PUBLISH_MS} ms.`);
  }

  /** Makes the release before the live one live again. */
  async rollback(server: string): Promise<void> {
    await this.#door.send({ method: 'POST', path: `/v1/servers/${server}/rollback` });
  }

  async putSecret(name: string, value: string, environment?: string): Promise<StoredSecret> {
    const path = `/v1/secrets/${name}${queryOf({ environment })}`;
    return this.#door.ask({ method: 'PUT', path, body: { value } }, secretShape);
  }

  /** A new API key; its text is shown this once. */
  async createApiKey(name: string, scopes: readonly string[]): Promise<NewApiKey> {
    const body = { name, scopes };
    return this.#door.ask({ method: 'POST', path: '/v1/api-keys', body }, newApiKeyShape);
  }

  async apiKeys(): Promise<readonly ApiKey[]> {
    return (await this.#door.ask({ method: 'GET', path: '/v1/api-keys' }, apiKeysShape)).api_keys;
  }

  async revokeApiKey(id: string): Promise<void> {
    await this.#door.send({ method: 'DELETE', path: `/v1/api-keys/${id}` });
  }

  async auditPage(filter: AuditFilter = {}): Promise<AuditPage> {
    return this.#door.ask({ method: 'GET', path: `/v1/audit${queryOf({ ...filter })}` }, auditPageShape);
  }

  /** Every matching audit record, page by page, at most two hundred pages. */
  async audit(filter: Omit<AuditFilter, 'cursor'> = {}): Promise<readonly AuditRecord[]> {
    const records: AuditRecord[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < AUDIT_PAGES_MAX; page += 1) {
      const answer = await this.auditPage({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
      records.push(...answer.records);
      cursor = answer.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
    return records;
  }
}
