import { ProtocolError } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Bundle } from '#libs/protocol';
import { answeredError, isLate } from '../stdio/stdio-server.js';
import { MissingSecret } from '../stdio/start-texts.js';
import { StdioFailure } from './stdio-failure.js';

const MESSAGE_CHARACTERS_MAX = 2_000;
/** Codes that mean to a client what the server meant: bad parameters, no such resource, go to this URL first. */
const PASSED_ON = new Set([ERROR_CATALOGUE.invalid_params.jsonRpc, -32_002, -32_042]);

/** What to tell a caller: the server's own error where it means the same to clients, else that it failed. */
export function failureOf(error: unknown, bundle: Bundle, signal: AbortSignal): ProtocolError | StdioFailure {
  if (signal.aborted) return new StdioFailure('The call was cancelled.');
  const answered = answeredError(error);
  if (answered !== undefined) {
    const passed = PASSED_ON.has(answered.code);
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
  const what = isLate(error) ? 'did not answer in time' : 'stopped or did not start before it answered';
  return new StdioFailure(
    `${named}, the bundled server behind this tool, ${what}. The call may have run: check before you repeat one that changes something.`,
  );
}
