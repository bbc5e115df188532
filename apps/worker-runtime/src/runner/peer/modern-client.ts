import type { ClientCapabilities, Notification } from '@modelcontextprotocol/client';
import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  type LoggingLevel,
  type ServerContext,
} from '@modelcontextprotocol/server';

type Members = Readonly<Record<string, unknown>>;

/** A client of the 2026 era, as one request of it tells (MCP 2026-07-28, basic, "Request metadata"). */
export interface ModernClient {
  /** The protocol's own members of the request's `_meta`. */
  readonly envelope: Members;
  readonly capabilities: ClientCapabilities;
  /** Below which log messages are not wanted; without it none are. */
  readonly logLevel: LoggingLevel | undefined;
  /** What it answers to an earlier `input_required`, by key. */
  readonly inputResponses: Members;
  readonly requestState: string | undefined;
  /** Tells it something while the request runs. */
  readonly tell: (notification: Notification) => void;
}

/** The client of a request that the SDK serves. */
export function modernClientOf({ mcpReq }: ServerContext): ModernClient {
  const tell = (notification: Notification): void => {
    // The SDK knows the kinds that we pass on; a caller that has left hears nothing.
    void mcpReq.notify(notification as Parameters<typeof mcpReq.notify>[0]).catch(() => undefined);
  };
  const { inputResponses = {}, requestState } = mcpReq;
  return { ...factsOf({ ...mcpReq.envelope }), inputResponses, requestState: requestState<string>(), tell };
}

/** The client of a plain request, which asks for no log and answers nothing. */
export function plainClient(meta: object | undefined): ModernClient {
  return { ...factsOf({ ...meta }), inputResponses: {}, requestState: undefined, tell: () => undefined };
}

function factsOf(meta: Members): Pick<ModernClient, 'envelope' | 'capabilities' | 'logLevel'> {
  const own = Object.entries(meta).filter(([name]) => name.startsWith('io.modelcontextprotocol/'));
  const envelope: Members = Object.fromEntries(own);
  return {
    envelope,
    // The SDK has checked the envelope of every request before this one or one like it came here.
    capabilities: (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as ClientCapabilities,
    logLevel: envelope[LOG_LEVEL_META_KEY] as LoggingLevel | undefined,
  };
}
