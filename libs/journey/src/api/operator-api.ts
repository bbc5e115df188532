import { HttpDoor } from './http-door.js';

/** What a plan allows. */
export interface PlanLimits {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
  readonly serversMax: number;
  readonly workerMemoryMb: number;
}

/** The operator API; every act needs a reason. Every method throws ApiProblem where it is refused. */
export class OperatorApi {
  readonly #door: HttpDoor;

  constructor(options: { readonly publicUrl: string; readonly operatorKey: string }) {
    this.#door = new HttpDoor(options.publicUrl, options.operatorKey);
  }

  /** Lets a tenant's tools reach one private address. */
  async allowEgress(tenant: string, host: string, port: number, reason: string): Promise<void> {
    await this.#act('POST', `/tenants/${tenant}/egress-allowances`, { host, port, reason });
  }

  async suspend(tenant: string, reason: string): Promise<void> {
    await this.#act('POST', `/tenants/${tenant}/suspend`, { reason });
  }

  async resume(tenant: string, reason: string): Promise<void> {
    await this.#act('POST', `/tenants/${tenant}/resume`, { reason });
  }

  async setPlan(tenant: string, plan: string, reason: string): Promise<void> {
    await this.#act('PUT', `/tenants/${tenant}/plan`, { plan, reason });
  }

  /** Defines a plan, or gives it new limits. */
  async definePlan(name: string, limits: PlanLimits, reason: string): Promise<void> {
    await this.#act('PUT', `/plans/${name}`, {
      calls_per_minute: limits.callsPerMinute,
      concurrent_calls: limits.concurrentCalls,
      servers_max: limits.serversMax,
      worker_memory_mb: limits.workerMemoryMb,
      reason,
    });
  }

  async #act(method: 'POST' | 'PUT', path: string, body: unknown): Promise<void> {
    await this.#door.send({ method, path: `/admin/v1${path}`, body });
  }
}
