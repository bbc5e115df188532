import { parse } from 'yaml';
import { PLATFORM_KEYS } from '#libs/config';
import { podsOf, type KubeObject } from './kustomize.fixture.js';

type Container = NonNullable<ReturnType<typeof podsOf>>['spec']['containers'][number];

/** An environment as a process is given it, and what of it comes from nowhere. */
export interface Given {
  readonly environment: Readonly<Record<string, string>>;
  /** `secret/key` of what must be there and that nobody provides, or a config map by its name. */
  readonly missing: readonly string[];
  /** Keys of secrets that may be left out. */
  readonly optional: readonly string[];
}

/** What stands for what only a cluster knows. */
const FIELDS: Readonly<Record<string, string>> = { 'status.podIP': '10.1.2.3', 'metadata.name': 'wharf-pod-1' };
/** Names that are not of ours alone; `OTEL_` ones are read where docs/configuration.md says. */
const OTHERS = ['NODE_ENV', 'DATABASE_URL', 'REDIS_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/** The names of an environment that no service knows. */
export function unknownNames(environment: object): string[] {
  const known = new Set<string>([...PLATFORM_KEYS, ...OTHERS]);
  return Object.keys(environment).filter((name) => !known.has(name));
}

/** The keys of each secret that an overlay makes, or has made out of a vault; what is in them is of the overlay `local`. */
export function secretsOf(objects: readonly KubeObject[]): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    objects.flatMap(({ kind, metadata, data = {}, spec }): Array<[string, ReadonlySet<string>]> => {
      if (kind === 'Secret') return [[metadata.name, new Set(Object.keys(data))]];
      if (kind !== 'ExternalSecret') return [];
      const entries = spec?.['data'] as ReadonlyArray<{ readonly secretKey: string }>; // its schema was checked
      return [[metadata.name, new Set(entries.map(({ secretKey }) => secretKey))]];
    }),
  );
}

/** The values of a secret that an overlay makes itself. */
export function valuesOf(objects: readonly KubeObject[]): Readonly<Record<string, string>> {
  const held = objects.filter(({ kind }) => kind === 'Secret').flatMap(({ data = {} }) => Object.entries(data));
  return Object.fromEntries(held.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

/** What a container of ours is given by its overlay. */
export function givenTo(
  { env = [], envFrom = [] }: Container,
  objects: readonly KubeObject[],
  secrets: ReadonlyMap<string, ReadonlySet<string>>,
  values: Readonly<Record<string, string>>,
): Given {
  const environment: Record<string, string> = {};
  const missing: string[] = [];
  const optional: string[] = [];
  for (const { configMapRef } of envFrom) {
    if (configMapRef === undefined) continue; // a secret as a whole: its keys are its maker's
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name);
    if (map === undefined) missing.push(configMapRef.name);
    Object.assign(environment, map?.data);
  }
  for (const { name, value, valueFrom } of env) {
    const { secretKeyRef: key, fieldRef } = valueFrom ?? {};
    if (key?.optional === true) optional.push(key.key);
    else if (key !== undefined && secrets.get(key.name)?.has(key.key) !== true) missing.push(`${key.name}/${key.key}`);
    const text = value ?? (key === undefined ? FIELDS[fieldRef?.fieldPath ?? ''] : values[key.key]);
    if (text !== undefined) environment[name] = text;
  }
  return { environment, missing, optional };
}

/** The environment of each service of a compose file, with what stands there for a name that nobody has set. */
export function composeEnvironments(text: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const { services } = parse(text, { merge: true }) as {
    services: Record<string, { image: string; environment?: Record<string, string> }>; // against its schema in compose.test.ts
  };
  const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('wharf:'));
  return new Map(
    ours.map(([name, { environment = {} }]) => {
      const filled = Object.entries(environment).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
      ]);
      return [name, Object.fromEntries(filled) as Record<string, string>];
    }),
  );
}
