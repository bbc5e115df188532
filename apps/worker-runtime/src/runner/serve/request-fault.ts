import type { JSONRPCErrorResponse, JSONRPCRequest } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';

/** Thrown for a request whose parameters cannot be meant; it is answered in words that an agent can correct itself by. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault';

  constructor(
    private readonly id: JSONRPCRequest['id'],
    message: string,
  ) {
    super(message);
  }

  /** The fault as the request's answer: `Invalid params` (JSON-RPC 2.0, MCP server/tools). */
  answer(): JSONRPCErrorResponse {
    return {
      jsonrpc: '2.0',
      id: this.id,
      error: { code: ERROR_CATALOGUE.invalid_params.jsonRpc, message: this.message },
    };
  }
}

/** Refuses parameters that the SDK would refuse in the words of its validator, or drop without a word. @throws RequestFault */
export function refuseFaults(request: JSONRPCRequest): void {
  const sentence = request.method === 'tools/call' ? callFault(request.params) : listFault(request);
  if (sentence !== undefined) throw new RequestFault(request.id, sentence);
}

function callFault(params: JSONRPCRequest['params']): string | undefined {
  const given: unknown = params?.['arguments'];
  if (typeof params?.['name'] !== 'string')
    return 'tools/call needs `name`, the name of a tool as tools/list shows it.';
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return '`arguments` must be an object that names each argument, or be left out.';
  return Object.hasOwn(given, '__proto__') ? 'An argument must not be named __proto__.' : undefined;
}

/** A list of tools has one page, so nobody can have been given a cursor. */
function listFault({ method, params }: JSONRPCRequest): string | undefined {
  return method === 'tools/list' && params?.['cursor'] !== undefined
    ? `${method} has one page here. Send it without a cursor.`
    : undefined;
}
