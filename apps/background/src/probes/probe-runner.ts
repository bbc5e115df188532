import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError, toAppError } from '#libs/errors';
import { judgeAnswer } from '#libs/probes';
import { readManifest, toolAccess, type RuntimeClient, type Supplier } from '#libs/protocol';
import { askRelease, type ReleaseSubject } from '../release-worker/ask-release.js';
import { ProbeMetrics } from './probe-metrics.js';
import {
  keepResult,
  moveProbe,
  type KeptResult,
  type MovedProbe,
  type ProbeOutcome,
  type ProbeRunOf,
  type RunnableProbe,
} from './probe-runs.repository.js';

const ANSWER_MS = 10_000;
const AT_ONCE = 5;
/** Of a tool's answer: more than agents are shown at once, and no more than a small worker can hold several times over. */
const JUDGED_BYTES_MAX = 4 * 1024 * 1024;

/** What tools of a release do, by name. */
type ToolMarks = ReadonlyMap<string, 'read' | 'write'>;

/** Calls tools as tenants' probes say, in the release's own worker, and keeps what came of it. */
export class ProbeRunner {
  readonly #metrics = new ProbeMetrics();

  constructor(
    private readonly database: Database,
    private readonly runtime: RuntimeClient,
    private readonly supplier: Supplier,
  ) {}

  /**
   * Runs probes on a release, a few at once, and keeps each result as it comes.
   * @throws AppError where the release's worker could not be reached at all, which is no fault of the release
   */
  async run(
    probes: readonly RunnableProbe[],
    subject: ReleaseSubject,
    of: ProbeRunOf,
    signal: AbortSignal,
  ): Promise<ProbeOutcome[]> {
    if (probes.length === 0) return [];
    const marks = await this.#marksOf(subject);
    const outcomes: ProbeOutcome[] = [];
    for (let from = 0; from < probes.length; from += AT_ONCE) {
      const batch = probes.slice(from, from + AT_ONCE).map(async (probe) => {
        const outcome = await this.#runOne(probe, subject, marks, signal);
        this.#metrics.count(subject.serverSlug, of.cause, await this.#keep(of, outcome));
        return outcome;
      });
      outcomes.push(...(await Promise.all(batch)));
    }
    return outcomes;
  }

  async #runOne(
    probe: RunnableProbe,
    subject: ReleaseSubject,
    marks: ToolMarks,
    signal: AbortSignal,
  ): Promise<ProbeOutcome> {
    const refusal = refusalOf(probe, subject, marks);
    if (refusal !== undefined) return { probe, reason: refusal, latencyMs: 0, digest: undefined };
    const startedMs = performance.now();
    try {
      const params = { name: probe.tool, arguments: probe.arguments };
      // What agents read by a link is judged whole.
      const whole = { principal: 'system|probe', timeoutMs: ANSWER_MS, inlineBytes: JUDGED_BYTES_MAX } as const;
      const question = { method: 'tools/call', params, ...whole };
      const answer = await askRelease(this.runtime, subject, question, signal);
      const latencyMs = performance.now() - startedMs;
      if (answer.kind === 'error')
        return { probe, reason: `the call was refused: ${answer.message}`, latencyMs, digest: undefined };
      const { reasons, digest } = judgeAnswer(probe.expect, answer.result, latencyMs);
      return {
        probe,
        reason: reasons.length === 0 ? undefined : storable(reasons.slice(0, 5).join('; ')),
        latencyMs,
        digest,
      };
    } catch (error) {
      const { code, message } = toAppError(error);
      // Ours, not the release's: the run is repeated.
      if (signal.aborted || code === 'unavailable' || code === 'internal') throw error;
      return { probe, reason: storable(message), latencyMs: performance.now() - startedMs, digest: undefined };
    }
  }

  /** One transaction: the result, and the probe's new state with what the audit log says of it. */
  async #keep(of: ProbeRunOf, outcome: ProbeOutcome): Promise<KeptResult> {
    return this.database.asTenant(of.tenantId, async (tx) => {
      const kept = await keepResult(tx, of, outcome);
      const moved = await moveProbe(tx, of, outcome);
      // What a release says that is not live is nobody's news but its publisher's.
      if (moved === undefined) return kept;
      const entries = newsOf(moved, kept).map((news) => entryOf(of, outcome, news));
      await appendAudit(tx, of.tenantId, entries);
      return kept;
    });
  }

  async #marksOf({ tenantId, digest }: ReleaseSubject): Promise<ToolMarks> {
    const { manifests } = await this.supplier.supply(tenantId, [digest], false);
    const manifest = manifests.get(digest);
    if (manifest === undefined) throw new AppError('internal', { detail: { digest } });
    const { tools } = readManifest(manifest);
    return new Map(tools.map((tool) => [tool.name, toolAccess(tool)]));
  }
}

type News = 'probe.failed' | 'probe.recovered' | 'probe.diverged';

function newsOf({ from, to }: MovedProbe, { divergenceBegins }: KeptResult): News[] {
  const isNews = from !== to && !(from === 'unknown' && to === 'passing');
  const turn: News[] = isNews ? [to === 'failing' ? 'probe.failed' : 'probe.recovered'] : [];
  return divergenceBegins ? [...turn, 'probe.diverged'] : turn;
}

function entryOf({ releaseId }: ProbeRunOf, { probe, reason }: ProbeOutcome, event: News): AuditEntry {
  return {
    event,
    actor: { kind: 'system', id: 'probes' },
    target: `probe:${probe.id}`,
    outcome: event === 'probe.diverged' ? 'diverged' : reason === undefined ? 'passing' : 'failing',
    details: { name: probe.name, tool: probe.tool, release: releaseId, ...(reason && { reason }) },
  };
}

function refusalOf(
  { tool, allowEffects }: RunnableProbe,
  { writes }: ReleaseSubject,
  marks: ToolMarks,
): string | undefined {
  const access = marks.get(tool);
  if (access === undefined) return `the release has no tool ${tool}; change or delete the probe`;
  if (access === 'read') return undefined;
  if (!writes) return `the server offers no tools that write, and ${tool} does; delete the probe`;
  if (allowEffects) return undefined;
  return `${tool} does not only read; set "allow_effects" on the probe if calling it is harmless`;
}

/** A text that PostgreSQL can hold. */
function storable(text: string): string {
  return text.slice(0, 1_000).toWellFormed().replaceAll('\u0000', '\ufffd');
}
