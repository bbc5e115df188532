import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  ProtocolError,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/client';
import { EgressFailure } from '../egress/egress-stream.js';
import { aside, askingNow, listening } from './upstream-fetch.js';

/** Marks an error that no upstream has sent; it leaves this room as an `EgressFailure`. */
const NO_ANSWER = { code: 1, message: 'wharf: this is no answer to the request' };

/**
 * Ends every request of a session with the answer that its own HTTP exchange brings. An upstream that answers with
 * another id, or accepts a request and says nothing, would leave it waiting for its deadline.
 */
export function watchAnswers(transport: Transport): void {
  sending(transport, async (message, send) => {
    const whose = askingNow();
    if (whose === undefined || whose.kind === 'listen' || !isJSONRPCRequest(message)) return send();
    [whose.unanswered, whose.streams] = [message.id, false];
    await send();
    if (whose.streams || whose.unanswered !== message.id) return;
    whose.unanswered = undefined;
    transport.onmessage?.(refused(message.id));
  });
  hearing(transport, (message) => {
    const whose = askingNow();
    const sent = isAnswer(message) ? whose?.unanswered : undefined;
    if (whose === undefined || sent === undefined) return message;
    whose.unanswered = undefined;
    return isAnswer(message) && message.id === sent ? message : refused(sent);
  });
}

/** The same where all answers come by one stream (HTTP+SSE): a wrong one is told where one request alone waits. */
export function watchOneStream(transport: Transport): void {
  const waiting = new Set<unknown>();
  sending(transport, async (message, send) => {
    if (isJSONRPCRequest(message)) waiting.add(message.id);
    if (isCancelled(message)) waiting.delete(message.params?.['requestId']);
    await send().catch((error: unknown) => {
      if (isJSONRPCRequest(message)) waiting.delete(message.id);
      throw error;
    });
  });
  hearing(transport, (message) => {
    if (!isAnswer(message) || waiting.delete(message.id) || waiting.size !== 1) return message;
    const [id] = waiting as Set<RequestId>; // its entries are ids of requests
    waiting.clear();
    return id === undefined ? message : refused(id);
  });
}

/** The failure behind an error that stands for an answer which was none. */
export function noAnswerIn(error: unknown): EgressFailure | undefined {
  if (!(error instanceof ProtocolError)) return undefined;
  if (error.code !== NO_ANSWER.code || error.message !== NO_ANSWER.message) return undefined;
  return new EgressFailure('invalid_response', 'what it answered does not have the id of the request');
}

/** Sends through `through`; what no exchange of a caller waits for is sent for none. */
function sending(transport: Transport, through: (message: JSONRPCMessage, send: () => Promise<void>) => Promise<void>) {
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const own = (): Promise<void> => through(message, () => send(message, options));
    if (isJSONRPCRequest(message)) return message.method === 'subscriptions/listen' ? listening(own) : own();
    return isCancelled(message) || askingNow()?.lasts === true ? aside(own) : own();
  };
}

/** Has what comes in pass through `through` before whoever listens when the transport starts hears it. */
function hearing(transport: Transport, through: (message: JSONRPCMessage) => JSONRPCMessage): void {
  const start = transport.start.bind(transport);
  transport.start = async () => {
    const heard = transport.onmessage?.bind(transport);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no EventTarget
    transport.onmessage = (message, extra) => heard?.(through(message), extra);
    await start();
  };
}

function refused(id: RequestId): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: NO_ANSWER };
}

function isCancelled(message: JSONRPCMessage): message is Extract<JSONRPCMessage, { method: string }> {
  return isJSONRPCNotification(message) && message.method === 'notifications/cancelled';
}

function isAnswer(message: JSONRPCMessage): message is Extract<JSONRPCMessage, { id?: RequestId | undefined }> {
  return isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
}
