/** Each is a process of some 50 MB; the runner's heap is a fixed share of the memory that they have together. */
const HEAP_MB_FOR_EACH = 48;
/** Where the runtime does not say. */
const IDLE_MS = 60_000;

/** How many third-party servers a worker may run, and how long it keeps one that nobody calls. */
export interface HostSettings {
  readonly serversMax: number;
  readonly idleMs: number;
}

/** What the runtime has started this worker with: as many servers as its memory, and so its tenant's plan, has room for. */
export function hostSettings(): HostSettings {
  const heapMb = numberOf(/^--max-old-space-size=(\d+)$/, process.execArgv) ?? 0;
  const idleMs = numberOf(/^server-idle-ms=(\d+)$/, process.argv) ?? IDLE_MS;
  return { serversMax: Math.max(1, Math.floor(heapMb / HEAP_MB_FOR_EACH)), idleMs };
}

function numberOf(form: RegExp, given: readonly string[]): number | undefined {
  const found = given.map((text) => form.exec(text)?.[1]).find((number) => number !== undefined);
  return found === undefined ? undefined : Number(found);
}
