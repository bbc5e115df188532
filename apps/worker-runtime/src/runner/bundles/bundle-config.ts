import { z } from 'zod';
import type { ReleaseSource, StartText } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';

/** One setting that a bundle asks its users for (MCPB specification, MANIFEST.md, "User Configuration"). */
export const settingSchema = z.object({
  type: z.enum(['string', 'number', 'boolean', 'directory', 'file']),
  required: z.boolean().default(false),
  default: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).optional(),
  multiple: z.boolean().default(false),
  sensitive: z.boolean().default(false),
  min: z.number().optional(),
  max: z.number().optional(),
});

type Setting = z.infer<typeof settingSchema>;
type Config = NonNullable<Extract<ReleaseSource, { kind: 'bundle' }>['config']>;
type Given = Config[string];

/** Values of settings by name; one that is `multiple` has any number of texts, others one. */
export type SettingValues = ReadonlyMap<string, readonly StartText[]>;

const FOLDERS = /\$\{(HOME|DESKTOP|DOCUMENTS|DOWNLOADS)\}/;

/** What the settings of a bundle are to be, from the tenant's values and the bundle's own; what is wrong is noted. */
export function readSettings(
  problems: Problems,
  pointer: string,
  settings: Readonly<Record<string, Setting>>,
  config: Config = {},
): SettingValues {
  for (const name of Object.keys(config)) {
    if (Object.hasOwn(settings, name)) continue;
    const known = Object.keys(settings).join(', ').slice(0, 200) || 'none';
    problems.add(at('/config', name), `The bundle has no such setting. Its settings: ${known}.`);
  }
  const values = new Map<string, readonly StartText[]>();
  for (const [name, setting] of Object.entries(settings)) {
    const given = Object.hasOwn(config, name) ? config[name] : undefined;
    const value = given ?? setting.default;
    if (value !== undefined) {
      const wrong = faultOf(setting, value, given !== undefined);
      if (wrong !== undefined) problems.add(at('/config', name), wrong);
      values.set(name, textsOf(value, given === undefined));
    } else if (setting.required) problems.add(at(pointer, name), `The bundle needs this setting. Give it in "config".`);
  }
  return values;
}

/** What is wrong with a value of a setting. */
function faultOf({ type, multiple, sensitive, min, max }: Setting, value: Given, given: boolean): string | undefined {
  if (isSecret(value)) return undefined;
  if (sensitive && given)
    return 'This is sensitive. Store it with PUT /v1/secrets/{name} and give {"secret": "{name}"} here.';
  if (Array.isArray(value)) return multiple ? undefined : 'This takes one value, not a list.';
  const wanted = type === 'number' || type === 'boolean' ? type : 'string';
  // oxlint-disable-next-line valid-typeof -- one of three names of types
  if (typeof value !== wanted) return `This is a ${wanted}.`;
  if (typeof value !== 'number') return undefined;
  if (min !== undefined && value < min) return `This is at least ${min}.`;
  return max !== undefined && value > max ? `This is at most ${max}.` : undefined;
}

/** A value as texts; only a bundle's own may name folders. */
function textsOf(value: Given, own: boolean): StartText[] {
  if (isSecret(value)) return [[{ secret: value.secret }]];
  const texts = (Array.isArray(value) ? value : [value]).map(String);
  return texts.map((text) => (own ? withFolders(text) : [text]));
}

function withFolders(text: string): StartText {
  return text
    .split(FOLDERS)
    .map((part, index) => (index % 2 === 0 ? part : ({ folder: 'home' } as const)))
    .filter((part) => part !== '');
}

function isSecret(value: Given): value is { secret: string } {
  return typeof value === 'object' && !Array.isArray(value);
}
