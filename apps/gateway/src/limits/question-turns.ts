import { AppError } from '#libs/errors';

/** How many questions run at once, how long one waits for its turn, and what is told where that is too long. */
export interface TurnBounds {
  readonly atOnce: number;
  readonly ofTenantAtOnce: number;
  readonly ofTenantWaiting: number;
  readonly waitMs: number;
  readonly refusal: { readonly message: string; readonly rule: string };
}

interface Waiting {
  readonly begin: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Turns of what tenants' workers ask: a few at once, fewer of each tenant, and those that wait take turns by tenant, so that
 * nobody's many questions keep another's one waiting.
 */
export class QuestionTurns {
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  /** Tenants with questions that wait, in the order of their turns. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(private readonly bounds: TurnBounds) {}

  /** Runs `work` when it is its turn. @throws AppError rate_limited where too many wait, or it has waited too long */
  async take<Result>(tenantId: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#mayRun(tenantId)) this.#start(tenantId);
    else await this.#wait(tenantId);
    try {
      return await work();
    } finally {
      this.#ended(tenantId);
    }
  }

  /** Resolves when it is its turn, with how to end that, once. @throws AppError rate_limited as `take` */
  async begin(tenantId: string): Promise<() => void> {
    const ending = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<() => void>();
    this.take(tenantId, () => {
      begun.resolve(ending.resolve);
      return ending.promise;
    }).catch(begun.reject);
    return begun.promise;
  }

  #mayRun(tenantId: string): boolean {
    return this.#running < this.bounds.atOnce && (this.#runningOf.get(tenantId) ?? 0) < this.bounds.ofTenantAtOnce;
  }

  #start(tenantId: string): void {
    this.#running += 1;
    this.#runningOf.set(tenantId, (this.#runningOf.get(tenantId) ?? 0) + 1);
  }

  #wait(tenantId: string): Promise<void> {
    const own = this.#waiting.get(tenantId) ?? [];
    if (own.length >= this.bounds.ofTenantWaiting) return Promise.reject(this.#tooMany());
    this.#waiting.set(tenantId, own);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        own.splice(own.indexOf(waiting), 1);
        if (own.length === 0) this.#waiting.delete(tenantId);
        reject(this.#tooMany());
      };
      const waiting = { begin: resolve, timer: setTimeout(leave, this.bounds.waitMs).unref() };
      own.push(waiting);
    });
  }

  #tooMany(): AppError {
    const { message, rule } = this.bounds.refusal;
    return new AppError('rate_limited', { message, retryAfterSeconds: 2, detail: { rule } });
  }

  #ended(tenantId: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(tenantId) ?? 1) - 1;
    if (left > 0) this.#runningOf.set(tenantId, left);
    else this.#runningOf.delete(tenantId);
    for (const [next, own] of this.#waiting) {
      const [first] = own;
      if (first === undefined || !this.#mayRun(next)) continue;
      own.shift();
      this.#waiting.delete(next);
      if (own.length > 0) this.#waiting.set(next, own); // the last in turn now
      clearTimeout(first.timer);
      this.#start(next);
      first.begin();
      return;
    }
  }
}
