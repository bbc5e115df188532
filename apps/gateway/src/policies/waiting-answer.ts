import type { AppError } from '#libs/errors';
import type { Exchange, RequestId } from '../edge/exchange.js';

/**
 * The answer to a call that waits for a person: a result of the tool, marked as an error, so that the model reads what to do
 * next in either era. Clients show it what a tool says, and not always what a protocol error does.
 */
export function waitingAnswer(error: AppError, id: RequestId | undefined, { era }: Exchange): object {
  return {
    jsonrpc: '2.0',
    id: id ?? null,
    result: {
      ...(era === 'modern' ? { resultType: 'complete' } : {}),
      content: [{ type: 'text', text: error.message }],
      isError: true,
      _meta: { 'wharf/approval': error.data },
    },
  };
}
