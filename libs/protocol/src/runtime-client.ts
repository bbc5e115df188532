import { CallExchange } from './call-exchange.js';
import { callUntilBegun } from './call-until-begun.js';
import { AppError } from '#libs/errors';
import type { BuildReport } from './manifest.js';
import type { BreakerChange, DriftHint, Envelope, FrameFailure } from './messages.js';
import type { PersonTokens } from './person-token.js';
import { egressContextFor, environmentOf } from './environments.js';
import {
  BREAKER_CHANGES_SINCE,
  DRIFT_HINTS_SINCE,
  ENVIRONMENTS_SINCE,
  RESULT_GUARDS_SINCE,
} from './protocol-versions.js';
import { pickRuntime, runtimeMark } from './rank-runtimes.js';
import type { RuntimeConnection } from './runtime-connection.js';
import type { RuntimeExchange } from './runtime-exchanges.js';
import type { OrderAnswer, RuntimeOrder } from './runtime-operation.js';
import {
  breakerChangesOf,
  driftHintsOf,
  errorOf,
  evictFrom,
  type Eviction,
  NO_DIGESTS,
  orderAt,
  upstreamsOf,
} from './runtime-questions.js';
import { RuntimeSet } from './runtime-set.js';
import type { UpstreamState, UpstreamsOf } from './upstream-state.js';
import type { RuntimeClientOptions } from './runtime-client-options.js';
import type { CallReply } from './call-reply.js';

/** One release to build. `deadlineMs`: epoch milliseconds. */
export interface BuildRequest {
  readonly tenantId: string;
  /** What the release calls its server; the same in every environment. */
  readonly serverSlug: string;
  /** The slug of the server that it is built for, whose environment's secrets the build has; without it, `serverSlug`. */
  readonly forServer?: string;
  readonly source: Buffer;
  readonly artefact?: Buffer;
  readonly deadlineMs: number;
  /** Set when the artefact is code, which the build starts; `npm` when it installs that code first. */
  readonly thirdParty?: true | 'npm';
  /** Set when the build asks upstream servers, with the tenant's secrets. */
  readonly upstreams?: true;
  /** Answers with tokens of the person who asked for the build. */
  readonly tokens?: PersonTokens | undefined;
}

/** What a build gave: the manifest's canonical bytes and what was left out. */
export interface BuiltRelease {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly report: BuildReport;
  /** What the build has packed, if it did; the manifest names it by its digest. */
  readonly archive?: Buffer | undefined;
}

const FIRST_CONNECT_MS = 2_000;
const NONE: ReadonlySet<RuntimeConnection> = new Set();

/** The callers' side of the worker-runtimes: one connection to each, calls spread by route, reconnecting by itself. */
export class RuntimeClient {
  readonly #runtimes: RuntimeSet;
  readonly #options: RuntimeClientOptions;

  private constructor(options: RuntimeClientOptions) {
    this.#options = options;
    this.#runtimes = new RuntimeSet(options);
  }

  /** Starts connecting and waits for the runtimes for at most 2 s; one that is not up yet is connected to when it is. */
  static async connect(options: RuntimeClientOptions): Promise<RuntimeClient> {
    const client = new RuntimeClient(options);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FIRST_CONNECT_MS);
    });
    await Promise.race([client.#runtimes.untilReady(), late]);
    clearTimeout(timer);
    return client;
  }

  /** Whether at least one runtime can be called now. */
  get ready(): boolean {
    return this.#runtimes.ready.length > 0;
  }

  /** Why runtimes that are there cannot be called: they speak other versions of our protocol. */
  get problems(): readonly string[] {
    return this.#runtimes.all.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  }

  /** Where a route's worker is now, for `call` to go back to; undefined while no runtime can be called. */
  placeOf(route: Envelope['route'], guard?: Envelope['guard']): string | undefined {
    const connection = this.#pickFor(route, guard === undefined ? 0 : RESULT_GUARDS_SINCE);
    return connection && runtimeMark(connection.name);
  }

  /**
   * Sends one message to its route's worker; returns its cancel. Never throws: failures go to `onFail`. `at`: where the
   * worker is that holds the message's session; a runtime that is gone has taken its sessions along. What is of no session
   * goes to another runtime where one leaves that has certainly not begun it.
   */
  call(envelope: Envelope, payload: Buffer, reply: CallReply, at?: string): () => void {
    const since = envelope.guard === undefined ? 0 : RESULT_GUARDS_SINCE;
    const connection = at === undefined ? this.#pickFor(envelope.route, since) : this.#at(at, since);
    if (connection === undefined) {
      const failure: FrameFailure =
        at === undefined ? { code: 'unavailable', retryAfterSeconds: 1 } : { code: 'session_not_found' };
      queueMicrotask(() => reply.onFail(failure, 'worker_failed', false));
      return () => undefined;
    }
    const { answerAsk } = this.#options;
    if (at !== undefined) return connection.call(new CallExchange(envelope, reply, answerAsk), envelope, payload);
    const pick = (tried: ReadonlySet<RuntimeConnection>) => this.#pickFor(envelope.route, since, tried);
    return callUntilBegun(connection, { envelope, payload, reply, answerAsk, pick });
  }

  /** Builds a release in a worker of its tenant. @throws AppError unprocessable with problems, or how else it failed */
  async build(request: BuildRequest): Promise<BuiltRelease> {
    const { tenantId, serverSlug, source, artefact, deadlineMs, thirdParty } = request;
    const supplied = request.upstreams === true ? await this.#options.supplier.supply(tenantId, [], true) : undefined;
    const mounts = [{ serverSlug: request.forServer ?? serverSlug }];
    const context = supplied?.context && egressContextFor(supplied.context, mounts);
    const runs = { ...(thirdParty === undefined ? {} : { thirdParty }), ...(context === undefined ? {} : { context }) };
    const connection = pickRuntime(this.#runtimes.taking, { tenantId, key: `${tenantId} ${serverSlug}` });
    if (connection === undefined) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    const payload = artefact === undefined ? source : Buffer.concat([source, artefact]);
    return new Promise((resolve, reject) => {
      const exchange: RuntimeExchange = {
        tenantId,
        deadlineMs,
        digests: NO_DIGESTS,
        tokens: request.tokens,
        onPart: () => undefined,
        onDone: () => reject(new AppError('internal', { detail: { reason: 'a build ended without a manifest' } })),
        onBuilt: (manifest, digest, report, archive) => resolve({ manifest, digest, report, archive }),
        onFail: (failure) => reject(errorOf(failure)),
      };
      connection.request(
        exchange,
        (s) => ({ t: 'build', s, tenantId, serverSlug, sourceBytes: source.length, deadlineMs, ...runs }),
        payload,
      );
    });
  }

  /**
   * How a tenant's upstreams are doing, as each runtime sees them: one list for each that answered.
   *
   * @throws AppError unavailable when none did
   */
  async upstreams(
    tenantId: string,
    origins: readonly string[],
    of?: UpstreamsOf,
  ): Promise<{ readonly seen: ReadonlyArray<readonly UpstreamState[]>; readonly complete: boolean }> {
    const asked = await Promise.allSettled(
      this.#runtimes.all.map((connection) => upstreamsOf(connection, tenantId, origins, of)),
    );
    const seen = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (seen.length === 0) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    return { seen, complete: seen.length === asked.length };
  }

  /** What workers of all runtimes have met since anybody last asked; a runtime that does not answer is left out. */
  async driftHints(): Promise<DriftHint[]> {
    const able = this.#runtimes.holding.filter(({ version }) => version >= DRIFT_HINTS_SINCE);
    const asked = await Promise.allSettled(able.map(driftHintsOf));
    return asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  /** Which breakers have opened or closed at all runtimes since anybody last asked; a runtime that does not answer is left out. */
  async breakerChanges(): Promise<BreakerChange[]> {
    const able = this.#runtimes.ready.filter(({ version }) => version >= BREAKER_CHANGES_SINCE);
    const asked = await Promise.allSettled(able.map(breakerChangesOf));
    return asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  /** The runtimes there are, by the mark that every caller knows them by; of one that does not answer, that alone. */
  async operated(): Promise<ReadonlyArray<{ readonly mark: string; readonly answer: OrderAnswer | undefined }>> {
    return Promise.all(
      this.#runtimes.all.map(async (connection) => ({
        mark: runtimeMark(connection.name),
        answer: await orderAt(connection, { kind: 'show' }).catch(() => undefined),
      })),
    );
  }

  /** Gives one runtime an operator's order; undefined where there is no such runtime. @throws AppError unavailable */
  async order(mark: string, order: RuntimeOrder): Promise<OrderAnswer | undefined> {
    const connection = this.#runtimes.all.find(({ name }) => runtimeMark(name) === mark);
    return connection === undefined ? undefined : orderAt(connection, order);
  }

  /** Looks now, and not only every few seconds, which runtimes a configured name stands for. */
  lookForRuntimes(): Promise<void> {
    return this.#runtimes.look();
  }

  /** Stops a tenant's workers everywhere and makes every runtime forget its secrets. @throws AppError unavailable when a runtime could not be told */
  async evict(tenantId: string, why: Eviction): Promise<void> {
    await Promise.all(this.#runtimes.all.map((connection) => evictFrom(connection, tenantId, why)));
  }

  /** Closes every connection; calls in flight fail. */
  async close(): Promise<void> {
    this.#runtimes.close();
  }

  /** The one of this mark, unless it does not know what the call needs: a session there is lost, not unguarded. */
  #at(mark: string, since: number): RuntimeConnection | undefined {
    const able = this.#runtimes.holding.filter(({ version }) => version >= since);
    return able.find(({ name }) => runtimeMark(name) === mark);
  }

  /**
   * One that knows what the call needs: a runtime of before environments would use production's secrets for them, and one
   * of before result guards would let everything through.
   */
  #pickFor(route: Envelope['route'], since: number, tried = NONE): RuntimeConnection | undefined {
    const isPlain = route.mounts.every(({ serverSlug }) => environmentOf(serverSlug) === undefined);
    const least = Math.max(since, isPlain ? 0 : ENVIRONMENTS_SINCE);
    const able = this.#runtimes.taking.filter((one) => one.version >= least && !tried.has(one));
    return pickRuntime(able, route);
  }
}
