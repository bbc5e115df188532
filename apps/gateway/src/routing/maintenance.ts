/** That the platform is maintained, and calls wait; `until` in ISO 8601. */
export interface Maintenance {
  readonly message: string;
  readonly until: string;
}

/** The maintenance that stops calls now, as JSON; null where there is none. */
export const MAINTENANCE = `(select jsonb_build_object('message', m.message, 'until', m.until)
  from maintenance m where m.mode = 'everything' and m.until > now())`;
