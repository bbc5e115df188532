import { LRUCache } from 'lru-cache';
import { DurationTally, meter, Tally } from '#libs/telemetry';
import type { CallEnd, NamedTool } from './call-end.js';
import { OTHER_CLIENT } from './client-family.js';

/** What is remembered of a session while it lasts. */
interface AgentSession {
  readonly era: 'modern' | 'legacy';
  client: string;
  readonly beganMs: number;
  usedMs: number;
  /** Tools whose last call failed. */
  readonly failed: Set<string>;
  /** Tool and arguments of the last call, as a digest. */
  last: string | undefined;
  lastFailed: boolean;
  calls: number;
}

/** What a call of a tool says about its agent. */
export interface AgentVerdict {
  readonly repeated: boolean;
  readonly corrected: boolean;
}

const SESSIONS_MAX = 20_000;
const FAILED_TOOLS_MAX = 16;
/** A session of the 2025 era ends after an hour without use; requests of the 2026 era are one while no ten minutes lie between them. */
const IDLE_MS = { legacy: 3_600_000, modern: 600_000 } as const;
const SESSION_SECONDS = [1, 10, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400];
/** Ends that say nothing about what the agent did: it left, or was not let in. */
const NO_ATTEMPT = new Set(['cancelled', 'rate_limited', 'session_not_found']);

/**
 * The third layer: how agents fare, from the order of calls in a session: whether a tool that failed was then used with
 * success, whether a call was made again word for word, whether the last one failed. Definitions in docs/metrics.md.
 */
export class AgentMetrics {
  readonly #sessions: LRUCache<string, AgentSession>;
  readonly #faults = new Tally('gateway', 'wharf_agent_faults', 'Tool calls that agents got wrong.');
  readonly #failures = new Tally('gateway', 'wharf_agent_failures', 'Failed tools of sessions, by what followed.');
  readonly #repeats = new Tally('gateway', 'wharf_agent_repeated_calls', 'Tool calls equal to the one before.');
  readonly #ended = new Tally('gateway', 'wharf_agent_sessions', 'Sessions with tool calls that ended, by how.');
  readonly #duration = new DurationTally('wharf_session_duration_seconds', 'First to last call.', SESSION_SECONDS);

  constructor() {
    this.#sessions = new LRUCache({
      max: SESSIONS_MAX,
      ttl: IDLE_MS.modern,
      ttlResolution: 1_000,
      updateAgeOnGet: true,
      dispose: (session, _, reason) => {
        if (reason !== 'set') this.#close(session);
      },
    });
    const active = meter('gateway').createObservableGauge('wharf_sessions_active', {
      description: 'Sessions in use at this gateway, by era.',
    });
    active.addCallback((result) => {
      this.#sessions.purgeStale();
      const count = { legacy: 0, modern: 0 };
      for (const session of this.#sessions.values()) count[session.era] += 1;
      for (const [era, sessions] of Object.entries(count)) result.observe(sessions, { era });
    });
  }

  /** The family of a call's client: as it says, or as its session remembers. */
  clientOf({ call, exchange, sessionId, outcome }: CallEnd): string {
    const said = exchange.head?.client;
    const key = keyOf(call, exchange.era, sessionId);
    if (key === undefined || outcome === 'session_not_found') return said ?? OTHER_CLIENT;
    const known = this.#sessions.get(key);
    if (known !== undefined) known.usedMs = performance.now();
    else if (begins(exchange, outcome)) this.#begin(key, exchange.era, said ?? OTHER_CLIENT);
    return said ?? known?.client ?? OTHER_CLIENT;
  }

  /** Counts a call of a tool within its session. */
  count(end: CallEnd, { server, name }: NamedTool, client: string): AgentVerdict {
    const { call, exchange, sessionId, fault, outcome } = end;
    if (fault !== undefined) this.#faults.add({ fault, client });
    const key = keyOf(call, exchange.era, sessionId);
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (session === undefined || NO_ATTEMPT.has(outcome)) return { repeated: false, corrected: false };
    const tool = `${server}/${name}`;
    session.calls += 1;
    return {
      repeated: this.#countRepeat(session, `${tool} ${exchange.head?.argumentsDigest ?? ''}`),
      corrected: this.#countCorrection(session, tool, outcome === 'ok' && fault === undefined),
    };
  }

  /** A client ended its session. */
  close(end: CallEnd): void {
    const key = keyOf(end.call, end.exchange.era, end.sessionId);
    if (key !== undefined) this.#sessions.delete(key);
  }

  #begin(key: string, era: AgentSession['era'], client: string): void {
    const nowMs = performance.now();
    const begun = { era, client, beganMs: nowMs, usedMs: nowMs, failed: new Set<string>(), calls: 0 };
    this.#sessions.set(key, { ...begun, last: undefined, lastFailed: false }, { ttl: IDLE_MS[era] });
  }

  #countRepeat(session: AgentSession, call: string): boolean {
    const repeated = session.last === call;
    session.last = call;
    if (repeated) this.#repeats.add({ client: session.client });
    return repeated;
  }

  #countCorrection(session: AgentSession, tool: string, succeeded: boolean): boolean {
    session.lastFailed = !succeeded;
    if (!succeeded) {
      if (session.failed.size < FAILED_TOOLS_MAX) session.failed.add(tool);
      return false;
    }
    const corrected = session.failed.delete(tool);
    if (corrected) this.#failures.add({ followed_by: 'success', client: session.client });
    return corrected;
  }

  #close({ era, client, failed, calls, lastFailed, beganMs, usedMs }: AgentSession): void {
    for (let left = failed.size; left > 0; left -= 1) this.#failures.add({ followed_by: 'nothing', client });
    this.#duration.record((usedMs - beganMs) / 1_000, { era });
    if (calls > 0) this.#ended.add({ era, client, result: lastFailed ? 'abandoned' : 'finished' });
  }
}

/** Whether a call that belongs to no known session is the first of one: no end of a stream, and no handshake that failed. */
function begins({ operation, head }: CallEnd['exchange'], outcome: string): boolean {
  return operation === 'message' && (head?.method !== 'initialize' || outcome === 'ok');
}

/** Names a session for this process alone: of the 2026 era, a principal's requests at one URL. */
function keyOf(call: CallEnd['call'], era: AgentSession['era'], sessionId: string | undefined): string | undefined {
  const { tenantId } = call.tenant;
  if (era === 'legacy') return sessionId === undefined ? undefined : `${tenantId} ${sessionId}`;
  return call.principalBinding === undefined
    ? undefined
    : `${tenantId} ${call.target.resource} ${call.principalBinding}`;
}
