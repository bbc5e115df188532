import { ApiProblem, HttpDoor, OperatorApi, WharfApi } from '#libs/journey';
import { z } from 'zod';
import type { Context, Place } from './place.js';

const CLOSED = /http:\/\/localhost:(\d+) is not https/;
const PORTS_MAX = 4;
const SECRET = 'suite-client';
const DOCUMENT = 'https://conformance-test.local/client-metadata.json';

/** The owner of a tenant, who connects its server to upstreams by the management API. */
export class Owner {
  readonly #api: WharfApi;
  readonly #door: HttpDoor;
  readonly #operator: OperatorApi;

  constructor(private readonly place: Place) {
    const { url: publicUrl, management: apiKey, operatorKey } = place;
    this.#api = new WharfApi({ publicUrl, apiKey });
    this.#door = new HttpDoor(publicUrl, apiKey);
    this.#operator = new OperatorApi({ publicUrl, operatorKey });
  }

  /** Sets up where people log in; the operator opens the addresses of this machine that the upstream leads to. */
  async connect(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const path = `/v1/connectors/${this.place.connector}`;
    for (let port = 0; ; port += 1) {
      try {
        await this.#door.send({ method: 'PUT', path, body: { title: 'Suite', ...settings } });
        return;
      } catch (error) {
        const closed = error instanceof ApiProblem ? CLOSED.exec(error.message)?.[1] : undefined;
        if (closed === undefined || port === PORTS_MAX) throw error;
        await this.open(Number(closed));
      }
    }
  }

  /** Forgets where people log in, and what they hold there; where there is nothing to forget, nothing happens. */
  async disconnect(): Promise<void> {
    const path = `/v1/connectors/${this.place.connector}`;
    await this.#door.send({ method: 'DELETE', path }).catch((error: unknown) => {
      if (!(error instanceof ApiProblem && error.status === 404)) throw error;
    });
  }

  /** Has the operator open a port of this machine. */
  async open(port: number): Promise<void> {
    await this.#operator.allowEgress(this.place.tenant, 'localhost', port, 'a scenario of the suite');
  }

  /**
   * The client that a scenario has registered beforehand, its secret kept by the platform; or the only document that the
   * suite takes for a client's, as that of a client which the tenant describes itself. The document that the platform
   * gives out is at an address of each connector, and at https alone.
   */
  async givenClient({ name, client_id: id, client_secret: value }: Context): Promise<object> {
    if (name === 'auth/basic-cimd') return { client: { id: DOCUMENT } };
    if (id === undefined || value === undefined) return {};
    await this.#api.putSecret(SECRET, value);
    return { client: { id, secret: SECRET, method: 'basic' } };
  }

  /** How the server's own client obtains tokens for an upstream, as its owner has read it there. */
  async credentialsFor(url: string, context: Context): Promise<object> {
    const { client_id: clientId, client_secret: secret = '', private_key_pem: key } = context;
    const { origin, pathname } = new URL(url);
    const resource = await readDocument(`${origin}/.well-known/oauth-protected-resource${pathname}`);
    const issuer = z
      .object({ authorization_servers: z.array(z.string()).min(1) })
      .parse(resource).authorization_servers;
    const server = await readDocument(`${issuer[0]}/.well-known/oauth-authorization-server`);
    const { token_endpoint: tokenUrl } = z.object({ token_endpoint: z.url() }).parse(server);
    await this.open(Number(new URL(tokenUrl).port));
    await this.#api.putSecret(SECRET, key?.trim().replaceAll('\n', '\\n') ?? secret);
    const credentials = { kind: 'client_credentials', tokenUrl, clientId, secret: SECRET };
    return key === undefined ? credentials : { ...credentials, method: 'private_key_jwt', audience: issuer[0] };
  }

  /** Publishes the server with an upstream in place of the one before, built with the login of the owner. */
  async publish(upstream: Readonly<Record<string, unknown>>): Promise<void> {
    const { server } = this.place;
    const source = { kind: 'remote', upstreams: [{ name: 'suite', ...upstream }] };
    const { release } = await this.#api.createRelease(server, source);
    await this.#api.publish(server, release.id, 'breaking is meant');
  }
}

async function readDocument(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}
