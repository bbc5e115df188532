import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  Observable,
  V1MicroTime,
  type Informer,
  type ObjectCache,
  type V1Lease,
  type V1Pod,
  type V1Secret,
} from '@kubernetes/client-node';
import { ALL_WORKERS, CONTAINER, labelsOf, OWNER_LABEL } from './pod-manifest.js';

const REQUEST_MS = 10_000;
const LOG_LINES = 60;
const LOG_BYTES = 64 * 1024;
const NOT_FOUND = 404;

/** The pods of one runtime as the cluster last told. */
export type PodInformer = Informer<V1Pod> & ObjectCache<V1Pod>;

/** Whose something in the cluster is. */
export interface Owned {
  readonly name: string;
  readonly owner: string;
}

/** What we ask of a Kubernetes API server, in one namespace; every question has a deadline. */
export class Cluster {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #leases: CoordinationV1Api;

  constructor(
    config: KubeConfig,
    readonly namespace: string,
  ) {
    this.#config = config;
    this.#core = config.makeApiClient(CoreV1Api);
    this.#leases = config.makeApiClient(CoordinationV1Api);
  }

  /** The cluster of `KUBECONFIG`, or the one that we run in. */
  static ofEnvironment(namespace: string): Cluster {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new Cluster(config, namespace);
  }

  /** @throws ApiException as the API server answers, TimeoutError when it does not */
  async createSecret(body: V1Secret): Promise<void> {
    await within((options) => this.#core.createNamespacedSecret({ namespace: this.namespace, body }, options));
  }

  /** @throws ApiException as the API server answers, TimeoutError when it does not */
  async createPod(body: V1Pod): Promise<void> {
    await within((options) => this.#core.createNamespacedPod({ namespace: this.namespace, body }, options));
  }

  /** Nothing happens when it is not there. @throws ApiException, TimeoutError */
  async deleteSecret(name: string): Promise<void> {
    await unlessMissing(
      within((options) => this.#core.deleteNamespacedSecret({ namespace: this.namespace, name }, options)),
    );
  }

  /** Ends a pod at once, with everything in it; nothing happens when it is not there. @throws ApiException, TimeoutError */
  async deletePod(name: string): Promise<void> {
    const parameters = { namespace: this.namespace, name, gracePeriodSeconds: 0 };
    await unlessMissing(within((options) => this.#core.deleteNamespacedPod(parameters, options)));
  }

  /** The last that a pod printed. @throws ApiException, TimeoutError */
  async readLog(name: string): Promise<string> {
    const parameters = { namespace: this.namespace, name, container: CONTAINER };
    const log = await within((options) =>
      this.#core.readNamespacedPodLog({ ...parameters, tailLines: LOG_LINES, limitBytes: LOG_BYTES }, options),
    );
    // Where it was cut, its last line may end in the beginning of a secret, which nobody would recognize.
    return Buffer.byteLength(log) < LOG_BYTES ? log : log.slice(0, Math.max(0, log.lastIndexOf('\n')));
  }

  /** Every worker's pod and secret, of every runtime. @throws ApiException, TimeoutError */
  async listOwned(kind: 'pod' | 'secret'): Promise<Owned[]> {
    const parameters = { namespace: this.namespace, labelSelector: ALL_WORKERS };
    const { items } = await (kind === 'pod'
      ? within((options) => this.#core.listNamespacedPod(parameters, options))
      : within((options) => this.#core.listNamespacedSecret(parameters, options)));
    return items.map(({ metadata }) => ({
      name: metadata?.name ?? '',
      owner: metadata?.labels?.[OWNER_LABEL] ?? '',
    }));
  }

  /** Follows the pods of one runtime, once it is started. */
  follow(owner: string): PodInformer {
    const labelSelector = `${OWNER_LABEL}=${owner}`;
    const list = () =>
      within((options) => this.#core.listNamespacedPod({ namespace: this.namespace, labelSelector }, options));
    return makeInformer(this.#config, `/api/v1/namespaces/${this.namespace}/pods`, list, labelSelector);
  }

  /** Says that a runtime lives; makes its lease where there is none. @throws ApiException, TimeoutError */
  async renewLease(owner: string, seconds: number): Promise<void> {
    const spec = { holderIdentity: owner, leaseDurationSeconds: seconds, renewTime: new V1MicroTime() };
    const metadata = { name: leaseName(owner), labels: labelsOf(owner) };
    const body: V1Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    const { namespace } = this;
    const parameters = { namespace, name: leaseName(owner), body };
    const found = await unlessMissing(within((options) => this.#leases.replaceNamespacedLease(parameters, options)));
    if (found === undefined)
      await within((options) => this.#leases.createNamespacedLease({ namespace, body }, options));
  }

  /** The leases of all runtimes. @throws ApiException, TimeoutError */
  async listLeases(): Promise<V1Lease[]> {
    const parameters = { namespace: this.namespace, labelSelector: ALL_WORKERS };
    return (await within((options) => this.#leases.listNamespacedLease(parameters, options))).items;
  }

  /** Nothing happens when it is not there. @throws ApiException, TimeoutError */
  async deleteLease(owner: string): Promise<void> {
    const parameters = { namespace: this.namespace, name: leaseName(owner) };
    await unlessMissing(within((options) => this.#leases.deleteNamespacedLease(parameters, options)));
  }
}

/** What the cluster said, as one line for the log. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiException)) return error instanceof Error ? error.message : String(error);
  const body = typeof error.body === 'string' ? error.body : JSON.stringify(error.body ?? null);
  const told = /"message":"((?:[^"\\]|\\.)*)"/.exec(body) ?? /^Message: (.*)$/m.exec(error.message);
  return `${error.code} ${told?.[1] ?? ''}`.slice(0, 500);
}

/** Whether asking again may help, and what was asked may have been done. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ApiException) || error.code === 429 || error.code >= 500;
}

/** Whether the API server says that something of this name is there already. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiException && error.code === 409;
}

function leaseName(owner: string): string {
  return `wharf-${owner}`;
}

async function unlessMissing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiException && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}

type Options = NonNullable<Parameters<CoreV1Api['createNamespacedPod']>[1]>;

/** Asks with a deadline for the whole answer. */
function within<Answer>(ask: (options: Options) => Promise<Answer>): Promise<Answer> {
  const signal = AbortSignal.timeout(REQUEST_MS);
  return ask({
    middleware: [
      {
        pre: (request) => {
          request.setSignal(signal);
          return new Observable(Promise.resolve(request));
        },
        post: (response) => new Observable(Promise.resolve(response)),
      },
    ],
    middlewareMergeStrategy: 'append',
  });
}
