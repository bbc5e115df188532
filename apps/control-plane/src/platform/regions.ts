import { z } from 'zod';
import { AppError } from '#libs/errors';
import type { ServingRegion } from '#libs/identity';

/** A region's name, as services know theirs from `WHARF_REGION`. */
export const regionName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);

/**
 * A region that operators name must be one that services are of, as far as this one knows them.
 * @throws AppError conflict where there are no regions; invalid_params for one that is none
 */
export function requireRegion(named: string, { region, urls }: ServingRegion, pointer = '/region'): void {
  if (region === undefined)
    throw new AppError('conflict', {
      message: `This installation has no regions: no service would be of ${named}. Set WHARF_REGION on every service first.`,
    });
  const others = Object.keys(urls);
  if (others.length === 0 || named === region || others.includes(named)) return;
  const known = [...new Set([region, ...others])].toSorted().join(', ');
  throw new AppError('invalid_params', {
    message: `There is no region ${named}; there are ${known} (WHARF_REGION_URLS).`,
    problems: [{ pointer, message: 'no region of this installation' }],
  });
}
