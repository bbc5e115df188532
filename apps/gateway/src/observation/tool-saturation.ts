import { DurationTally, GaugeTally, OTHER } from '#libs/telemetry';
import type { CallEnd, NamedTool } from './call-end.js';
import type { ToolLabels } from './tool-labels.js';

/** A place among the calls of a tool that are under way. */
export interface OpenCall {
  /** Calls of the tool under way in this gateway when it began, itself included. */
  readonly concurrency: number;
  /** Gives the place back. */
  leave(): void;
}

interface OpenTool {
  readonly slug: string;
  readonly tool: NamedTool;
  calls: number;
}

interface Known {
  readonly labels: ToolLabels;
  memory?: { readonly bytes: number; readonly atMs: number };
}

/** How long a worker's memory is shown after the last call that told it: workers that rest are stopped. */
const MEMORY_MS = 600_000;

/**
 * Saturation of each tool: calls under way, how long they wait before their worker has them, and what that worker
 * holds. What is open is bounded by the calls there may be, what is shown by the names that tools have.
 */
export class ToolSaturation {
  readonly #open = new Map<string, OpenTool>();
  readonly #known = new Map<string, Known>();
  readonly #queue = new DurationTally(
    'wharf_tool_queue_seconds',
    'What of a call of a tool was not spent in its worker.',
  );

  /** `find` tells the labels of a tool of the tenant with this slug. */
  constructor(private readonly find: (slug: string, tool: NamedTool) => ToolLabels) {
    void new GaugeTally('wharf_tool_calls_in_flight', 'Calls of tools under way in this gateway.', '', () =>
      [...this.#shown().values()].map(({ labels, calls }) => ({ labels: { ...labels }, value: calls })),
    );
    const held = 'Memory of the worker that answered the last call of a tool.';
    void new GaugeTally('wharf_tool_worker_memory_bytes', held, 'By', () => {
      const sinceMs = performance.now() - MEMORY_MS;
      return [...this.#known.values()].flatMap(({ labels, memory }) =>
        memory !== undefined && memory.atMs > sinceMs ? [{ labels: { ...labels }, value: memory.bytes }] : [],
      );
    });
  }

  /** A call of a tool goes to its worker. */
  enter(slug: string, tool: NamedTool): OpenCall {
    const key = `${slug} ${tool.server}/${tool.name}`;
    const open = this.#open.get(key) ?? { slug, tool, calls: 0 };
    this.#open.set(key, open);
    open.calls += 1;
    return {
      concurrency: open.calls,
      leave: () => {
        open.calls -= 1;
        if (open.calls === 0) this.#open.delete(key);
      },
    };
  }

  /** Counts a call of a tool at its end. */
  count({ queueSeconds, workerMemoryBytes }: CallEnd, labels: ToolLabels): void {
    const known = this.#known.get(keyOf(labels)) ?? { labels };
    this.#known.set(keyOf(labels), known);
    if (queueSeconds !== undefined) this.#queue.record(queueSeconds, { ...labels });
    // Tools without a name of their own have no worker in common.
    if (workerMemoryBytes !== undefined && labels.tool !== OTHER)
      known.memory = { bytes: workerMemoryBytes, atMs: performance.now() };
  }

  /** Forgets tools that have lost their names. */
  forget(gone: { readonly tenant: string; readonly tool?: string }): void {
    this.#queue.forget(gone);
    for (const [key, { labels }] of this.#known)
      if (labels.tenant === gone.tenant && (gone.tool === undefined || labels.tool === gone.tool))
        this.#known.delete(key);
  }

  #shown(): Map<string, { readonly labels: ToolLabels; calls: number }> {
    const shown = new Map([...this.#known].map(([key, { labels }]) => [key, { labels, calls: 0 }]));
    for (const { slug, tool, calls } of this.#open.values()) {
      const labels = this.find(slug, tool);
      const entry = shown.get(keyOf(labels)) ?? { labels, calls: 0 };
      shown.set(keyOf(labels), entry);
      entry.calls += calls;
    }
    return shown;
  }
}

function keyOf({ tenant, server, tool }: ToolLabels): string {
  return `${tenant} ${server} ${tool}`;
}
