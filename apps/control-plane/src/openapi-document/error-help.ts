import type { ErrorCode } from '#libs/errors';

/** For each kind of error: when it comes, and what to do. Words between backticks are code. */
export const ERROR_HELP: Readonly<Record<ErrorCode, string>> = {
  malformed_json:
    'The body could not be read as JSON: it is cut off, or is not UTF-8. Send it again as your JSON library writes it.',
  invalid_request:
    'Something in the path, query, headers or body is not as the route takes it. `errors` points at each place (RFC 6901) and says what belongs there. Nothing was done: correct it and send it again.',
  invalid_params:
    'An agent called a tool with arguments that do not fit its input schema. `errors` names each place. Read the tool’s schema again: a new release may have changed it.',
  header_mismatch:
    'An agent’s headers name another method or tool than its message does. This is a fault of the client: update it.',
  missing_client_capability:
    'The call needs something of the client, such as asking its person, which the client did not declare. Use a client that can, or a tool that does not need it.',
  unsupported_protocol_version:
    'The client speaks a version of MCP that is not served. `data` names those that are: update the client.',
  session_required:
    'The client began no session, or lost its `Mcp-Session-Id`. It has to send `initialize` first, and the id with every request after that.',
  unauthenticated:
    'No credentials came, or they open nothing: a key that was revoked, has expired, or is cut off; a token that has ended or is for another URL. `detail` says which of those can be told from what you sent. An API key is made with `POST /v1/api-keys`; `wharf login` gets a token.',
  forbidden:
    'The credentials are good and do not hold what the route asks for. `detail` names the permission; `GET /v1/me` shows those that you have. An owner or admin changes a member’s role; some things people do alone, and no key does.',
  origin_refused:
    'A web page of an origin that the tenant does not allow called, or the request came under a host that is not served here. Add the origin with `PATCH /v1/tenant`, or use the URL that you were given.',
  insufficient_scope:
    'The token or key lacks a scope. `WWW-Authenticate` names it: ask for a token with it, or use a key that has it. For the management API that is `management`.',
  policy_denied:
    'A rule of the tenant forbids this call. The record of the call names the rule; `GET /v1/policies` lists them all. Do not repeat the call.',
  approval_required:
    'A rule of the tenant has a person look at this call first. `data` has the id of the approval and when it ends. Once it is approved, make the same call again, with exactly the same arguments.',
  tenant_suspended:
    'The operator has suspended the tenant, or it is to be deleted. `GET /v1/tenant/deletion` tells of the second; an owner can take that back. Otherwise contact the operator.',
  not_found:
    'There is nothing here under this name, or nothing that you may see: both are answered alike. Look at the spelling, in lower case, and whether the credentials are of the right tenant.',
  method_not_found: 'An agent asked for an MCP method that does not exist here. This is a fault of the client.',
  session_not_found:
    'The session has ended: it was idle, was closed, or its server has changed. The client has to send `initialize` again.',
  method_not_allowed: 'The path is right and the HTTP method is not. `Allow` names those that there are.',
  not_acceptable: 'The client’s `Accept` leaves out `application/json` or `text/event-stream`. MCP asks for both.',
  request_timeout:
    'The body did not arrive within 30 seconds. Nothing was done: send it again, over a better connection or in smaller parts.',
  conflict:
    'What you ask for does not go with what is there: a name is taken, a limit of number is reached, or something else has to be done first. `detail` says what. Sending it again unchanged gives the same answer.',
  idempotency_key_in_use:
    'A request with the same `Idempotency-Key` is still running, or broke off so that nobody knows whether it took effect. Wait for `Retry-After` and ask again; where it stays so, look whether the thing is there.',
  precondition_failed:
    'Somebody changed the thing after you read it (`If-Match`), or it is there already (`If-None-Match: *`). Nothing was done: read it, decide anew, and send its `ETag`.',
  too_large:
    'The body is larger than the route takes: 1 MiB for JSON, unless the route says otherwise. Send less at once.',
  unsupported_media_type:
    'The body’s `content-type` is not one that the route takes, or it is compressed. `detail` names those that it takes.',
  misdirected: 'The tenant is at home in another region. `detail` says where: send the request there.',
  unprocessable:
    'The request has the right shape and cannot be used: a scope names no server, a bundle does not build, a document holds hidden characters. `errors` or `detail` says what to mend.',
  idempotency_key_reused:
    'The same `Idempotency-Key` came with another route or body within a day. Give each request a key of its own, and the same key only to the same request sent again.',
  precondition_required:
    'The route replaces a whole list and wants to know that you have seen it. Read it, and send its `ETag` as `If-Match`.',
  rate_limited:
    'A limit is full: `RateLimit` names it, `RateLimit-Policy` says what it gives, `Retry-After` when to come again. Nothing was done. Spread your requests, or ask the operator for more.',
  internal:
    'We made a mistake. Whether the request took effect is not certain: look, or send a POST again with the same `Idempotency-Key`. Where it stays so, tell the operator the `request_id`.',
  worker_failed:
    'The process that runs the server’s code ended before it answered. The call may have run: look before you repeat one that changes something. The server’s log says why.',
  unavailable:
    'Something that we need is away for the moment, or there is maintenance. Send the request again after `Retry-After`.',
  deadline_exceeded:
    'The call or build took longer than it may. It may have taken effect: look before you repeat it. A tool’s time is set in its release.',
};
