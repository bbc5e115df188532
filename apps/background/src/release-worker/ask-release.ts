import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import { routeKey, type Envelope, type FrameFailure, type OutcomeClass, type RuntimeClient } from '#libs/protocol';

const JSON_BOUNDS = { depthMax: 256, keysMax: 1_000_000 };

/** A release as its own worker would serve it. */
export interface ReleaseSubject {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly releaseId: string;
  readonly digest: string;
  /** Whether its server's agents may call tools that write. */
  readonly writes: boolean;
  readonly contextVersion: string;
}

/** One request to a release's worker. */
export interface Question {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Whom the worker is told it serves; never a person or a key. */
  readonly principal: `system|${string}`;
  readonly timeoutMs: number;
  /** How many bytes of a tool's answer its result holds; as many as a result usually does without it. */
  readonly inlineBytes?: number;
  /** A session of the 2025 era; without it, the request is of the 2026 era. */
  readonly sessionId?: string;
}

/** What a worker answered: a result, or that it refused the request. */
export type WorkerAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly message: string };

/** What a request of the 2026 era carries about its client. */
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'wharf-verification', version: '1.0.0' },
};

/** Asks a release's worker, within the question's time. @throws AppError where it could not be asked or did not answer */
export async function askRelease(
  runtime: RuntimeClient,
  subject: ReleaseSubject,
  question: Question,
  signal: AbortSignal,
): Promise<WorkerAnswer> {
  const { method, params, sessionId, timeoutMs } = question;
  const meta = sessionId === undefined ? { _meta: META } : {};
  const payload = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...meta } }));
  const envelope = envelopeOf(subject, question, 'message');
  return send(runtime, envelope, payload, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
}

/** Ends a session of the 2025 era; a worker that is gone already has none. */
export async function closeSession(runtime: RuntimeClient, subject: ReleaseSubject, question: Question): Promise<void> {
  const envelope = envelopeOf(subject, question, 'close');
  await send(runtime, envelope, Buffer.alloc(0), AbortSignal.timeout(question.timeoutMs)).catch(() => undefined);
}

function envelopeOf(subject: ReleaseSubject, question: Question, operation: Envelope['operation']): Envelope {
  const { tenantId, serverSlug, releaseId, digest, contextVersion, writes } = subject;
  const mounts = [{ serverSlug, releaseId, digest, prefix: '', ...(writes ? {} : { only: 'read' as const }) }];
  const { sessionId, principal, timeoutMs, inlineBytes } = question;
  return {
    route: { tenantId, mounts, key: routeKey(tenantId, mounts) },
    era: sessionId === undefined ? 'modern' : 'legacy',
    operation,
    ...(sessionId === undefined ? {} : { sessionId }),
    principal,
    deadlineMs: Date.now() + timeoutMs,
    contextVersion,
    ...(inlineBytes === undefined ? {} : { inlineBytes }),
  };
}

function send(runtime: RuntimeClient, envelope: Envelope, payload: Buffer, ends: AbortSignal): Promise<WorkerAnswer> {
  return new Promise<WorkerAnswer>((resolve, reject) => {
    const settled = (settle: () => void): void => {
      ends.removeEventListener('abort', end);
      settle();
    };
    const cancel = runtime.call(envelope, payload, {
      onPart: () => {},
      onDone: (message) => settled(() => resolve(answerOf(message))),
      onFail: (failure, outcome) => settled(() => settleFailure(failure, outcome, resolve, reject)),
    });
    const end = (): void => {
      cancel();
      reject(new AppError('deadline_exceeded', { message: 'The release did not answer in time.' }));
    };
    if (ends.aborted) end();
    else ends.addEventListener('abort', end, { once: true });
  });
}

function settleFailure(
  { code, message }: FrameFailure,
  outcome: OutcomeClass,
  resolve: (answer: WorkerAnswer) => void,
  reject: (error: AppError) => void,
): void {
  if (outcome === 'protocol_error') resolve({ kind: 'error', message: message ?? 'The request was refused.' });
  else reject(new AppError(code, message === undefined ? {} : { message }));
}

/** A JSON-RPC answer; what is none is an answer of neither kind that the caller would expect. */
function answerOf(message: Buffer): WorkerAnswer {
  try {
    const answer: unknown = message.length === 0 ? {} : parseJson(message, JSON_BOUNDS);
    if (typeof answer === 'object' && answer !== null) {
      if ('result' in answer) return { kind: 'result', result: answer.result };
      if ('error' in answer) return { kind: 'error', message: messageOf(answer.error) };
    }
    return { kind: 'error', message: 'The answer is neither a result nor an error of JSON-RPC.' };
  } catch {
    return { kind: 'error', message: 'The answer is not JSON, or nested too deeply.' };
  }
}

function messageOf(error: unknown): string {
  const text = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'an error';
  return text.slice(0, 300);
}
