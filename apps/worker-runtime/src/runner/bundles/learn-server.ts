import path from 'node:path';
import type { ListToolsResult, ServerCapabilities } from '@modelcontextprotocol/client';
import type { Bundle, Offers, StartText } from '#libs/protocol';
import { ABLE_CALLER } from '../peer/able-caller.js';
import { holdSecret, plainText } from '../stdio/start-texts.js';
import { StdioServer, type StdioStart } from '../stdio/stdio-server.js';
import type { BundleOutline } from './bundle-manifest.js';

/** What a server says of itself while its release is built. */
export interface Learned {
  readonly era: Bundle['era'];
  readonly instructions: string | undefined;
  readonly offers: Offers;
  readonly tools: ListToolsResult['tools'];
}

/** What stands for secrets while a release is built, where none are at hand. */
const PLACEHOLDER = 'given-when-the-release-runs';
/** A server that came up in the one era comes up as fast in the other. */
const OTHER_ERA_MS = 5_000;
const EXTENSIONS_CHARACTERS_MAX = 16_384;

/** Starts a server, in each era that it speaks, and asks what it offers. @throws Error when it does not come up */
export async function learnServer(
  folder: string,
  entryPoint: string,
  { args, env, secrets }: BundleOutline['start'],
): Promise<Learned> {
  const home = path.join(process.cwd(), 'home');
  const values = Object.fromEntries(secrets.map((name) => [name, PLACEHOLDER]));
  const inPlain = (text: StartText): string => plainText(text, { bundle: folder, home, secrets: values });
  const start: StdioStart = {
    folder,
    entryPoint,
    home,
    onCrash: () => undefined,
    link: ABLE_CALLER,
    args: args.map(inPlain),
    argsAreSecret: holdSecret(args),
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, inPlain(text)])),
  };
  const server = await StdioServer.start(start);
  const { era, instructions, capabilities } = server.peer;
  const tools = await server.peer.listTools();
  await server.stop();
  if (era === 'legacy') return { era, instructions, tools, offers: offersOf([capabilities]) };
  const other = await capabilitiesInLegacy(start);
  if (other === undefined) return { era, instructions, tools, offers: offersOf([capabilities]) };
  return { era: 'both', instructions, tools, offers: offersOf([capabilities, other]) };
}

/** What a server of the 2026 era offers in the 2025 era; undefined where it does not speak that. */
async function capabilitiesInLegacy(start: StdioStart): Promise<ServerCapabilities | undefined> {
  try {
    const server = await StdioServer.start({ ...start, era: 'legacy', timeoutMs: OTHER_ERA_MS });
    const { capabilities } = server.peer;
    await server.stop();
    return capabilities;
  } catch {
    return undefined;
  }
}

/** What of a server's capabilities is served beside tools. */
function offersOf(all: readonly ServerCapabilities[]): Offers {
  const has = (name: keyof ServerCapabilities): boolean => all.some((capabilities) => capabilities[name] !== undefined);
  const subscribe = all.some(({ resources }) => resources?.subscribe === true);
  const extensions = all.find((capabilities) => capabilities.extensions !== undefined)?.extensions;
  const pinned = JSON.stringify(extensions ?? {}).length <= EXTENSIONS_CHARACTERS_MAX ? extensions : undefined;
  return {
    ...(has('resources') ? { resources: { subscribe } } : {}),
    ...(has('prompts') ? { prompts: {} } : {}),
    ...(has('completions') ? { completions: {} } : {}),
    ...(has('logging') ? { logging: {} } : {}),
    ...(pinned === undefined ? {} : { extensions: pinned as Offers['extensions'] }),
  };
}
