import { hash } from 'node:crypto';
import { validTraceparent } from '#libs/http';
import { clientFamilyOf } from '../observation/client-family.js';
import type { MessageHead } from './exchange.js';

/** Longer arguments are not compared with the call before. */
const ARGUMENTS_LENGTH_MAX = 16_384;

/** What is known of a request for metrics and traces alone; none of it is anything the caller sent, but for its trace. */
export function observedOf(
  method: string,
  params: unknown,
): Pick<MessageHead, 'traceparent' | 'client' | 'argumentsDigest'> {
  if (typeof params !== 'object' || params === null) return {};
  const { _meta, arguments: given } = params as { _meta?: { traceparent?: unknown } | null; arguments?: unknown }; // any shape ends as a lookup
  const traceparent = validTraceparent(_meta?.traceparent);
  const client = clientFamilyOf(method, params);
  const argumentsDigest = method === 'tools/call' ? digestOf(given) : undefined;
  return {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(client === undefined ? {} : { client }),
    ...(argumentsDigest === undefined ? {} : { argumentsDigest }),
  };
}

function digestOf(given: unknown): string | undefined {
  const text = JSON.stringify(given) ?? '';
  return text.length > ARGUMENTS_LENGTH_MAX ? undefined : hash('sha1', text, 'base64');
}
