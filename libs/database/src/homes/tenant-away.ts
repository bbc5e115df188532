import { AppError } from '#libs/errors';

/** One tenant alone cannot be served now: it is moved between two databases, or its own does not answer. */
export class TenantAway extends AppError {
  constructor(
    message: string,
    options: { readonly retryAfterSeconds: number; readonly database?: string; readonly cause?: unknown },
  ) {
    const { database, ...rest } = options;
    super('unavailable', { message, ...rest, ...(database === undefined ? {} : { detail: { database } }) });
  }
}

/** What a tenant's work in a sweep comes to; undefined where the tenant is away, whose turn comes with the next one. */
export async function unlessAway<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TenantAway) return undefined;
    throw error;
  }
}
