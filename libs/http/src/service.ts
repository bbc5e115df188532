import type { RequestListener } from 'node:http';

/** Whether a service can do its work; each check is `ok` or a sentence that says what is wrong. */
export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** A started service, alone in its process or one of several in it. */
export interface Service {
  readonly name: string;
  /** Answers the service's own paths; whoever hosts it owns the server, `/healthz`, `/readyz` and `/metrics`. */
  readonly listener: RequestListener;
  readiness(): Promise<Readiness>;
  /** Hears that it is to stop, before it takes nothing new: tells whoever sends it work, where those do not ask `/readyz`. */
  leave?(): void;
  /** Ends what would otherwise last, such as open streams, and waits for work in flight within the drain time. */
  drain?(): Promise<void>;
  /** Ends what is open in order: work in flight within the drain time, then connections. */
  stop(): Promise<void>;
}

/** Runs named checks side by side; a check passes when it returns, and fails with its error's sentence or after 2 s. */
export async function readinessOf(checks: Readonly<Record<string, () => Promise<unknown>>>): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
  );
  return {
    ok: results.every(([, result]) => result === 'ok' || result.startsWith('warning:')),
    checks: Object.fromEntries(results),
  };
}

async function outcomeOf(check: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer within 2 s')), 2_000);
  });
  try {
    const result = await Promise.race([check(), late]);
    return typeof result === 'string' ? result : 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  } finally {
    clearTimeout(timer);
  }
}
