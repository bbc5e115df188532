import { AppError } from '#libs/errors';

/** Where a service runs, and where its sisters of other regions are reached. */
export interface ServingRegion {
  /** Undefined in an installation that has no regions. */
  readonly region: string | undefined;
  /** Public URLs by region. */
  readonly urls: Readonly<Record<string, string>>;
}

/** The error for a tenant that another region alone serves; undefined for one that is served here. */
export function elsewhere(homeRegion: string | null, { region, urls }: ServingRegion): AppError | undefined {
  if (homeRegion === null || homeRegion === region) return undefined;
  const url = urls[homeRegion];
  const where = url === undefined ? '' : ` Ask there: ${url}`;
  return new AppError('misdirected', {
    message: `This tenant is served by the region ${homeRegion} alone, and this is ${region ?? 'a service without one'}.${where}`,
    data: { region: homeRegion, ...(url === undefined ? {} : { url }) },
  });
}
