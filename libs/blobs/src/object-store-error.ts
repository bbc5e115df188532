import { AwsCredentialsError } from '#libs/aws-credentials';

/** What came of asking an object store: it refuses and will again, or it may answer another time. */
type Kind = 'refused' | 'unavailable';

/** S3's codes that an operator can do something about. */
const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: 'The bucket does not exist. Create it, or correct WHARF_BLOBS_URL.',
  InvalidAccessKeyId: 'The access key is unknown there. Correct WHARF_BLOBS_ACCESS_KEY_ID.',
  SignatureDoesNotMatch: 'The secret key does not fit the access key. Correct WHARF_BLOBS_SECRET_ACCESS_KEY.',
  ExpiredToken: 'The session token has expired. Give this service another, or a role in place of keys.',
  InvalidToken: 'The session token is none of the access key. Correct WHARF_BLOBS_SESSION_TOKEN.',
  AccessDenied: 'The access key may not do this. Allow it s3:GetObject, s3:PutObject and s3:DeleteObject.',
  NotImplemented: 'It cannot write a key once only (If-None-Match). Use one that knows conditional writes.',
  PermanentRedirect: 'The bucket is in another region. Correct region in WHARF_BLOBS_URL.',
  AuthorizationHeaderMalformed: 'The bucket is in another region. Correct region in WHARF_BLOBS_URL.',
  RequestTimeTooSkewed: 'The clocks are too far apart. Set this machine’s clock.',
};

/** Thrown when an object store did not do what it was asked. Its message is for operators, not for tenants. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';

  constructor(
    readonly kind: Kind,
    what: string,
    readonly detail: Readonly<Record<string, unknown>>,
    cause?: unknown,
  ) {
    super(`The object store of WHARF_BLOBS_URL: ${what}`, { cause });
  }

  /** What an answer means that is not the one that was asked for. */
  static answered(status: number, code: string | undefined, key: string): ObjectStoreError {
    // 409: two conditional writes met (S3, "Conditional writes"); the next attempt hears who was first.
    const isPassing =
      (status >= 500 && status !== 501) ||
      status === 429 ||
      status === 408 ||
      status === 409 ||
      code === 'RequestTimeout';
    const advice = ADVICE[code ?? ''] ?? '';
    const what = `it answered ${status}${code === undefined ? '' : ` ${code}`}. ${advice}`.trimEnd();
    return new ObjectStoreError(isPassing ? 'unavailable' : 'refused', what, { key, status, code });
  }

  /** Whatever an attempt threw, as an error of this class. */
  static from(error: unknown, key: string): ObjectStoreError {
    if (error instanceof ObjectStoreError) return error;
    if (error instanceof AwsCredentialsError) return new ObjectStoreError(error.kind, error.message, { key }, error);
    const reason = error instanceof Error ? reasonOf(error) : String(error);
    return new ObjectStoreError('unavailable', `it did not answer (${reason}).`, { key }, error);
  }
}

function reasonOf({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return 'in time';
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
