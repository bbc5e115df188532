import { STATUS_CODES } from 'node:http';
import type { UpstreamFailure } from '../upstream-failure.js';

/** Why a proxy passed nothing on, for the code that asked and for whoever reads its log. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly sentence: string;
}

/** A failure as a proxy tells it. */
export function refusalOf({ reason, message, retryAtMs }: UpstreamFailure): Refusal {
  const { status, sentence } = ANSWERS[reason];
  const seconds = retryAtMs === undefined ? 1 : Math.max(1, Math.ceil((retryAtMs - Date.now()) / 1_000));
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 503 ? { 'retry-after': String(seconds) } : {}),
    },
    sentence: `${sentence}${message === '' ? '' : ` (${message})`}\n`,
  };
}

/** A refusal as the bytes that answer a CONNECT. */
export function refusalText({ status, headers, sentence }: Refusal): string {
  const all = { ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(sentence)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', sentence].join('\r\n');
}

const ANSWERS: Readonly<Record<UpstreamFailure['reason'], { readonly status: number; readonly sentence: string }>> = {
  blocked: { status: 403, sentence: "Wharf's egress guard does not let this worker go there." },
  no_credential: { status: 403, sentence: 'A credential for this upstream is missing or cannot be used.' },
  open: { status: 503, sentence: 'This upstream failed too often just now and is left alone for a while.' },
  held: {
    status: 503,
    sentence: 'The operator of the platform holds back every request to this upstream for a while.',
  },
  busy: { status: 503, sentence: 'As many requests are under way as may be.' },
  timeout: { status: 504, sentence: 'The upstream took too long.' },
  too_large: { status: 502, sentence: 'More bytes than one request may move.' },
  connect: { status: 502, sentence: 'The upstream could not be reached.' },
  untrusted: { status: 502, sentence: 'The upstream’s TLS certificate does not prove who it is.' },
  broken_off: { status: 502, sentence: 'The upstream ended the connection before it had answered in full.' },
  aborted: { status: 502, sentence: 'The request was given up.' },
  invalid_response: { status: 502, sentence: 'The upstream answered something that is not valid HTTP.' },
};
