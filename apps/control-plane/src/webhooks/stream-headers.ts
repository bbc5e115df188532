import { z } from 'zod';

const HEADERS_MAX = 8;
/** What we say ourselves, and what is about the connection (RFC 9110, section 7.6.1). */
const OURS =
  /^(host|content-.*|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|proxy-.*|user-agent|webhook-.*)$/;

const name = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'the name of a header')
  .refine((text) => !OURS.test(text.toLowerCase()), 'a header that Wharf does not set itself');
const value = z
  .string()
  .max(4_096)
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, 'one line of ASCII without blank ends');

/** Headers that a stream's receiver wants, for example its credential; the names come out in lower case. */
export const streamHeaders = z
  .record(name, value)
  .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, `at most ${HEADERS_MAX} headers`)
  .refine(
    (headers) => new Set(Object.keys(headers).map((key) => key.toLowerCase())).size === Object.keys(headers).length,
    'each header once',
  )
  .transform((headers) => Object.fromEntries(Object.entries(headers).map(([key, text]) => [key.toLowerCase(), text])))
  .meta({
    description:
      'Headers to send with every message, sealed and never shown again; what is given replaces what was there.',
  });
