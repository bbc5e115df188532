import { hash } from 'node:crypto';
import { validTraceparent } from '#libs/http';
import { clientFamilyOf } from '../observation/client-family.js';
import type { MessageHead } from './exchange.js';

/** What is known of a request for metrics, traces and its record; none of it is anything the caller sent, but for its trace. */
export function observedOf(
  method: string,
  params: unknown,
): Pick<MessageHead, 'traceparent' | 'client' | 'argumentsDigest'> {
  if (typeof params !== 'object' || params === null) return {};
  const { _meta, arguments: given } = params as { _meta?: { traceparent?: unknown } | null; arguments?: unknown }; // any shape ends as a lookup
  const traceparent = validTraceparent(_meta?.traceparent);
  const client = clientFamilyOf(method, params);
  const argumentsDigest = given === undefined ? undefined : `sha256:${hash('sha256', JSON.stringify(given), 'hex')}`;
  return {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(client === undefined ? {} : { client }),
    ...(argumentsDigest === undefined ? {} : { argumentsDigest }),
  };
}
