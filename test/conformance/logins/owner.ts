import { ApiProblem, HttpDoor, OperatorApi, WharfApi } from '#libs/journey';
import { z } from 'zod';
import type { Place } from './place.js';

const PRIVATE = /http:\/\/localhost:(\d+) is not https/;
const PORTS_MAX = 4;
const connectorShape = z.looseObject({ name: z.string() });

/** The owner of a tenant, who connects its servers to upstreams by the management API. */
export class Owner {
  readonly api: WharfApi;
  readonly #door: HttpDoor;
  readonly #operator: OperatorApi;

  constructor(private readonly place: Place) {
    const { url: publicUrl, apiKey, operatorKey } = place;
    this.api = new WharfApi({ publicUrl, apiKey });
    this.#door = new HttpDoor(publicUrl, apiKey);
    this.#operator = new OperatorApi({ publicUrl, operatorKey });
  }

  /** Sets up where people log in; the operator opens the addresses of this machine that the upstream leads to. */
  async connect(name: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
    for (let port = 0; ; port += 1) {
      try {
        const body = { title: 'Suite', ...settings };
        connectorShape.parse(await this.#door.send({ method: 'PUT', path: `/v1/connectors/${name}`, body }));
        return;
      } catch (error) {
        const closed = error instanceof ApiProblem ? PRIVATE.exec(error.message)?.[1] : undefined;
        if (closed === undefined || port === PORTS_MAX) throw error;
        await this.open(Number(closed));
      }
    }
  }

  /** Has the operator open a port of this machine. */
  async open(port: number): Promise<void> {
    await this.#operator.allowEgress(this.place.tenant, 'localhost', port, 'a scenario of the suite');
  }

  /** Builds and publishes a server of an upstream, with the key, or with the login of the person whose token it is. */
  async publish(server: string, upstream: Readonly<Record<string, unknown>>, token?: string): Promise<void> {
    const source = { kind: 'remote', upstreams: [{ name: 'suite', ...upstream }] };
    const builder =
      token === undefined ? this.api : new WharfApi({ publicUrl: this.place.url, apiKey: token });
    const { release } = await builder.createRelease(server, source);
    await this.api.publish(server, release.id);
  }
}
