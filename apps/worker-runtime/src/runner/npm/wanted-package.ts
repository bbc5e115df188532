import type { ReleaseSource } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import type { BundleStartTexts } from '../bundles/bundle-start.js';
import { readServerJson } from './server-json.js';
import { readStartInputs } from './start-inputs.js';

type NpmSource = Extract<ReleaseSource, { kind: 'npm' }>;

/** Which package is asked for, and what it is started with. */
export interface WantedPackage {
  /** Pointer to where the source names it. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly start: BundleStartTexts;
  readonly title?: string | undefined;
  /** Its server's name in the MCP registry. */
  readonly serverName?: string | undefined;
  readonly fileSha256?: string | undefined;
}

/** What can name a package at a registry, or a version, a range or a tag of one: never a URL, a path or a repository. */
const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const VERSION = /^[0-9A-Za-z.+\-^~<>=*| ]{1,128}$/;

/** The package that a source names, by its name or in a server.json; undefined after noting why there is none. */
export function readWanted(problems: Problems, source: NpmSource, registryUrl: string): WantedPackage | undefined {
  const { package: name, version = 'latest', serverJson, config } = source;
  if ((name === undefined) === (serverJson === undefined)) {
    problems.add('/package', 'Give either "package" or "serverJson".');
    return undefined;
  }
  if (serverJson !== undefined) return readEntry(problems, source, serverJson, registryUrl);
  for (const setting of Object.keys(config ?? {}))
    problems.add(at('/config', setting), 'Only what a server.json declares can be set. Give "serverJson".');
  refuseName(problems, '/package', name ?? '');
  if (!VERSION.test(version))
    problems.add('/version', 'This is no version, range of versions or tag. Give one, such as 1.4.0 or ^1.4.0.');
  return { place: '/package', name: name ?? '', version, start: { args: [], env: {}, secrets: [] } };
}

function readEntry(
  problems: Problems,
  { version, config }: NpmSource,
  serverJson: Readonly<Record<string, unknown>>,
  registryUrl: string,
): WantedPackage | undefined {
  if (version !== undefined) problems.add('/version', 'The server.json names the version. Leave this out.');
  const entry = readServerJson(problems, serverJson, registryUrl);
  if (entry === undefined) return undefined;
  refuseName(problems, at(entry.place, 'identifier'), entry.identifier);
  const { place, identifier: name, title, serverName, fileSha256, version: exact = '' } = entry;
  return {
    place,
    name,
    version: exact,
    start: readStartInputs(problems, entry, config),
    title,
    serverName,
    fileSha256,
  };
}

function refuseName(problems: Problems, pointer: string, name: string): void {
  if (!NAME.test(name) || name.length > 214)
    problems.add(
      pointer,
      'This is no name of a package at a registry, such as @scope/name. URLs and paths are not taken.',
    );
}
