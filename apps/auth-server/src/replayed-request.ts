import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import { AppError } from '#libs/errors';

/** U+0000 in a query or a form, which PostgreSQL keeps in no text. */
// oxlint-disable-next-line no-control-regex -- this is the character that is refused
const ZERO = /%00|\u0000/;

/** What replaces parts of the request as it came. */
export interface ReplayedParts {
  readonly url: string;
  readonly body: Buffer;
  /** The issuer, whose scheme and host count instead of what the request's headers claim. */
  readonly issuer: URL;
  /** The client's address as we trust it. */
  readonly address: string;
}

/**
 * A request whose body was read within our bounds, to be read again by the provider. Scheme, host and address are
 * what configuration says: headers such as `X-Forwarded-Host` reach nobody behind this.
 */
export class ReplayedRequest extends IncomingMessage {
  readonly address: string;
  readonly body: Buffer;
  /** Where the provider is mounted, by the convention of Connect: the provider builds its URLs with it. */
  readonly baseUrl: string;

  constructor(original: IncomingMessage, parts: ReplayedParts) {
    super(original.socket);
    this.method = original.method ?? 'GET';
    this.httpVersion = original.httpVersion;
    this.httpVersionMajor = original.httpVersionMajor;
    this.httpVersionMinor = original.httpVersionMinor;
    this.url = parts.url;
    this.headers = trustedHeaders(original.headers, parts);
    this.address = parts.address;
    this.body = parts.body;
    this.baseUrl = parts.issuer.pathname.replace(/\/$/, '');
    this.complete = true;
    if (parts.body.length > 0) this.push(parts.body);
    this.push(null);
  }

  /** The body as a form, with U+FFFD for U+0000 as for all else that is no character of a text. */
  get form(): URLSearchParams {
    return new URLSearchParams(this.body.toString().replaceAll(new RegExp(ZERO, 'g'), '\ufffd'));
  }

  /** Refuses a form that a program sent with U+0000 in it. @throws AppError `invalid_request` */
  refuseZeros(): void {
    refuseZeros(this.body.toString());
  }
}

/** Refuses U+0000 in a query or a form as it was sent: no parameter of OAuth's may have it (RFC 6749, appendix A). @throws AppError `invalid_request` */
export function refuseZeros(sent: string): void {
  if (ZERO.test(sent))
    throw new AppError('invalid_request', { message: 'A parameter holds the character U+0000. Leave it out.' });
}

function trustedHeaders(original: IncomingHttpHeaders, parts: ReplayedParts): IncomingHttpHeaders {
  const { 'transfer-encoding': _encoding, 'x-forwarded-host': _host, ...kept } = original;
  return {
    ...kept,
    host: parts.issuer.host,
    'x-forwarded-proto': parts.issuer.protocol.slice(0, -1),
    'x-forwarded-for': parts.address,
    ...(parts.body.length > 0 ? { 'content-length': String(parts.body.length) } : {}),
  };
}
