import { pickRuntime, routeKey, type Served } from '#libs/protocol';

/** A runtime as one gateway sees it: by its address, and by the calls and streams that this gateway has open there. */
interface Place {
  readonly name: string;
  readonly at: number;
  open: number;
  readonly ofTenants: Map<string, number>;
  openOf(tenantId: string): number;
}

/** A gateway, and the runtimes that it has a connection to. */
interface Gateway {
  places: Place[];
  sessions: number;
}

/** A session: whose it is, at which gateway its stream is, and in which runtime its worker. */
interface Session {
  readonly tenant: number;
  gateway: number;
  runtime: number;
}

/** What a fleet has to carry at one time. */
export interface Spread {
  readonly gateways: number;
  readonly runtimes: number;
  /** Open between gateways and runtimes. */
  readonly connections: number;
  readonly workers: number;
  readonly workersOfBusiest: number;
  readonly sessionsOfBusiestGateway: number;
  /** Streams on the connection that has most of them. */
  readonly streamsOfBusiestConnection: number;
}

/**
 * Gateways and runtimes without the machines beneath them: sessions come to gateways as a balancer deals them out by their ids, each
 * gateway chooses their runtimes by the product's own code and by what it has open itself, and they stay there until their runtime is
 * lost. Every session has its stream open, which is the most that can be open.
 */
export class Fleet {
  readonly #gateways = new Map<number, Gateway>();
  #runtimes: number[] = [];
  readonly #sessions: Session[] = [];
  readonly #tenants: readonly Served[];
  readonly #random: () => number;
  #next = 0;
  /** The gateways there are, as a list; undefined since one came or went. */
  #arrivals: ReadonlyArray<readonly [number, Gateway]> | undefined;

  /** `seed`: the same one gives the same fleet. */
  constructor({ gateways, runtimes, tenants }: { gateways: number; runtimes: number; tenants: number }, seed: number) {
    this.#random = randomFrom(seed);
    this.#tenants = Array.from({ length: tenants }, (_, tenant) => {
      const mount = { serverSlug: 's', releaseId: `${tenant}`, digest: `${tenant}`, prefix: '' };
      return { tenantId: `tenant-${tenant}`, key: routeKey(`tenant-${tenant}`, [mount]) };
    });
    for (let made = 0; made < runtimes; made += 1) this.addRuntime();
    for (let made = 0; made < gateways; made += 1) this.addGateway();
  }

  /** Opens so many sessions of a tenant, wherever the balancer sends them. */
  open(tenant: number, count: number): void {
    for (let opened = 0; opened < count; opened += 1) {
      const session = { tenant, gateway: -1, runtime: -1 };
      this.#sessions.push(session);
      this.#place(session);
    }
  }

  /** One more, to which every gateway connects; nothing moves there by itself. */
  addRuntime(): void {
    const at = this.#next;
    this.#next += 1;
    this.#runtimes.push(at);
    for (const { places } of this.#gateways.values()) places.push(placeOf(at));
  }

  addGateway(): void {
    this.#arrivals = undefined;
    this.#gateways.set(this.#next, { places: this.#runtimes.map(placeOf), sessions: 0 });
    this.#next += 1;
  }

  /** One goes without warning: its sessions are begun anew, wherever the balancer sends them. Returns which one. */
  loseRuntime(): number {
    const lost = this.#runtimes.shift() ?? -1;
    for (const gateway of this.#gateways.values()) gateway.places = gateway.places.filter(({ at }) => at !== lost);
    for (const session of this.#sessions.filter(({ runtime }) => runtime === lost)) {
      const gateway = this.#gateways.get(session.gateway);
      if (gateway !== undefined) gateway.sessions -= 1;
      this.#place(session);
    }
    return lost;
  }

  /** One goes without warning: its sessions go on through the others, in the runtimes where they are. */
  loseGateway(): void {
    const [lost = -1] = this.#gateways.keys();
    this.#arrivals = undefined;
    this.#gateways.delete(lost);
    const left = this.#sessions.filter(({ gateway }) => gateway === lost);
    for (const session of left) {
      const [gateway, { places }] = this.#arrive();
      session.gateway = gateway;
      const place = places.find(({ at }) => at === session.runtime);
      if (place !== undefined) openAt(place, this.#tenants[session.tenant]);
    }
  }

  /** Where the worker of each tenant is started that has none, while nothing else is open. */
  homes(): ReadonlyArray<number | undefined> {
    const idle = this.#runtimes.map(placeOf);
    return this.#tenants.map((tenant) => pickRuntime(idle, tenant)?.at);
  }

  spread(): Spread {
    const workers = new Map(this.#runtimes.map((at) => [at, new Set<number>()]));
    for (const { tenant, runtime } of this.#sessions) workers.get(runtime)?.add(tenant);
    const counts = [...workers.values()].map(({ size }) => size);
    const gateways = [...this.#gateways.values()];
    return {
      gateways: gateways.length,
      runtimes: this.#runtimes.length,
      connections: gateways.reduce((sum, { places }) => sum + places.length, 0),
      workers: counts.reduce((sum, count) => sum + count, 0),
      workersOfBusiest: Math.max(...counts),
      sessionsOfBusiestGateway: Math.max(...gateways.map((gateway) => gateway.sessions)),
      streamsOfBusiestConnection: Math.max(...gateways.flatMap(({ places }) => places.map(({ open }) => open))),
    };
  }

  #place(session: Session): void {
    const [gateway, { places }] = this.#arrive();
    const tenant = this.#tenants[session.tenant];
    const place = tenant && pickRuntime(places, tenant);
    if (place === undefined) throw new Error('there are runtimes');
    openAt(place, tenant);
    [session.gateway, session.runtime] = [gateway, place.at];
  }

  /** At which gateway a session comes up. */
  #arrive(): readonly [number, Gateway] {
    this.#arrivals ??= [...this.#gateways];
    const chosen = this.#arrivals[Math.floor(this.#random() * this.#arrivals.length)];
    if (chosen === undefined) throw new Error('there are gateways');
    chosen[1].sessions += 1;
    return chosen;
  }
}

function placeOf(at: number): Place {
  const ofTenants = new Map<string, number>();
  const openOf = (tenantId: string): number => ofTenants.get(tenantId) ?? 0;
  return { name: `tls://10.0.${Math.floor(at / 250)}.${at % 250}:7070`, at, open: 0, ofTenants, openOf };
}

function openAt(place: Place, tenant: Served | undefined): void {
  if (tenant === undefined) return;
  place.open += 1;
  place.ofTenants.set(tenant.tenantId, place.openOf(tenant.tenantId) + 1);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
