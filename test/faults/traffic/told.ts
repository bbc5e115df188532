import type { Call } from './ledger.js';

/** The JSON-RPC codes of failures that are ours: told by the status, or in a stream that had begun, whose status is 200. */
export const CODES = { worker: -31052, unavailable: -31053, late: -31054 } as const;
const OURS: readonly number[] = Object.values(CODES);
/** What a client may make once more at once: the connection ended, or the answer says that the platform failed and not the call. */
const WORTH_AGAIN: ReadonlyArray<string | number> = [0, 502, 503, CODES.worker, CODES.unavailable];

/** What a client was told: a result, an error of the protocol, or the code or status of a failure; 0 where nothing came. */
export function toldBy({ answer }: Call): string | number {
  if (answer?.status !== 200) return answer?.status ?? 0;
  const messages = answer.text.startsWith('{')
    ? [answer.text]
    : answer.text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice('data: '.length)] : []));
  const last = messages.at(-1);
  if (last === undefined) return 0;
  const { error } = JSON.parse(last) as { readonly error?: { readonly code: number } }; // JSON-RPC
  if (error === undefined) return 'result';
  return OURS.includes(error.code) ? error.code : 'error';
}

/** Whether a client of the 2026 era makes a failed call once more. */
export function isWorthAgain(call: Call): boolean {
  return WORTH_AGAIN.includes(toldBy(call));
}
