import { z } from 'zod';
import { credentialSchema, SECRET_NAME } from './credential.js';
import { annotationsSchema, httpBindingSchema, placementSchema, TOOL_NAME } from './manifest.js';
import { knowledgeSettingsSchema, KNOWLEDGE_TOOLS } from './knowledge.js';
import { connectionUseSchema, upstreamSourceSchema } from './remote.js';
import { toolLimitsSchema } from './tool-limits.js';

const jsonSchema = z.record(z.string(), z.unknown());

const limits = z
  .record(z.string().regex(TOOL_NAME), toolLimitsSchema)
  .refine((named) => Object.keys(named).length <= 500, 'At most 500 tools.')
  .optional()
  .describe('Name of a tool, as the release lists it → what it may take.');

const openApiSource = z.strictObject({
  kind: z.literal('openapi'),
  document: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .optional()
    .describe('An OpenAPI 3.0 or 3.1 document inline: an object, or JSON or YAML as text.'),
  artefact: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional()
    .describe('Or the digest of an uploaded document.'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Used instead of the document’s server URL.'),
  serverVariables: z
    .record(z.string().max(128), z.string().max(512))
    .optional()
    .describe('Values for the variables in the document’s server URLs, instead of their defaults.'),
  shapes: z
    .record(z.string().max(64), z.string().min(1).max(1_024))
    .optional()
    .describe('Name of a tool → JMESPath: what agents get of its JSON answer, instead of all of it.'),
  limits,
  select: z
    .strictObject({
      tags: z.array(z.string()).max(256).optional().describe('Tags to keep.'),
      paths: z.array(z.string()).max(256).optional().describe('Path prefixes to keep, or globs with `*`.'),
      operationIds: z.array(z.string()).max(2_000).optional().describe('Operations to keep.'),
    })
    .optional()
    .describe('Which operations become tools: those that match every list given. Without it, all.'),
  credentials: z
    .record(z.string(), z.string())
    .optional()
    .describe('Name of a security scheme of the document → name of one of your secrets.'),
  connections: z
    .record(z.string(), connectionUseSchema.shape.connector)
    .optional()
    .describe(
      'Name of a security scheme (`oauth2`, `openIdConnect` or `http` `bearer`) → name of one of your connectors, at which each caller has a login of their own.',
    ),
});

const httpToolSource = z.strictObject({
  name: z.string().regex(TOOL_NAME).describe('At most 64 characters of `[A-Za-z0-9_-]`.'),
  title: z.string().max(256).optional(),
  description: z.string().min(1).max(16_384).describe('What agents choose it by.'),
  inputSchema: jsonSchema.optional().describe('JSON Schema 2020-12 of the arguments, an object. Without it, none.'),
  outputSchema: jsonSchema.optional().describe('JSON Schema 2020-12 of the answer, an object.'),
  annotations: annotationsSchema.optional().describe('MCP tool annotations.'),
  method: httpBindingSchema.shape.method,
  url: z.string().min(8).max(2048).describe('`https://host/path/{argument}`.'),
  placements: z
    .array(placementSchema)
    .max(256)
    .optional()
    .describe(
      'Where arguments go that are not in the URL. Without: the query for GET, HEAD, DELETE, else a JSON body.',
    ),
  headers: z.record(z.string(), z.string()).optional().describe('Headers that are sent as they are.'),
  bodyType: httpBindingSchema.shape.bodyType.describe('How the body is written; `json` without it.'),
  shape: httpBindingSchema.shape.shape.describe('JMESPath: what agents get of a JSON answer, instead of all of it.'),
  credentials: z.array(z.string()).max(4).optional().describe('Ids of the credentials that egress adds.'),
  timeoutMs: z.int().min(100).max(120_000).optional().describe('Time limit of the request in ms; 30,000 without it.'),
  concurrentMax: toolLimitsSchema.shape.concurrentMax,
});

const httpSource = z.strictObject({
  kind: z.literal('http'),
  title: z.string().max(256).optional(),
  instructions: z.string().max(16_384).optional().describe('What agents are told about the server as a whole.'),
  credentials: z.array(credentialSchema).max(32).optional(),
  connections: z
    .array(connectionUseSchema)
    .max(32)
    .optional()
    .describe('Logins of each caller’s own; tools name them by id among their `credentials`.'),
  tools: z.array(httpToolSource).min(1).max(500),
});

const bundleSource = z.strictObject({
  kind: z.literal('bundle'),
  artefact: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .describe('The digest of an uploaded MCP bundle (`.mcpb`).'),
  origins: z
    .array(z.url({ protocol: /^https?$/ }).max(512))
    .max(64)
    .optional()
    .describe('Origins that the server may reach: `https://api.example.com`. Without it, none.'),
  config: z
    .record(
      z.string().max(128),
      z.union([
        z.string().max(16_384),
        z.number(),
        z.boolean(),
        z.array(z.string().max(4_096)).max(64),
        z.strictObject({ secret: z.string().regex(SECRET_NAME).describe('Name of one of your secrets.') }),
      ]),
    )
    .optional()
    .describe('Values for the `user_config` of the bundle’s manifest.'),
  limits,
});

/** A value for a setting of a package; `folder` is the scratch folder that each process has for itself. */
const npmValue = z.union([
  z.string().max(16_384),
  z.number(),
  z.boolean(),
  z.array(z.string().max(4_096)).max(64),
  z.strictObject({ secret: z.string().regex(SECRET_NAME).describe('Name of one of your secrets.') }),
  z.strictObject({ folder: z.literal('home').describe('The scratch folder of the server’s process.') }),
]);

const npmSource = z.strictObject({
  kind: z.literal('npm'),
  package: z.string().min(1).max(214).optional().describe('Name of a package at the npm registry.'),
  version: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Its version, a range of versions or a tag; `latest` without it. The release pins what it finds.'),
  serverJson: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Or a `server.json` as the MCP registry has it, with one package of the `registryType` `npm`.'),
  origins: z
    .array(z.url({ protocol: /^https?$/ }).max(512))
    .max(64)
    .optional()
    .describe('Origins that the server may reach: `https://api.example.com`. Without it, none.'),
  config: z
    .record(z.string().max(128), npmValue)
    .optional()
    .describe('Values for the variables and arguments that the `server.json` declares, by name or `valueHint`.'),
  limits,
});

const remoteSource = z.strictObject({
  kind: z.literal('remote'),
  title: z.string().max(256).optional(),
  instructions: z.string().max(16_384).optional().describe('What agents are told about the server as a whole.'),
  upstreams: z
    .array(upstreamSourceSchema)
    .min(1)
    .max(16)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'Two upstreams have the same name.')
    .describe('The MCP servers behind this one; tools are listed in this order.'),
  limits,
});

const knowledgeSource = z.strictObject({
  kind: z.literal('knowledge'),
  title: z.string().max(256).optional(),
  instructions: z.string().max(16_384).optional().describe('What agents are told about the server as a whole.'),
  ...knowledgeSettingsSchema.shape,
  tools: z
    .partialRecord(
      z.enum(KNOWLEDGE_TOOLS),
      z.strictObject({
        name: z.string().regex(TOOL_NAME).optional().describe('Instead of the usual name.'),
        description: z.string().min(1).max(16_384).optional().describe('Instead of the usual description.'),
      }),
    )
    .optional()
    .describe('Other names and descriptions for the tools `search`, `read`, `remember`, `update` and `forget`.'),
});

/** What a release is built from, as the tenant gave it (already bounded in size, its documents not yet looked into). */
export const releaseSourceSchema = z.discriminatedUnion('kind', [
  openApiSource,
  httpSource,
  bundleSource,
  npmSource,
  remoteSource,
  knowledgeSource,
]);

export type ReleaseSource = z.infer<typeof releaseSourceSchema>;
