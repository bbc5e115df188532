import type { V1Pod } from '@kubernetes/client-node';
import type { Logger } from '#libs/telemetry';
import { CONTAINER } from './pod-manifest.js';
import { reasonOf, type PodInformer } from './cluster.js';

const RESTART_MS_MAX = 30_000;

/** How a pod ended, as the cluster tells. */
export interface PodEnd {
  readonly name: string;
  readonly code: number | null;
  /** Like `OOMKilled`, `DeadlineExceeded`, `Evicted`, `deleted`. */
  readonly reason: string;
}

/** Hears of pods that end, through lost connections and resource versions that the server has forgotten. */
export class PodWatch {
  readonly #informer: PodInformer;
  readonly #logger: Logger;
  #failures = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(informer: PodInformer, logger: Logger, onEnd: (end: PodEnd) => void) {
    this.#informer = informer;
    this.#logger = logger;
    const changed = (pod: V1Pod): void => {
      this.#failures = 0;
      const end = endOf(pod);
      if (end !== undefined) onEnd(end);
    };
    informer.on('add', changed);
    informer.on('update', changed);
    informer.on('delete', (pod) => onEnd(endOf(pod) ?? { name: nameOf(pod), code: null, reason: 'deleted' }));
    informer.on('error', (error: unknown) => this.#failed(error));
  }

  /** Begins; what is there is told first. */
  async start(): Promise<void> {
    await this.#informer.start();
  }

  /** Hears nothing any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    await this.#informer.stop();
  }

  /** How a pod has ended, when the cluster has told. */
  endOf(name: string): PodEnd | undefined {
    const pod = this.#find(name);
    return pod === undefined ? undefined : endOf(pod);
  }

  /** What a pod waits for, for the log. */
  stateOf(name: string): string {
    const status = this.#find(name)?.status;
    const waiting = status?.containerStatuses?.find((container) => container.name === CONTAINER)?.state?.waiting;
    const unscheduled = status?.conditions?.find(
      ({ type, status: holds }) => type === 'PodScheduled' && holds === 'False',
    );
    return waiting?.reason ?? unscheduled?.message ?? status?.phase ?? 'not seen';
  }

  #find(name: string): V1Pod | undefined {
    return this.#informer.list().find((pod) => nameOf(pod) === name);
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    this.#failures += 1;
    const waitMs = Math.min(RESTART_MS_MAX, 500 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#logger.warn({ reason: reasonOf(error) }, 'the cluster tells nothing about pods; asking again shortly');
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => void this.#informer.start(), waitMs).unref();
  }
}

function endOf(pod: V1Pod): PodEnd | undefined {
  const { phase, reason, containerStatuses } = pod.status ?? {};
  if (phase !== 'Failed' && phase !== 'Succeeded') return undefined;
  const ended = containerStatuses?.find((container) => container.name === CONTAINER)?.state?.terminated;
  return { name: nameOf(pod), code: ended?.exitCode ?? null, reason: reason ?? ended?.reason ?? phase };
}

function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? '';
}
