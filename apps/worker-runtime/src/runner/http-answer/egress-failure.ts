import type { CallToolResult } from '@modelcontextprotocol/server';
import type { FetchAnswer } from '../http-request/fetcher.js';
import { errorResult } from '../results/results.js';

type Failed = Extract<FetchAnswer, { kind: 'failed' }>;

/** The tool result of a request that egress did not bring an answer to: which limit or hop it was and what to do. */
export function egressFailureResult(failure: Failed, target: string): CallToolResult {
  return errorResult(
    `${sentence(failure, target)}${failure.message === '' ? '' : ` (${failure.message.slice(0, 500)})`}`,
  );
}

function sentence({ reason, retryAtMs, timeoutMs }: Failed, target: string): string {
  switch (reason) {
    case 'blocked':
      return `${target} was not sent: the platform's egress guard does not allow this address. Do not retry; the owner of this server must change its URL or ask the operator for an allowance.`;
    case 'no_credential':
      return `${target} was not sent: a credential that it needs is missing or cannot be used, for the reason given here.`;
    case 'open':
      return `${target} was not sent: this upstream failed too often just now and is left alone for a while.${nextTry(retryAtMs)}`;
    case 'held':
      return `${target} was not sent: the operator of the platform holds back every request to this upstream. Ask the operator why; trying earlier does not help.${nextTry(retryAtMs)}`;
    case 'busy':
      return `${target} was not sent: too many requests of this tenant are under way. Try again in a moment, with fewer calls at once.`;
    case 'timeout':
      return `${target} gave no complete answer within its time limit of ${timeoutMs} ms. It may still have been carried out: check before repeating a call that changes something.`;
    case 'too_large':
      return `${target} answered more than the platform's size limit. Ask for less, for example with a filter, fewer fields or a smaller page.`;
    case 'connect':
      return `${target} could not be reached: no connection to the upstream. Try again shortly; if it stays, the owner of this server must check its URL.`;
    case 'broken_off':
      return `${target} ended the connection before it had answered in full. It may still have been carried out: check before repeating a call that changes something.`;
    case 'untrusted':
      return `${target} was not sent: the upstream's TLS certificate does not prove who it is. Do not retry; the owner of this server must have the certificate or the URL corrected.`;
    case 'aborted':
      return `${target} was cancelled before it was answered. It may still have been carried out.`;
    case 'invalid_response':
      return `${target} answered something that is not valid HTTP. It may still have been carried out; trying again is unlikely to help.`;
  }
}

function nextTry(retryAtMs: number | undefined): string {
  return retryAtMs === undefined
    ? ' Try again in half a minute.'
    : ` The next try is possible in ${Math.max(1, Math.ceil((retryAtMs - Date.now()) / 1_000))} s.`;
}
