import { canonicalJson } from '#libs/protocol';

/** Which release answered (MCP 2026-07-28, basic, "`_meta`"): another one for every release, whatever its tools say. */
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

interface Answered {
  readonly result?: { readonly _meta?: Readonly<Record<string, unknown>> };
}

/** Whether two releases answered a request alike, but for their own names and the order of members. */
export function isSameAnswer(left: Buffer, right: Buffer): boolean {
  if (left.length === 0 || right.length === 0) return left.length === right.length; // a cancelled call has no answer
  return left.equals(right) || said(left) === said(right);
}

function said(message: Buffer): string {
  const answer = JSON.parse(message.toString()) as Answered; // a worker's JSON-RPC answer
  if (answer.result === undefined) return canonicalJson(answer);
  const { [SERVER_INFO]: _, ...meta } = answer.result._meta ?? {};
  return canonicalJson({ ...answer, result: { ...answer.result, _meta: meta } });
}
