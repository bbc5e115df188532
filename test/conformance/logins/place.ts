import { z } from 'zod';

/** Where the suite's scenarios find the platform: a tenant and the person who owns it. */
export const placeSchema = z.strictObject({
  url: z.url(),
  operatorKey: z.string(),
  tenant: z.string(),
  person: z.strictObject({ email: z.string(), password: z.string() }),
  /** The server that every scenario's upstream is published as, in turn, and the connector where its people log in. */
  server: z.string(),
  connector: z.string(),
  /** The person's access tokens: for the management API, and for the server's URL. */
  management: z.string(),
  token: z.string(),
});

/** A tenant of a running platform, as the suite's client is told of it. */
export type Place = z.infer<typeof placeSchema>;

/** What a scenario tells its client beside the URL of its server, and what it is called. */
export const contextSchema = z.looseObject({
  name: z.string().optional(),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
  private_key_pem: z.string().optional(),
});
/** What a scenario tells its client. */
export type Context = z.infer<typeof contextSchema>;
