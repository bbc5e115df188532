import { z } from 'zod';
import {
  connectionUseSchema,
  credentialSchema,
  grantSchema,
  upstreamAccessSchema,
  upstreamOwner,
  type ConnectionUse,
  type Credential,
  type Grant,
  type RemoteAccess,
} from '#libs/protocol';

const TIMEOUT_MS = 30_000;
/** What an upstream server is asked may take as long as its caller waits. */
const UPSTREAM_MS = 3_600_000;

/** What of a manifest concerns egress; the rest is the runner's. */
const policySchema = z.object({
  origins: z.array(z.url()).max(64),
  credentials: z.array(credentialSchema).max(32),
  connections: z.array(connectionUseSchema).max(32).default([]),
  tools: z
    .array(
      z.object({
        name: z.string(),
        annotations: z
          .object({ readOnlyHint: z.boolean().default(false), idempotentHint: z.boolean().default(false) })
          .optional(),
        http: z
          .object({
            credentials: z.array(z.string()).max(4).default([]),
            timeoutMs: z.number().positive().default(TIMEOUT_MS),
          })
          .optional(),
      }),
    )
    .max(2_000),
  remote: z
    .object({ upstreams: z.array(upstreamAccessSchema.loose()).max(16), grants: z.array(grantSchema).max(16) })
    .default({ upstreams: [], grants: [] }),
});

/** What egress knows of a tool. */
export interface ToolPolicy {
  readonly credentials: readonly string[];
  /** Id of the grant that its requests carry a token of. */
  readonly grant?: string | undefined;
  readonly timeoutMs: number;
  /** It says of itself that it changes nothing. */
  readonly readOnly: boolean;
  /** It says of itself that running it twice is running it once. */
  readonly idempotent: boolean;
}

/** Where a release's tools may go and which credentials they take along. */
export class EgressPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #tools: ReadonlyMap<string, ToolPolicy>;
  readonly #grants: ReadonlyMap<string, Grant>;
  readonly #connections: ReadonlyMap<string, ConnectionUse>;
  /** Names of every secret the release uses. */
  readonly secretNames: readonly string[];

  private constructor(parsed: z.infer<typeof policySchema>) {
    this.#origins = new Set(parsed.origins.map((origin) => new URL(origin).origin));
    this.#credentials = new Map(parsed.credentials.map((credential) => [credential.id, credential]));
    this.#grants = new Map(parsed.remote.grants.map((grant) => [grant.id, grant]));
    this.#connections = new Map(
      [...parsed.connections, ...parsed.remote.upstreams.flatMap(connectionOf)].map((use) => [use.id, use]),
    );
    this.#tools = new Map([
      ...parsed.tools.map((tool) => [tool.name, toolPolicy(tool)] as const),
      ...parsed.remote.upstreams.map((upstream) => [upstreamOwner(upstream.name), upstreamPolicy(upstream)] as const),
    ]);
    this.secretNames = [...new Set([...parsed.credentials, ...parsed.remote.grants].map(({ secret }) => secret))];
  }

  /** The policy in a manifest's bytes. @throws ZodError, SyntaxError when they are no manifest */
  static read(manifest: Buffer): EgressPolicy {
    return new EgressPolicy(policySchema.parse(JSON.parse(manifest.toString('utf8'))));
  }

  /** The policy of a release of upstream servers that is being built: it may ask them, and nobody else. */
  static ofBuild({ upstreams, grants, ...access }: RemoteAccess): EgressPolicy {
    return new EgressPolicy({ ...access, connections: [], tools: [], remote: { upstreams, grants } });
  }

  /** Whether the release's tools may call an origin: scheme, host and port. */
  allows(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** The release's tool of this name. */
  findTool(tool: string): ToolPolicy | undefined {
    return this.#tools.get(tool);
  }

  /** The grant whose token a tool's request to an origin carries. */
  findGrant(tool: string, origin: string): Grant | undefined {
    const grant = this.#grants.get(this.#tools.get(tool)?.grant ?? '');
    return grant?.origins.some((allowed) => new URL(allowed).origin === origin) === true ? grant : undefined;
  }

  /** The connector at which the caller's own login gives the token that a tool's request to an origin carries. */
  findConnection(tool: string, origin: string): string | undefined {
    for (const id of this.#tools.get(tool)?.credentials ?? []) {
      const use = this.#connections.get(id);
      if (use?.origins.some((allowed) => new URL(allowed).origin === origin) === true) return use.connector;
    }
    return undefined;
  }

  /** The credentials that a tool's request to an origin carries. */
  credentialsFor(tool: string, origin: string): Credential[] {
    return (this.#tools.get(tool)?.credentials ?? []).flatMap((id) => {
      const credential = this.#credentials.get(id);
      return credential?.origins.some((allowed) => new URL(allowed).origin === origin) === true ? [credential] : [];
    });
  }
}

/** The use that an upstream server makes of its callers' logins, under a name that no credential has. */
function connectionOf({
  name,
  url,
  connection,
}: z.infer<typeof policySchema>['remote']['upstreams'][number]): ConnectionUse[] {
  if (connection === undefined) return [];
  return [{ id: upstreamOwner(name), connector: connection, origins: [new URL(url).origin] }];
}

function upstreamPolicy({
  name,
  credential,
  grant,
  connection,
}: z.infer<typeof policySchema>['remote']['upstreams'][number]): ToolPolicy {
  const credentials = [
    ...(credential === undefined ? [] : [credential]),
    ...(connection === undefined ? [] : [upstreamOwner(name)]),
  ];
  return { credentials, grant, timeoutMs: UPSTREAM_MS, readOnly: false, idempotent: false };
}

function toolPolicy({ annotations, http }: z.infer<typeof policySchema>['tools'][number]): ToolPolicy {
  return {
    credentials: http?.credentials ?? [],
    timeoutMs: http?.timeoutMs ?? TIMEOUT_MS,
    readOnly: annotations?.readOnlyHint === true,
    idempotent: annotations?.idempotentHint === true || annotations?.readOnlyHint === true,
  };
}
