import { z } from 'zod';
import { at, type Problems } from '../build-checks/problems.js';

/** Names of the format before its schema of 2025-09-16, and what they are called now. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  registry_type: 'registryType',
  registry_base_url: 'registryBaseUrl',
  runtime_hint: 'runtimeHint',
  runtime_arguments: 'runtimeArguments',
  package_arguments: 'packageArguments',
  environment_variables: 'environmentVariables',
  file_sha256: 'fileSha256',
  value_hint: 'valueHint',
  is_required: 'isRequired',
  is_repeated: 'isRepeated',
  is_secret: 'isSecret',
};

/** An object whose properties may have their former names. */
function renamed<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(
    (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [FORMER_NAMES[name] ?? name, inner]))
        : value,
    schema,
  );
}

const LIST_MAX = 128;
const text = z.string().max(16_384);
const inputShape = {
  isRequired: z.boolean().default(false),
  isSecret: z.boolean().default(false),
  format: z.enum(['string', 'number', 'boolean', 'filepath']).default('string'),
  value: text.optional(),
  default: text.optional(),
  choices: z.array(text).max(LIST_MAX).optional(),
};
const inputSchema = renamed(z.object(inputShape));
const variables = z.record(z.string().max(128), inputSchema).default({});
const argumentSchema = renamed(
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('positional'),
      ...inputShape,
      variables,
      valueHint: z.string().min(1).max(128).optional(),
      isRepeated: z.boolean().default(false),
    }),
    z.object({
      type: z.literal('named'),
      ...inputShape,
      variables,
      name: z.string().min(1).max(128),
      isRepeated: z.boolean().default(false),
    }),
  ]),
);
const variableSchema = renamed(z.object({ name: z.string().min(1).max(128), ...inputShape, variables }));

const packageSchema = renamed(
  z.object({
    registryType: z.string().max(64),
    registryBaseUrl: z.string().max(512).optional(),
    identifier: z.string().min(1).max(214),
    version: z.string().min(1).max(128).optional(),
    fileSha256: z
      .string()
      .regex(/^[a-f0-9]{64}$/)
      .optional(),
    runtimeHint: z.string().max(64).optional(),
    transport: z.object({ type: z.string().max(64) }).optional(),
    runtimeArguments: z.array(argumentSchema).max(LIST_MAX).default([]),
    packageArguments: z.array(argumentSchema).max(LIST_MAX).default([]),
    environmentVariables: z.array(variableSchema).max(LIST_MAX).default([]),
  }),
);

/** What we read of a server.json (MCP registry, server.schema.json). */
const serverJsonSchema = z.object({
  name: z.string().max(256).optional(),
  title: z.string().max(256).optional(),
  packages: z.array(z.unknown()).max(LIST_MAX),
});

/** A value that a server is started with, or that a person gives. */
export type Input = z.infer<typeof inputSchema>;
/** An argument of its program. */
export type ArgumentInput = z.infer<typeof argumentSchema>;
/** A variable of its environment. */
export type VariableInput = z.infer<typeof variableSchema>;

/** The npm package of a server.json. */
export interface NpmPackageEntry extends z.infer<typeof packageSchema> {
  /** Pointer to it in the source. */
  readonly place: string;
  /** The server's name in the MCP registry, and what people call it. */
  readonly serverName: string | undefined;
  readonly title: string | undefined;
}

const PLACE = '/serverJson';
const PUBLIC_REGISTRY = /^https:\/\/registry\.npmjs\.org\/?$/;
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const RUNTIMES = new Set(['npx', 'node', 'npm']);
/** What runners of packages are told that means nothing here. */
const RUNTIME_ARGUMENTS = new Set(['-y', '--yes', '-q', '--quiet', '--no-warnings', '--enable-source-maps']);

/** The one npm package of a server.json that is run over stdio; undefined after noting why there is none. */
export function readServerJson(
  problems: Problems,
  serverJson: Readonly<Record<string, unknown>>,
  registryUrl: string,
): NpmPackageEntry | undefined {
  const parsed = serverJsonSchema.safeParse(serverJson);
  if (!parsed.success) return noted(problems, PLACE, parsed.error);
  const { name, title, packages } = parsed.data;
  const found = packages.flatMap((given, index) => (isNpm(given) ? [index] : []));
  const [index] = found;
  if (index === undefined || found.length > 1) {
    problems.add(at(PLACE, 'packages'), `Give one package of the registryType "npm"; this has ${found.length}.`);
    return undefined;
  }
  const place = at(PLACE, 'packages', index);
  const entry = packageSchema.safeParse(packages[index]);
  if (!entry.success) return noted(problems, place, entry.error);
  refusePackage(problems, place, entry.data, registryUrl);
  return { ...entry.data, place, serverName: name, title };
}

function isNpm(given: unknown): boolean {
  const parsed = renamed(z.object({ registryType: z.literal('npm') })).safeParse(given);
  return parsed.success;
}

function refusePackage(
  problems: Problems,
  place: string,
  { version, registryBaseUrl, transport, runtimeHint, runtimeArguments }: z.infer<typeof packageSchema>,
  registryUrl: string,
): void {
  if (version === undefined || !EXACT.test(version))
    problems.add(at(place, 'version'), 'A server.json names one exact version, such as 1.4.0.');
  const known = registryBaseUrl === undefined || PUBLIC_REGISTRY.test(registryBaseUrl);
  if (!known && URL.parse(registryBaseUrl)?.href !== URL.parse(registryUrl)?.href)
    problems.add(at(place, 'registryBaseUrl'), 'Packages are not installed from this registry here. Leave it out.');
  if (transport !== undefined && transport.type !== 'stdio')
    problems.add(at(place, 'transport', 'type'), 'A package is run over "stdio" here.');
  if (runtimeHint !== undefined && !RUNTIMES.has(runtimeHint))
    problems.add(at(place, 'runtimeHint'), 'A package of npm is run by Node here, never by another program.');
  for (const [index, argument] of runtimeArguments.entries()) {
    const told = argument.type === 'named' && argument.value === undefined ? argument.name : argument.value;
    if (told === undefined || !RUNTIME_ARGUMENTS.has(told))
      problems.add(
        at(place, 'runtimeArguments', index),
        'Node is started without arguments of others here, which could name another program. Leave it out.',
      );
  }
}

function noted(problems: Problems, place: string, error: z.ZodError): undefined {
  for (const issue of error.issues) problems.add(at(place, ...issue.path.map(String)), issue.message);
}
