import type { Credential, HttpBinding, Placement, ToolDefinition } from '#libs/protocol';
import { didYouMean } from '../checks/closest.js';
import { refusePlacements } from './placements.js';
import { at, type Problems } from '../build-checks/problems.js';
import { refuseShape } from '../build-checks/result-shapes.js';
import { refuseHidden, refuseHiddenWithin } from '../build-checks/text-safety.js';
import { refuseBadSchema } from '../build-checks/tool-schema.js';
import { readUrlTemplate, refuseFixedHeaders } from '../build-checks/url-template.js';
import type { HttpToolSource } from './http-tool-source.js';

/** A tool and the origin it calls. */
export interface BuiltTool {
  readonly definition: ToolDefinition;
  readonly origin: string;
}

const NO_ARGUMENTS = { type: 'object', properties: {}, additionalProperties: false };
const TIMEOUT_MS = 30_000;

/** The tool of one declaration; problems are noted, and without a usable URL there is no tool. */
export function buildHttpTool(
  problems: Problems,
  pointer: string,
  tool: HttpToolSource,
  credentials: ReadonlyMap<string, Credential>,
): BuiltTool | undefined {
  const inputSchema = tool.inputSchema ?? NO_ARGUMENTS;
  refuseTexts(problems, pointer, tool);
  refuseBadSchema(problems, at(pointer, 'inputSchema'), inputSchema, 'input');
  if (tool.outputSchema !== undefined)
    refuseBadSchema(problems, at(pointer, 'outputSchema'), tool.outputSchema, 'output');
  if (tool.shape !== undefined) refuseShape(problems, at(pointer, 'shape'), tool.shape);
  refuseFixedHeaders(problems, at(pointer, 'headers'), tool.headers ?? {});
  if (tool.annotations?.readOnlyHint === true && tool.method === 'DELETE') {
    problems.add(
      at(pointer, 'annotations', 'readOnlyHint'),
      'A tool that calls DELETE is not read-only. Remove readOnlyHint or change the method.',
    );
  }
  const template = readUrlTemplate(problems, at(pointer, 'url'), tool.url);
  if (template === undefined) return undefined;
  refuseCredentials(problems, at(pointer, 'credentials'), tool.credentials ?? [], {
    credentials,
    origin: template.origin,
  });
  const placements = completePlacements(tool, propertyNames(inputSchema), template.places);
  refusePlacements(problems, pointer, {
    tool,
    placements,
    properties: propertyNames(inputSchema),
    places: template.places,
    credentials,
  });
  return { definition: defineTool(tool, inputSchema, placements), origin: template.origin };
}

function defineTool(
  tool: HttpToolSource,
  inputSchema: ToolDefinition['inputSchema'],
  placements: Placement[],
): ToolDefinition {
  const { name, title, description, outputSchema, annotations } = tool;
  const sendsBody = placements.some((placement) => placement.in === 'body');
  const http: HttpBinding = {
    method: tool.method,
    urlTemplate: tool.url,
    placements,
    headers: tool.headers ?? {},
    ...(tool.shape === undefined ? {} : { shape: tool.shape }),
    ...(sendsBody ? { bodyType: tool.bodyType ?? 'json' } : {}),
    credentials: tool.credentials ?? [],
    timeoutMs: tool.timeoutMs ?? TIMEOUT_MS,
  };
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    inputSchema: withPathRequired(inputSchema, placements),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(tool.concurrentMax === undefined ? {} : { limits: { concurrentMax: tool.concurrentMax } }),
    http,
  };
}

/** The schema with every argument of the path required: without one of them there is no URL to call. */
function withPathRequired(
  inputSchema: ToolDefinition['inputSchema'],
  placements: readonly Placement[],
): ToolDefinition['inputSchema'] {
  const inPath = placements.filter((placement) => placement.in === 'path').map((placement) => placement.argument);
  if (inPath.length === 0) return inputSchema;
  const given: readonly unknown[] = Array.isArray(inputSchema['required']) ? inputSchema['required'] : [];
  return { ...inputSchema, required: [...new Set([...given, ...inPath])] };
}

/** Path places first, then what the tenant placed; without placements everything else goes to the query or the JSON body. */
function completePlacements(
  tool: HttpToolSource,
  properties: readonly string[],
  places: readonly string[],
): Placement[] {
  const path = places.map((place): Placement => ({ argument: place, in: 'path', name: place }));
  if (tool.placements !== undefined)
    return [
      ...path.filter((place) => !tool.placements?.some((given) => given.in === 'path' && given.name === place.name)),
      ...tool.placements,
    ];
  const rest = tool.method === 'GET' || tool.method === 'HEAD' || tool.method === 'DELETE' ? 'query' : 'body';
  return [
    ...path,
    ...properties
      .filter((name) => !places.includes(name))
      .map((name): Placement => ({ argument: name, in: rest, name })),
  ];
}

function refuseTexts(problems: Problems, pointer: string, tool: HttpToolSource): void {
  refuseHidden(problems, at(pointer, 'description'), tool.description);
  if (tool.title !== undefined) refuseHidden(problems, at(pointer, 'title'), tool.title);
  if (tool.annotations?.title !== undefined)
    refuseHidden(problems, at(pointer, 'annotations', 'title'), tool.annotations.title);
  refuseHiddenWithin(problems, at(pointer, 'inputSchema'), tool.inputSchema);
  refuseHiddenWithin(problems, at(pointer, 'outputSchema'), tool.outputSchema);
}

function refuseCredentials(
  problems: Problems,
  pointer: string,
  ids: readonly string[],
  { credentials, origin }: { readonly credentials: ReadonlyMap<string, Credential>; readonly origin: string },
): void {
  ids.forEach((id, index) => {
    const credential = credentials.get(id);
    if (credential === undefined)
      problems.add(
        at(pointer, index),
        `There is no credential ${JSON.stringify(id)}.${didYouMean(id, credentials.keys())}`,
      );
    else if (!credential.origins.includes(origin))
      problems.add(
        at(pointer, index),
        `The credential ${JSON.stringify(id)} is not for ${origin}. Add this origin to its "origins".`,
      );
  });
}

function propertyNames(schema: Readonly<Record<string, unknown>>): string[] {
  const { properties } = schema;
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}
