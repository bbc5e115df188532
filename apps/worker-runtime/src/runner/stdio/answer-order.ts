import { isJSONRPCNotification, type JSONRPCMessage } from '@modelcontextprotocol/client';
import type { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

/**
 * The SDK's client hears notifications a moment later than answers, and would drop the progress that came together with
 * an answer; so answers wait for the notifications before them to be heard.
 */
export function answerAfterNotifications(transport: StdioClientTransport): void {
  const receive = transport.onmessage;
  const answers: JSONRPCMessage[] = [];
  let hearing = false;
  const flush = (): void => {
    hearing = false;
    for (const answer of answers.splice(0)) receive?.(answer);
  };
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no EventTarget
  transport.onmessage = (message) => {
    const notified = isJSONRPCNotification(message);
    if (notified && !hearing) setImmediate(flush);
    hearing ||= notified;
    if (hearing && !notified) answers.push(message);
    else receive?.(message);
  };
}
