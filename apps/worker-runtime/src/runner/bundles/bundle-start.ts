import path from 'node:path';
import { z } from 'zod';
import type { StartText } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import type { SettingValues } from './bundle-config.js';

const args = z.array(z.string().max(16_384)).max(128);
const env = z.record(z.string(), z.string().max(16_384));

/** What we read of `mcp_config`: never a command. What it says for Linux, where workers run, takes the place of the rest. */
export const startSchema = z
  .object({
    args: args.default([]),
    env: env.default({}),
    platform_overrides: z
      .object({ linux: z.object({ args: args.optional(), env: env.optional() }).optional() })
      .optional(),
  })
  .transform(({ platform_overrides: { linux = {} } = {}, ...own }) => ({
    args: linux.args ?? own.args,
    env: linux.env ?? own.env,
  }));

/** What a bundle's server is started with, as a release pins it. */
export interface BundleStartTexts {
  readonly args: StartText[];
  readonly env: Record<string, StartText>;
  readonly secrets: string[];
}

const PLACE = /\$\{([^}]{1,200})\}/;
const SETTING = 'user_config.';
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** Ours to set, or what would change how the program is loaded or whom it trusts. */
const OURS = /^(HOME|TMPDIR|TZ|PATH|LD_.*|(HTTPS?|NO|ALL)_PROXY|NODE_(?!ENV$|DEBUG$).*)$/i;
const FOLDERS: Readonly<Record<string, StartText[number]>> = {
  __dirname: { folder: 'bundle' },
  HOME: { folder: 'home' },
  DESKTOP: { folder: 'home' },
  DOCUMENTS: { folder: 'home' },
  DOWNLOADS: { folder: 'home' },
  '/': '/',
  pathSeparator: '/',
};

/** The arguments behind the entry point and the environment that `mcp_config` maps settings to; what is wrong is noted. */
export function readStart(
  problems: Problems,
  pointer: string,
  { start, entryPoint, values }: { start: z.infer<typeof startSchema>; entryPoint: string; values: SettingValues },
): BundleStartTexts {
  const own = start.args.findIndex((text) => namesEntry(text, entryPoint)) + 1;
  const args = own === 0 ? [] : start.args.slice(own).flatMap((text) => listOf(text, values));
  const env: Record<string, StartText> = {};
  for (const [name, text] of Object.entries(start.env)) {
    const [value, ...more] = listOf(text, values);
    if (value === undefined) continue;
    refuseVariable(problems, at(pointer, 'env', name), name);
    if (more.length > 0)
      problems.add(at(pointer, 'env', name), 'A variable takes one value, and this setting has more.');
    env[name] = value;
  }
  return { args, env, secrets: secretsIn([...args, ...Object.values(env)]) };
}

/** Notes a problem for a variable that is ours to set, or none at all. */
export function refuseVariable(problems: Problems, pointer: string, name: string): void {
  if (!NAME.test(name) || OURS.test(name))
    problems.add(pointer, 'A server cannot set this variable here. Leave it out.');
}

/** Names of the secrets in some texts. */
export function secretsIn(texts: readonly StartText[]): string[] {
  return [...new Set(texts.flat().flatMap((part) => (isSecret(part) ? [part.secret] : [])))].toSorted();
}

/** One text of `mcp_config` with its places filled; none when it is only a setting that has no value. */
function listOf(text: string, values: SettingValues): StartText[] {
  const pieces = text.split(PLACE);
  const only = pieces.length === 3 && pieces[0] === '' && pieces[2] === '' ? pieces[1] : undefined;
  if (only?.startsWith(SETTING) === true) return [...(values.get(only.slice(SETTING.length)) ?? [])];
  return [
    pieces.flatMap((piece, index) => (index % 2 === 0 ? [piece] : filled(piece, values))).filter((part) => part !== ''),
  ];
}

function filled(place: string, values: SettingValues): StartText {
  if (place.startsWith(SETTING)) return values.get(place.slice(SETTING.length))?.[0] ?? [];
  return [FOLDERS[place] ?? `\${${place}}`];
}

function namesEntry(text: string, entryPoint: string): boolean {
  return path.posix.normalize(text.replace(/^\$\{__dirname\}(\/|\$\{\/\})/, '')) === entryPoint;
}

function isSecret(part: StartText[number]): part is { secret: string } {
  return typeof part === 'object' && 'secret' in part;
}
