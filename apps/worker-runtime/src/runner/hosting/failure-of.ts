import { ProtocolError } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Bundle } from '#libs/protocol';
import type { PeerCaller } from '../peer/caller-link.js';
import { answeredError, isLate } from '../peer/client-peer.js';
import { MISSING_CAPABILITY } from '../peer/results.js';
import { MissingSecret } from '../stdio/start-texts.js';
import { StdioFailure } from './stdio-failure.js';

const MESSAGE_CHARACTERS_MAX = 2_000;
/** Codes that mean to a client what the server meant: bad parameters, no such method or resource, go to this URL first. */
const { invalid_params: invalidParams, method_not_found: methodNotFound } = ERROR_CATALOGUE;
const PASSED_ON = new Set([invalidParams.jsonRpc, methodNotFound.jsonRpc, -32_002, -32_042]);

/** What to tell a caller: the server's own error where it means the same to clients, else that it failed. */
export function failureOf(
  error: unknown,
  bundle: Bundle,
  { client }: PeerCaller,
  signal: AbortSignal,
): ProtocolError | StdioFailure {
  if (error instanceof StdioFailure) return error;
  if (signal.aborted) return new StdioFailure('The call was cancelled.');
  const answered = answeredError(error);
  if (answered !== undefined) {
    // What a client of the 2026 era has not declared was asked of it in this very request.
    const passed = PASSED_ON.has(answered.code) || (client !== undefined && answered.code === MISSING_CAPABILITY);
    const code = passed ? answered.code : ERROR_CATALOGUE.internal.jsonRpc;
    return new ProtocolError(
      code,
      answered.message.slice(0, MESSAGE_CHARACTERS_MAX),
      passed ? answered.data : undefined,
    );
  }
  const named = JSON.stringify(bundle.name);
  if (error instanceof MissingSecret)
    return new StdioFailure(
      `${named}, the bundled server behind this tool, cannot start: there is no secret ${JSON.stringify(error.secret)}. Its owner can write it.`,
    );
  const late = isLate(error);
  const what = late ? 'did not answer in time' : 'stopped or did not start before it answered';
  return new StdioFailure(
    `${named}, the bundled server behind this tool, ${what}. The call may have run: check before you repeat one that changes something.`,
    late ? 'other' : 'ended',
  );
}
