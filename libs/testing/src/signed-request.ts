import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A request as it came, whose signature is to be checked. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Who may sign, and for where. */
export interface SigningParty {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Default `s3`, which alone says the body's hash in a header. */
  readonly service?: string;
}

const SCHEME =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const SKEW_MS_MAX = 15 * 60 * 1_000;

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/**
 * The S3 error code of a request that is not signed as AWS Signature Version 4 wants it; undefined where it is
 * ("Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference).
 */
export function signatureFault(request: SignedRequest, party: SigningParty, nowMs: number): string | undefined {
  const wanted = party.service ?? 's3';
  const [, keyId, day = '', region = '', service = '', signed = '', signature = ''] =
    SCHEME.exec(request.headers['authorization'] ?? '') ?? [];
  const at = request.headers['x-amz-date'] ?? '';
  if (keyId === undefined || !at.startsWith(day)) return 'AccessDenied';
  if (keyId !== party.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== party.region || service !== wanted) return 'AuthorizationHeaderMalformed';
  if (Math.abs(nowMs - timeOf(at)) > SKEW_MS_MAX) return 'RequestTimeTooSkewed';
  const names = signed.split(';');
  const unsigned = Object.keys(request.headers).find((name) => name.startsWith('x-amz-') && !names.includes(name));
  if (!names.includes('host') || unsigned !== undefined) return 'AccessDenied';
  const hash = request.headers['x-amz-content-sha256'];
  if (wanted === 's3' && hash !== sha256(request.body)) return 'XAmzContentSHA256Mismatch';
  const scope = `${day}/${region}/${wanted}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', at, scope, sha256(canonicalRequest(request, names))].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${party.secretAccessKey}`, day), region), wanted), 'aws4_request');
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}

function canonicalRequest({ method, target, headers, body }: SignedRequest, names: readonly string[]): string {
  const { pathname, searchParams } = new URL(target, 'http://host');
  const query = [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`).join('');
  const path = decodeURIComponent(pathname).split('/').map(encoded).join('/');
  return [method, path, query, lines, names.join(';'), sha256(body)].join('\n');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function timeOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
