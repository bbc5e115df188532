/**
 * Every error a caller can meet: its HTTP status, its JSON-RPC code and the sentence the public sees.
 *
 * JSON-RPC codes of our own lie outside -32768..-32000, which JSON-RPC and MCP reserve
 * (MCP 2026-07-28, basic, "Error codes"); protocol-defined situations use the protocol's own code.
 */
export const ERROR_CATALOGUE = {
  malformed_json: { status: 400, jsonRpc: -32700, title: 'The request body is not valid JSON.' },
  invalid_request: { status: 400, jsonRpc: -32600, title: 'The request is not valid.' },
  invalid_params: { status: 400, jsonRpc: -32602, title: 'The parameters are not valid.' },
  header_mismatch: { status: 400, jsonRpc: -32020, title: 'A header does not match the message body.' },
  missing_client_capability: {
    status: 400,
    jsonRpc: -32021,
    title: 'The client did not declare a capability that this call needs.',
  },
  unsupported_protocol_version: { status: 400, jsonRpc: -32022, title: 'This protocol version is not supported.' },
  session_required: { status: 400, jsonRpc: -32600, title: 'This request needs an Mcp-Session-Id header.' },
  unauthenticated: { status: 401, jsonRpc: -31001, title: 'Valid credentials are required.' },
  forbidden: { status: 403, jsonRpc: -31003, title: 'These credentials do not allow this.' },
  origin_refused: { status: 403, jsonRpc: -31003, title: 'This Origin or Host is not allowed.' },
  insufficient_scope: { status: 403, jsonRpc: -31003, title: 'The token lacks a scope that this call needs.' },
  policy_denied: { status: 403, jsonRpc: -31006, title: 'A policy of this organisation does not allow this call.' },
  approval_required: { status: 403, jsonRpc: -31007, title: 'A person has to approve this call before it runs.' },
  tenant_suspended: {
    status: 403,
    jsonRpc: -31004,
    title: 'This tenant is suspended. Contact the operator of the platform.',
  },
  not_found: { status: 404, jsonRpc: -31005, title: 'Nothing was found here.' },
  method_not_found: { status: 404, jsonRpc: -32601, title: 'This method does not exist.' },
  session_not_found: {
    status: 404,
    jsonRpc: -31005,
    title: 'This session does not exist or has ended. Initialize a new one.',
  },
  method_not_allowed: { status: 405, jsonRpc: -32600, title: 'This HTTP method is not allowed here.' },
  not_acceptable: {
    status: 406,
    jsonRpc: -32600,
    title: 'The client must accept both application/json and text/event-stream.',
  },
  request_timeout: { status: 408, jsonRpc: -32600, title: 'The request took too long to arrive.' },
  conflict: { status: 409, jsonRpc: -31009, title: 'This conflicts with the present state.' },
  idempotency_key_in_use: {
    status: 409,
    jsonRpc: -31009,
    title: 'The first request with this Idempotency-Key is not answered yet. Ask again shortly.',
  },
  precondition_failed: {
    status: 412,
    jsonRpc: -31009,
    title: 'This was changed since you read it. Read it again before you change it.',
  },
  too_large: { status: 413, jsonRpc: -32600, title: 'The request is too large.' },
  unsupported_media_type: { status: 415, jsonRpc: -32600, title: 'This content type is not supported.' },
  misdirected: { status: 421, jsonRpc: -31021, title: 'This tenant is served by another region.' },
  unprocessable: { status: 422, jsonRpc: -32602, title: 'The document was understood but cannot be used.' },
  idempotency_key_reused: {
    status: 422,
    jsonRpc: -31009,
    title: 'This Idempotency-Key was used for another request. Give each request a key of its own.',
  },
  precondition_required: {
    status: 428,
    jsonRpc: -31009,
    title: 'This replaces what is there. Read it first, and send its ETag as If-Match.',
  },
  rate_limited: { status: 429, jsonRpc: -31029, title: 'Too many requests. Wait before trying again.' },
  internal: { status: 500, jsonRpc: -32603, title: 'Something went wrong on our side.' },
  worker_failed: {
    status: 502,
    jsonRpc: -31052,
    title:
      'The worker stopped before it answered. The call may have run: check before you repeat one that changes something.',
  },
  unavailable: { status: 503, jsonRpc: -31053, title: 'This is unavailable for the moment. Try again shortly.' },
  deadline_exceeded: { status: 504, jsonRpc: -31054, title: 'This took longer than its time limit.' },
} as const satisfies Record<string, CatalogueEntry>;

interface CatalogueEntry {
  readonly status: number;
  readonly jsonRpc: number;
  readonly title: string;
}

/** The code of an error in the catalogue; switches over it are exhaustive. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;
