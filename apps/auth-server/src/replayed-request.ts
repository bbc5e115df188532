import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';

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

  /** The body as a form. */
  get form(): URLSearchParams {
    return new URLSearchParams(this.body.toString());
  }
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
