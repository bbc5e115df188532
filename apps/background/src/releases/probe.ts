import { z } from 'zod';
import { AppError } from '#libs/errors';
import { routeKey, type Envelope, type RuntimeClient } from '#libs/protocol';
import { JobRefused } from '../jobs/job-handler.js';

const PROBE_MS = 15_000;
const NAMES_SHOWN = 5;

/** A `tools/list` of MCP 2026-07-28: a request carries its version and its client's capabilities itself. */
const TOOLS_LIST = Buffer.from(
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/list',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'wharf-publish', version: '1.0.0' },
      },
    },
  }),
);

const answerSchema = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) });

/** A release as its own worker would serve it. */
export interface ProbeSubject {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly releaseId: string;
  readonly digest: string;
  readonly writes: boolean;
  readonly contextVersion: string;
}

/**
 * Asks the release's worker for its tools, within fifteen seconds.
 * @returns their names in the order of the answer
 * @throws JobRefused where the worker answered with something else, AppError where it could not be asked.
 */
export async function probeTools(
  runtime: RuntimeClient,
  subject: ProbeSubject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await call(runtime, envelopeOf(subject), signal);
  const parsed = answerSchema.safeParse(parseAnswer(answer));
  if (!parsed.success) throw new JobRefused('The release did not answer tools/list with a list of tools.');
  return parsed.data.result.tools.map((tool) => tool.name);
}

/** Refuses a release whose worker lists other tools than its manifest. @throws JobRefused naming the difference */
export function refuseDifference(expected: readonly string[], listed: readonly string[]): void {
  const missing = expected.filter((name) => !listed.includes(name));
  const surplus = listed.filter((name) => !expected.includes(name));
  if (missing.length === 0 && surplus.length === 0 && expected.length === listed.length) return;
  const parts = [
    `The release lists ${listed.length} tools instead of ${expected.length}.`,
    ...(missing.length > 0 ? [`Missing: ${shown(missing)}.`] : []),
    ...(surplus.length > 0 ? [`Unexpected: ${shown(surplus)}.`] : []),
  ];
  throw new JobRefused(parts.join(' '));
}

function shown(names: readonly string[]): string {
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${rest}`;
}

function envelopeOf(subject: ProbeSubject): Envelope {
  const { tenantId, serverSlug, releaseId, digest, contextVersion, writes } = subject;
  const mounts = [{ serverSlug, releaseId, digest, prefix: '', ...(writes ? {} : { only: 'read' as const }) }];
  return {
    route: { tenantId, mounts, key: routeKey(tenantId, mounts) },
    era: 'modern',
    operation: 'message',
    principal: 'system|publish',
    deadlineMs: Date.now() + PROBE_MS,
    contextVersion,
  };
}

async function call(runtime: RuntimeClient, envelope: Envelope, signal: AbortSignal): Promise<Buffer> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
  return new Promise<Buffer>((resolve, reject) => {
    const cancel = runtime.call(envelope, TOOLS_LIST, {
      onPart: () => {},
      onDone: resolve,
      onFail: ({ code, message }, outcome) => {
        if (outcome === 'protocol_error') reject(new JobRefused(message ?? 'The release refused tools/list.'));
        else reject(new AppError(code, message === undefined ? {} : { message }));
      },
    });
    const end = (): void => {
      cancel();
      reject(new AppError('deadline_exceeded', { message: 'The release did not answer tools/list in time.' }));
    };
    if (ends.aborted) end();
    else ends.addEventListener('abort', end, { once: true });
  });
}

function parseAnswer(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString());
  } catch {
    return undefined;
  }
}
