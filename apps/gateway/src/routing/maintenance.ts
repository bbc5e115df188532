/** That the platform, or the region of this gateway, is maintained, and calls wait; `until` in ISO 8601. */
export interface Maintenance {
  readonly region: string | null;
  readonly message: string;
  readonly until: string;
}

/** The maintenance that stops calls now of everything, or of the region `$2`, as JSON; null where there is none. */
export const MAINTENANCE = `(select jsonb_build_object('region', m.region, 'message', m.message, 'until', m.until) from (
    select null as region, mode, message, until from maintenance
    union all select region, mode, message, until from region_maintenance where region = $2) m
  where m.mode = 'everything' and m.until > now() order by m.region nulls first limit 1)`;
