import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequests,
  type InputRequiredResult,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Answers by the key of their question. */
export type Answers = Readonly<Record<string, unknown>>;

/** Asks the client and waits for all answers, in whichever way its era knows. */
export type Ask = (questions: InputRequests) => Promise<Answers>;

/** Thrown where the answers come with the next request: what this one is answered with. */
class AnswersLater {
  constructor(readonly result: InputRequiredResult) {}
}

/** How a question names itself where requests have no key of their own (`docs/releases.md`). */
const KEY_META = 'wharf/input-key';
const anyResult = z.looseObject({});

/** Runs what may ask. In the 2026 era what it answered so far travels in the state, and it runs anew each round. */
export async function whileAsking(
  mcp: McpServer,
  context: ServerContext,
  codec: RequestStateCodec<Answers>,
  run: (ask: Ask) => Promise<object> | object,
): Promise<CallToolResult> {
  try {
    const ask = context.mcpReq.envelope === undefined ? askAtOnce(mcp, context) : askByResult(context, codec);
    return (await run(ask)) as CallToolResult; // also the other kinds, which the SDK passes on as they are
  } catch (thrown) {
    if (thrown instanceof AnswersLater) return thrown.result as unknown as CallToolResult; // passed on as it is
    throw thrown;
  }
}

/** What the client of this request can do. */
export function capabilitiesOf(mcp: McpServer, context: ServerContext): ClientCapabilities {
  const { envelope } = context.mcpReq;
  if (envelope === undefined) return mcp.server.getClientCapabilities() ?? {};
  return (Reflect.get(envelope, CLIENT_CAPABILITIES_META_KEY) as ClientCapabilities | undefined) ?? {}; // checked by the SDK
}

function askAtOnce(mcp: McpServer, context: ServerContext): Ask {
  return async (questions) => {
    const asked = Object.entries(questions).map(async ([key, { method, params }]) => {
      const named = { ...params, _meta: { [KEY_META]: key } };
      const options = { relatedRequestId: context.mcpReq.id, signal: context.mcpReq.signal };
      return [key, await mcp.server.request({ method, params: named }, anyResult, options)] as const;
    });
    return Object.fromEntries(await Promise.all(asked));
  };
}

function askByResult(context: ServerContext, codec: RequestStateCodec<Answers>): Ask {
  const { inputResponses = {}, requestState } = context.mcpReq;
  const known: Record<string, unknown> = { ...requestState<Answers>() };
  return async (questions) => {
    for (const key of Object.keys(questions)) {
      const answer = inputResponses[key];
      if (typeof answer === 'object' && answer !== null) known[key] ??= answer;
    }
    const open = Object.entries(questions).filter(([key]) => known[key] === undefined);
    if (open.length === 0) return known;
    const state = await codec.mint(known, context);
    throw new AnswersLater(inputRequired({ inputRequests: Object.fromEntries(open), requestState: state }));
  };
}
