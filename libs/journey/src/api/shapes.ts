import { z } from 'zod';

/** The parts of the API's answers that a client needs, with the API's own names; parts it adds later are ignored. */
const tenantShape = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  plan: z.string(),
  status: z.string(),
});
export type Tenant = z.infer<typeof tenantShape>;

export const tenantAnswerShape = z.object({ tenant: tenantShape });

const apiKeyShape = z.object({ id: z.string(), name: z.string(), prefix: z.string(), scopes: z.array(z.string()) });
export const newApiKeyShape = apiKeyShape.extend({ text: z.string() });
export const apiKeysShape = z.object({ api_keys: z.array(apiKeyShape) });
export type ApiKey = z.infer<typeof apiKeyShape>;
export type NewApiKey = z.infer<typeof newApiKeyShape>;

export const signUpShape = z.object({
  tenant: tenantShape,
  urls: z.object({ mcp: z.url(), management_api: z.url(), docs: z.url() }),
  api_key: newApiKeyShape,
});
export type SignedUp = z.infer<typeof signUpShape>;

export const serverShape = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  urls: z.object({ mcp: z.url() }),
  live_release: z.unknown(),
  previous_release: z.unknown(),
});
export const serversShape = z.object({ servers: z.array(serverShape) });
export type Server = z.infer<typeof serverShape>;

const releaseShape = z.object({
  id: z.string(),
  number: z.number(),
  kind: z.string(),
  digest: z.string(),
  state: z.enum(['ready', 'publishing', 'candidate', 'live', 'superseded', 'rejected']),
  /** How many it has. */
  tools: z.number(),
  rejection: z.unknown(),
});
export type Release = z.infer<typeof releaseShape>;

export const releaseAnswerShape = z.object({ release: releaseShape });

/** A release beside what its build says. */
export const builtReleaseShape = z.object({
  release: releaseShape,
  report: z.object({
    tools: z.number(),
    skipped: z.array(z.object({ pointer: z.string(), operation: z.string(), reason: z.string() })),
    list_bytes: z.number(),
    list_tokens: z.number(),
  }),
  /** What will not work until something is done about it. */
  warnings: z.array(z.string()),
});
export type BuiltRelease = z.infer<typeof builtReleaseShape>;

export const secretShape = z.object({ name: z.string(), version: z.number(), updated_at: z.string() });
export type StoredSecret = z.infer<typeof secretShape>;

export const auditPageShape = z.object({
  records: z.array(
    z.object({
      id: z.string(),
      /** Its number in the log; null until it has one. */
      leaf_index: z.number().nullish(),
      at: z.string(),
      event: z.string(),
      actor: z.unknown(),
      target: z.string(),
      outcome: z.string(),
      details: z.unknown(),
    }),
  ),
  next_cursor: z.string().nullish(),
});
export type AuditPage = z.infer<typeof auditPageShape>;
export type AuditRecord = AuditPage['records'][number];

/** What an upload is answered with. */
export const artefactShape = z.object({ digest: z.string() });
