import { classifyInboundRequest, type InboundClassificationOutcome } from '@modelcontextprotocol/server';
import type { ProtocolHeaders } from './modern-headers.js';

type ModernRequest = Extract<InboundClassificationOutcome, { kind: 'modern'; messageKind: 'request' }>;
/** What the SDK says of good requests; what it refuses is judged anew each time. */
type Verdict = Omit<ModernRequest, 'message'> | Extract<InboundClassificationOutcome, { kind: 'legacy' }>;

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params']);
const LIKENESS_LENGTH_MAX = 2_048;
const VERDICTS_MAX = 512;

/**
 * Judges POSTed messages by the SDK's rules. A plain request that is like one the SDK has judged in everything it looks
 * at (version and method, in headers and body, and the text of `_meta`) is judged the same without asking it again.
 */
export class SdkVerdicts {
  readonly #known = new Map<string, Verdict>();

  /** Which era a message belongs to and what it is. */
  judge(headers: ProtocolHeaders, body: unknown): InboundClassificationOutcome {
    const request = plainRequest(body);
    const likeness = request && likenessOf(headers, request);
    const known = likeness === undefined ? undefined : this.#known.get(likeness);
    if (known !== undefined && request !== undefined)
      return known.kind === 'modern' ? { ...known, message: request } : known;
    const outcome = askSdk(headers, body);
    if (likeness !== undefined) this.#learn(likeness, outcome);
    return outcome;
  }

  #learn(likeness: string, outcome: InboundClassificationOutcome): void {
    if (outcome.kind === 'reject' || (outcome.kind === 'modern' && outcome.messageKind !== 'request')) return;
    if (this.#known.size >= VERDICTS_MAX) this.#known.clear();
    if (outcome.kind === 'legacy') this.#known.set(likeness, outcome);
    else {
      const { message: _, ...verdict } = outcome;
      this.#known.set(likeness, verdict);
    }
  }
}

function askSdk({ version, method, name }: ProtocolHeaders, body: unknown): InboundClassificationOutcome {
  return classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body,
  });
}

/** A JSON-RPC request with nothing unusual about it; `initialize` is judged by more than `_meta`. */
function plainRequest(body: unknown): ModernRequest['message'] | undefined {
  if (!isObject(body) || body['jsonrpc'] !== '2.0') return undefined;
  for (const member of Object.keys(body)) if (!MEMBERS.has(member)) return undefined;
  const { id, method, params } = body;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
  if (typeof method !== 'string' || method === 'initialize') return undefined;
  if (params !== undefined && !isObject(params)) return undefined;
  return body as ModernRequest['message']; // the checks above
}

/** Undefined where it would be long, or another one in every request. */
function likenessOf(headers: ProtocolHeaders, { method, params }: ModernRequest['message']): string | undefined {
  const meta: unknown = params?._meta;
  if (meta !== undefined && (!isObject(meta) || 'progressToken' in meta)) return undefined;
  const likeness = JSON.stringify([headers.version, headers.method, method, params === undefined, meta]);
  return likeness.length > LIKENESS_LENGTH_MAX ? undefined : likeness;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
