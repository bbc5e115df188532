import { z } from 'zod';
import { Secret } from './secret.js';

const NAME = /^[a-z0-9-]{1,40}$/;
const DATABASES_MAX = 100;

/** The databases that tenants may have of their own: what each is called, and where it is, as the schema's owner. */
export type DedicatedDatabases = ReadonlyMap<string, Secret>;

/** What a service's database is told of them. */
export function dedicatedOf(config: {
  readonly WHARF_DEDICATED_DATABASES: DedicatedDatabases;
  readonly WHARF_DEDICATED_POOLS_MAX: number;
}): { readonly databases: DedicatedDatabases; readonly poolsMax: number } {
  return { databases: config.WHARF_DEDICATED_DATABASES, poolsMax: config.WHARF_DEDICATED_POOLS_MAX };
}

type Pair = readonly [name: string, url: unknown];

function pairsOf(text: string): readonly Pair[] {
  if (text.trim().startsWith('{')) return Object.entries(z.record(z.string(), z.unknown()).parse(JSON.parse(text)));
  return text.split(/,(?=[^,=@/]*=\s*\w+:\/\/)/).map((pair): Pair => {
    const at = pair.indexOf('=');
    return at === -1 ? [pair.trim(), undefined] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
}

/** What is wrong with the pairs; undefined where nothing is. It names databases, and never an URL. */
function problemWith(pairs: readonly Pair[]): string | undefined {
  if (pairs.length > DATABASES_MAX) return `has ${pairs.length} databases; at most ${DATABASES_MAX} can be named`;
  const badName = pairs.findIndex(([name]) => !NAME.test(name));
  if (badName >= 0)
    return `entry ${badName + 1} needs the form name=postgres://…, with a name of up to 40 lower-case letters, digits and hyphens`;
  const badUrl = pairs.find(([, url]) => !z.url({ protocol: /^postgres(ql)?$/ }).safeParse(url).success);
  if (badUrl !== undefined) return `${badUrl[0]} needs an URL that begins with postgres://`;
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return `${twice} is there twice; name each database once`;
  const urls = pairs.map(([, url]) => String(url));
  const same = urls.findIndex((url, index) => urls.indexOf(url) < index);
  return same >= 0 ? `${names[same] ?? ''} leads where another entry leads; give each database once` : undefined;
}

/** `name=postgres-url` with commas between, or a JSON object of names and URLs; URLs are secrets. */
export function dedicatedDatabasesText(): z.ZodType<DedicatedDatabases, string | undefined> {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      const refuse = (message: string): never => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (text.trim() === '') return new Map<string, Secret>();
      let pairs: readonly Pair[];
      try {
        pairs = pairsOf(text);
      } catch {
        return refuse('begins like JSON and is none; write {"name":"postgres://…"}');
      }
      const problem = problemWith(pairs);
      if (problem !== undefined) return refuse(problem);
      return new Map(pairs.map(([name, url]) => [name, new Secret(String(url))]));
    });
}
