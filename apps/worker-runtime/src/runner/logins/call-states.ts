import { createHash } from 'node:crypto';
import { ProtocolError } from '@modelcontextprotocol/client';
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '#libs/errors';
import { canonicalJson, contentOf, sealedStateSchema, withContent, type StateQuestion } from '#libs/protocol';
import type { Asker, KnowledgeDoor } from '../knowledge/knowledge-door.js';
import type { PeerRequest } from '../peer/peer.js';

/** What of a request its state is good for. */
type Sealed = Pick<PeerRequest, 'method' | 'params'>;

/** What is answered about a state that will not be good later either. */
const REFUSED: ReadonlySet<ErrorCode> = new Set(['invalid_params', 'not_found', 'too_large']);
const OVER =
  'This requestState is not good for this call: it has been used or is over, or it is of another call. Nothing was sent. Make the call again without requestState.';
const LATER = 'This requestState could not be checked just now. Nothing was sent. Make the same request again shortly.';

/**
 * States of calls that are to be made again: whoever made the call seals them and takes them, so that they are good at
 * every worker, and for its principal alone (MCP 2026-07-28, MRTR).
 */
export class CallStates {
  constructor(private readonly door: Pick<KnowledgeDoor, 'pass'>) {}

  /** A state of a request that is good for some seconds; undefined where nobody makes one. */
  async seal(asker: Asker, request: Sealed, seconds: number): Promise<string | undefined> {
    try {
      const answer = await this.#ask(asker, { ask: 'seal', request: digestOf(request), seconds });
      return sealedStateSchema.parse(contentOf(answer)?.head).state;
    } catch (error) {
      if (error instanceof AppError) return undefined; // its caller is told in words what to do
      throw error;
    }
  }

  /** Takes a state: one that was altered, is another's, of another request, late or used before runs nothing. @throws ProtocolError */
  async redeem(asker: Asker, request: Sealed, state: string): Promise<void> {
    try {
      await this.#ask(asker, { ask: 'redeem', request: digestOf(request), state });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (REFUSED.has(error.code))
        throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, OVER, { reason: 'call_not_waiting' });
      throw new ProtocolError(ERROR_CATALOGUE.unavailable.jsonRpc, LATER);
    }
  }

  #ask(asker: Asker, question: StateQuestion): Promise<Buffer> {
    return this.door.pass(asker, withContent(question), 'states');
  }
}

function digestOf({ method, params }: Sealed): string {
  return createHash('sha256').update(canonicalJson({ method, params })).digest('base64url');
}
