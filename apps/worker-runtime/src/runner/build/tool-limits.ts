import type { AnyManifest, ListedDefinition, ReleaseSource, ToolDefinition, ToolLimits } from '#libs/protocol';
import { didYouMean } from '../checks/closest.js';
import { at, Problems } from '../build-checks/problems.js';

type NamedLimits = ReadonlyMap<string, ToolLimits>;
const PLACE = '/limits';

/** A manifest whose tools have the limits that its source names. @throws AppError unprocessable for a name that is no tool of it */
export function withToolLimits(manifest: AnyManifest, source: ReleaseSource): AnyManifest {
  const given = 'limits' in source ? source.limits : undefined;
  if (given === undefined) return manifest;
  const named = new Map(Object.entries(given));
  const problems = new Problems();
  const known = manifest.tools.map(({ name }) => name);
  for (const name of named.keys())
    if (!known.includes(name))
      problems.add(at(PLACE, name), `This release has no tool of this name.${didYouMean(name, known)}`);
  problems.refuse();
  switch (manifest.kind) {
    case 'bundle':
      return { ...manifest, tools: manifest.tools.map((tool) => limited(tool, named)) };
    case 'remote':
      return { ...manifest, tools: manifest.tools.map((tool) => limited(tool, named)) };
    case 'knowledge':
      return manifest; // its source names none
    default:
      return { ...manifest, tools: manifest.tools.map((tool) => limitedRequest(tool, named)) };
  }
}

function limited<Tool extends ListedDefinition>(tool: Tool, named: NamedLimits): Tool {
  const limits = named.get(tool.name);
  return limits === undefined ? tool : { ...tool, limits };
}

/** The time limit of a tool that is one request is the request's. */
function limitedRequest(tool: ToolDefinition, named: NamedLimits): ToolDefinition {
  const { timeoutMs, ...limits } = named.get(tool.name) ?? {};
  const http = timeoutMs === undefined ? tool.http : { ...tool.http, timeoutMs };
  return { ...tool, http, ...(limits.concurrentMax === undefined ? {} : { limits }) };
}
