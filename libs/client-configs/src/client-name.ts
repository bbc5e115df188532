/** Which of a tenant's URLs: without a server, the one of all of them. */
export interface NamedUrl {
  readonly tenantSlug: string;
  /** Of a server, one of its environments (`code~staging`) or a profile. */
  readonly serverSlug?: string | undefined;
  readonly major?: number | undefined;
}

/** What clients are told to call a tenant URL: letters, digits and `-`, for some of them put it before tools' names. */
export function clientName({ tenantSlug, serverSlug, major }: NamedUrl): string {
  if (serverSlug === undefined) return tenantSlug;
  return `${tenantSlug}-${serverSlug.replace('~', '-')}${major === undefined ? '' : `-${major}`}`;
}
