import { ERROR_CATALOGUE, type ErrorCode } from './catalogue.js';

/** One thing to correct in what the caller sent; `pointer` is an RFC 6901 JSON pointer into it. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}

/** A limit that is full. */
export interface ReachedLimit {
  readonly name: string;
  /** What it gives in its window, or, without a window, at once; undefined where only that it is full is known. */
  readonly quota?: number;
  readonly windowSeconds?: number;
  /** When it is full again, in ISO 8601; undefined where only `retryAfterSeconds` is known. */
  readonly refilledAt?: string;
}

/** What an error carries beside its code. */
export interface AppErrorOptions {
  /** For the caller: what happened, to what, and what to do next. Defaults to the catalogue's sentence. */
  readonly message?: string;
  /** For the caller: every place to correct. */
  readonly problems?: readonly Problem[];
  /** For the caller: seconds after which a retry makes sense (`Retry-After`). */
  readonly retryAfterSeconds?: number;
  /** For the caller: the limit that is full, with what it gives in its window (`RateLimit-Policy`). */
  readonly limit?: ReachedLimit;
  /** For the caller: structured `data` of a JSON-RPC error. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** For the log only. */
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error with a public code and sentence; whatever else is thrown is answered as `internal`. */
export class AppError extends Error {
  override readonly name = 'AppError';
  /** The HTTP status this error is answered with. Of its own and writable: Koa, which the provider stands on, sets it on what it answers. */
  readonly status: number;
  readonly problems: readonly Problem[];
  readonly retryAfterSeconds: number | undefined;
  readonly limit: ReachedLimit | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly detail: Readonly<Record<string, unknown>> | undefined;

  constructor(
    readonly code: ErrorCode,
    options: AppErrorOptions = {},
  ) {
    const { status, title } = ERROR_CATALOGUE[code];
    // Whoever floods us is refused some thousand times a second, and nobody reads where in our code that was decided.
    const { stackTraceLimit } = Error;
    if (status < 500) Error.stackTraceLimit = 0;
    super(options.message ?? title, { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.status = status;
    this.problems = options.problems ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.limit = options.limit;
    this.data = options.data;
    this.detail = options.detail;
  }

  /** The JSON-RPC code this error is answered with at a tenant URL. */
  get jsonRpcCode(): number {
    return ERROR_CATALOGUE[this.code].jsonRpc;
  }
}

/** The AppError for whatever was thrown: itself, or `internal` with the original as its cause. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('internal', { cause: thrown });
}
