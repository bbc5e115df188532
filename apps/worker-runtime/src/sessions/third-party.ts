import type { EgressContext } from '#libs/protocol';
import type { Egress } from '../egress/egress.js';
import { Redaction } from '../egress/redaction.js';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import { redactedMessage } from './redacted-message.js';
import { serversOf, type WorkerBinding } from './worker-call.js';

/** Values that are taken out of what a worker says: those it has, and those it had before they were replaced. */
const VALUES_MAX = 256;
const NOTHING: EgressContext = { version: '', secrets: {}, allowances: [] };

/**
 * What a worker that runs code of others gets beside its calls, and what is kept from its answers: the way out through
 * the tenant's egress, and the secrets that its releases name, handed over in memory when they are new.
 */
export class ThirdParty {
  readonly #process: WorkerProcess;
  readonly #names: readonly string[];
  readonly #values = new Set<string>();
  #context = NOTHING;
  #redaction = new Redaction([]);
  #egressBytes = 0;

  /** `onStopped` is told which rule of ours kept the code from its upstream. */
  constructor(
    process: WorkerProcess,
    { route, manifests }: WorkerBinding,
    egress: Egress,
    onStopped: (rule: string) => void,
  ) {
    this.#process = process;
    this.#names = [...new Set([...manifests.values()].flatMap(({ secretNames }) => secretNames))];
    if (process.outlet === undefined) return;
    egress.serveOutlet(process.outlet, {
      tenantId: route.tenantId,
      context: () => this.#context,
      policyOf: (digest) => manifests.get(digest)?.policy,
      serversOf: (digest) => serversOf(route, digest),
      onStopped,
      onMoved: (bytes) => {
        this.#egressBytes += bytes;
      },
    });
  }

  /** Takes what egress may do for the tenant now, before a call that may need it. */
  take(context: EgressContext): void {
    const before = this.#context;
    if (before.version === context.version) return;
    this.#context = context;
    if (this.#names.every((name) => valueOf(before, name) === valueOf(context, name))) return;
    const values = Object.fromEntries(
      this.#names.flatMap((name) => {
        const value = valueOf(context, name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    this.#process.send({ t: 'secrets', values });
    for (const value of Object.values(values)) this.#values.add(value);
    for (const value of [...this.#values].slice(0, -VALUES_MAX)) this.#values.delete(value);
    this.#redaction = new Redaction(this.#values);
  }

  /** What went through since it was asked last: requests of code of others name no call, the next that ends is told. */
  takeEgressBytes(): number {
    const bytes = this.#egressBytes;
    this.#egressBytes = 0;
    return bytes;
  }

  /** A message of the worker without the values of secrets. */
  message(payload: Buffer): Buffer {
    return this.#values.size === 0 ? payload : redactedMessage(payload, this.#redaction);
  }

  /** A text of the worker without the values of secrets. */
  text(given: string): string {
    return this.#redaction.text(given);
  }
}

function valueOf({ secrets }: EgressContext, name: string): string | undefined {
  return Object.hasOwn(secrets, name) ? secrets[name] : undefined;
}
