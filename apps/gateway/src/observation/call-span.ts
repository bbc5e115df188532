import { SpanKind, type Attributes } from '@opentelemetry/api';
import { startWorkSpan, type WorkSpan } from '#libs/telemetry';
import type { AuthorizedCall } from '../access/authorize.js';
import type { Exchange } from '../edge/exchange.js';

const NAME_LENGTH_MAX = 128;

/**
 * The call as part of its trace: the agent's own where `params._meta` carries one (MCP, SEP-414), else the one of its
 * HTTP request, else a new one; and with the gateway's span where spans are exported.
 */
export function traced<Call extends AuthorizedCall>(call: Call, exchange: Exchange): Call {
  const sent = exchange.head?.traceparent;
  const parent = sent ?? call.traceparent;
  const span = startCallSpan(call, exchange, parent);
  if (span === undefined && sent === undefined) return call;
  const traceparent = span?.traceparent ?? parent;
  return { ...call, traceparent, traceId: traceparent.slice(3, 35), ...(span === undefined ? {} : { span }) };
}

/** The server's span of one MCP message (OpenTelemetry, semantic conventions for MCP, "Server"). */
function startCallSpan(call: AuthorizedCall, exchange: Exchange, parent: string): WorkSpan | undefined {
  return startWorkSpan(() => {
    const { head, operation } = exchange;
    const method = head?.method?.slice(0, NAME_LENGTH_MAX) ?? operation;
    const tool = method === 'tools/call' ? head?.subject?.slice(0, NAME_LENGTH_MAX) : undefined;
    const prompt = method === 'prompts/get' ? head?.subject?.slice(0, NAME_LENGTH_MAX) : undefined;
    const target = tool ?? prompt;
    const ambient = parent === call.traceparent ? {} : { link: call.traceparent };
    return {
      room: 'gateway',
      name: target === undefined ? method : `${method} ${target}`,
      kind: SpanKind.SERVER,
      // Where nobody sent one, ours is only a number to find things by: nothing was recorded under it.
      parent,
      ...ambient,
      startedMs: call.startedMs,
      attributes: {
        'mcp.method.name': method,
        ...requestAttributes(exchange),
        ...(tool === undefined ? {} : { 'gen_ai.tool.name': tool, 'gen_ai.operation.name': 'execute_tool' }),
        ...(prompt === undefined ? {} : { 'gen_ai.prompt.name': prompt }),
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'network.protocol.version': call.request.httpVersion,
        'wharf.tenant.id': call.tenant.tenantId,
        'wharf.tenant': call.tenant.slug,
        ...(call.target.serverSlug === undefined ? {} : { 'wharf.server': call.target.serverSlug }),
      },
    };
  });
}

/** Attributes of the message; a session's id opens it, and a resource's address may hold arguments, so neither is told. */
function requestAttributes({ era, head }: Exchange): Attributes {
  return {
    'wharf.era': era,
    ...(head?.id === undefined ? {} : { 'jsonrpc.request.id': String(head.id).slice(0, 64) }),
    ...(head?.client === undefined ? {} : { 'wharf.client': head.client }),
  };
}
