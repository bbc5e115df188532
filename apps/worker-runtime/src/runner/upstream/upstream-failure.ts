import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { ERROR_CATALOGUE } from '#libs/errors';
import { loginIn } from '../logins/logins.js';
import type { PeerCaller } from '../peer/caller-link.js';
import { MISSING_CAPABILITY } from '../peer/results.js';
import { EgressFailure, LoginNeeded } from '../egress/egress-stream.js';
import { RemoteFailure } from './remote-failure.js';

const REPEAT = 'It may still have been carried out: check before repeating a call that changes something.';
const MESSAGE_CHARACTERS_MAX = 500;
/** What servers of the 2025 era say of a session that they do not know, where they do not answer 404 as they must. */
const LOST_SESSION = /session/i;
/** How the SDK says that a server of HTTP+SSE refused a message. */
const REFUSED_MESSAGE = /^Error POSTing to endpoint \(HTTP (\d{3})\)/;
/** With which such a server refuses a message of a stream that it no longer has. */
const LOST_STREAM = new Set([400, 404, 405, 410]);

/** Why egress sends nothing. */
const UNSENT = new Set(['blocked', 'no_credential', 'open', 'held', 'busy', 'connect', 'untrusted']);

/** The errors along a chain of causes. */
function* chainOf(error: unknown): Generator<Error> {
  for (let depth = 0; error instanceof Error && depth < 6; depth += 1, error = error.cause) yield error;
}

function egressFailureIn(error: unknown): EgressFailure | undefined {
  for (const each of chainOf(error)) if (each instanceof EgressFailure) return each;
  return undefined;
}

/** The HTTP status that an upstream refused a request with. */
export function statusOf(error: unknown): number | undefined {
  for (const each of chainOf(error)) if (each instanceof SdkHttpError) return each.status;
  return refusedMessageIn(error);
}

function refusedMessageIn(error: unknown): number | undefined {
  for (const { message } of chainOf(error)) {
    const status = REFUSED_MESSAGE.exec(message)?.[1];
    if (status !== undefined) return Number(status);
  }
  return undefined;
}

/** Whether an upstream does not know a session any more, and so has not run what it was asked. */
export function isSessionLost(error: unknown): boolean {
  if (isUnsent(error) || LOST_STREAM.has(refusedMessageIn(error) ?? 0)) return true;
  const status = statusOf(error);
  return status === 404 || (status === 400 && error instanceof Error && LOST_SESSION.test(error.message));
}

/** Whether the connection had gone before the SDK sent anything. */
function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message === 'Not connected';
}

/** Whether what was being connected for has been given up by its own caller, so that others may try again. */
export function isGivenUp(error: unknown): boolean {
  return egressFailureIn(error)?.reason === 'aborted';
}

const rpcErrorSchema = z.object({
  error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
});

/** The JSON-RPC error that an upstream answered with, also with a status of its own (MCP 2026-07-28, transports). */
export function answeredIn(error: unknown): ProtocolError | undefined {
  if (error instanceof ProtocolError) return error;
  if (!(error instanceof SdkHttpError) || (error.status !== 400 && error.status !== 404)) return undefined;
  try {
    const { code, message, data } = rpcErrorSchema.parse(JSON.parse(String(error.data['text']))).error;
    return new ProtocolError(code, message, data);
  } catch {
    return undefined; // a page of its own
  }
}

/** Codes that mean to a client what the server meant: bad parameters, no such method or resource, go to this URL first. */
const { invalid_params: invalidParams, method_not_found: methodNotFound } = ERROR_CATALOGUE;
const PASSED_ON = new Set([invalidParams.jsonRpc, methodNotFound.jsonRpc, -32_002, -32_042]);
const RELAYED_CHARACTERS_MAX = 2_000;

/** An upstream's error as its caller is told of it: its own where it means the same to clients. */
export function relayedError({ code, message, data }: ProtocolError, { client }: PeerCaller): ProtocolError {
  const text = message.slice(0, RELAYED_CHARACTERS_MAX);
  // What a client of the 2026 era has not declared was asked of it in this very request.
  if (PASSED_ON.has(code) || (client !== undefined && code === MISSING_CAPABILITY))
    return new ProtocolError(code, text, data);
  return new ProtocolError(ERROR_CATALOGUE.internal.jsonRpc, text);
}

/** Whether a request showed that an upstream is not there at all, rather than slow or at odds with one request. */
export function isUnreachable(error: unknown): boolean {
  if (loginIn(error) !== undefined) return false;
  const reason = egressFailureIn(error)?.reason;
  if (reason !== undefined) return reason !== 'busy' && UNSENT.has(reason);
  return [401, 403, 502, 503, 504].includes(statusOf(error) ?? 0);
}

/** Whether a failure says something against the upstream, rather than about one request. */
export function isDown(error: unknown): boolean {
  if (error instanceof ProtocolError || isGivenUp(error) || loginIn(error) !== undefined) return false;
  return egressFailureIn(error)?.reason !== 'busy';
}

/** Whether an upstream refused the credentials that it was shown. */
export function isRefusal(error: unknown): boolean {
  return [401, 403].includes(statusOf(error) ?? 0);
}

/** Why an upstream is not there, in a few words that name nothing of its network. */
export function reasonOf(error: unknown): string {
  const failure = egressFailureIn(error);
  if (failure !== undefined) return sentences[failure.reason] ?? 'it cannot be reached';
  const status = statusOf(error);
  if (status === 401 || status === 403) return 'it refuses the credentials';
  if (status !== undefined) return `it answers with status ${status}`;
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return 'it does not answer in time';
  return 'it does not answer as an MCP server';
}

const sentences: Readonly<Record<string, string>> = {
  blocked: 'the platform does not let requests to it out',
  no_credential: 'a credential that it is asked with is missing or cannot be used',
  open: 'it failed too often just now and is left alone for a while',
  held: 'the operator of the platform holds back every request to it for a while',
  busy: 'too many requests of this tenant are under way',
  timeout: 'it does not answer in time',
  too_large:
    'it answers more than the platform’s limits allow: 10 MiB, and in a message 256 levels and 200,000 members',
  connect: 'it cannot be reached',
  broken_off: 'it ended the connection before it had answered in full',
  untrusted: 'its TLS certificate does not prove who it is',
  aborted: 'the call was cancelled',
  invalid_response: 'it does not answer as an MCP server',
};

/** What to tell a caller whose request an upstream did not answer. */
export function remoteFailure(
  upstream: string,
  error: unknown,
  stage: 'connect' | 'request',
): RemoteFailure | LoginNeeded {
  if (error instanceof RemoteFailure) return error;
  const login = loginIn(error);
  if (login !== undefined) return new LoginNeeded(login);
  const reason = reasonOf(error);
  const failure = egressFailureIn(error);
  const detail =
    failure === undefined || failure.message === failure.reason
      ? ''
      : ` (${failure.message.slice(0, MESSAGE_CHARACTERS_MAX)})`;
  const unsent = stage === 'connect' || (failure !== undefined && UNSENT.has(failure.reason));
  const advice = unsent ? 'The request was not sent to it.' : REPEAT;
  return new RemoteFailure(
    `${JSON.stringify(upstream)}, the upstream MCP server behind this, could not answer: ${reason}${detail}. ${advice}`,
    reason,
  );
}
