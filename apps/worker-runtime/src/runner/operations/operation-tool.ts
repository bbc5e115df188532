import type { HttpBinding, ToolDefinition } from '#libs/protocol';
import { Problems } from '../build-checks/problems.js';
import { refuseHiddenWithin } from '../build-checks/text-safety.js';
import { readUrlTemplate } from '../build-checks/url-template.js';
import { nameArguments, type Argument, type ArgumentDraft } from './arguments.js';
import { describeOperation } from './describe.js';
import type { OperationContext } from './operation-context.js';
import { refuseMirrored } from './mirrored-arguments.js';
import { parameterArguments } from './parameters.js';
import { bodyArguments } from './request-body.js';
import { resultSchema } from './result-schema.js';
import { SchemaConversion, SchemaTooLarge } from './schema.js';
import { OperationSkipped } from './skipped.js';

/** What a tool needs beside its operation. */
export interface ToolSetting {
  readonly name: string;
  readonly baseUrl: string;
  readonly credentials: readonly string[];
}

const INLINED_BYTES_MAX = 48 * 1024;
const KEPT_BYTES_MAX = 256 * 1024;
const ARGUMENTS_MAX = 256;
const URL_CHARACTERS_MAX = 2_048;
const TIMEOUT_MS = 30_000;

interface Inputs {
  readonly inputSchema: ToolDefinition['inputSchema'];
  readonly placements: HttpBinding['placements'];
  readonly bodyType: HttpBinding['bodyType'];
}

/** The tool of an operation. Wrong schemas are noted as problems. @throws OperationSkipped when there cannot be one */
export function buildOperationTool(
  context: OperationContext,
  { name, baseUrl, credentials }: ToolSetting,
): ToolDefinition {
  const { operation } = context;
  const urlTemplate = `${baseUrl}${operation.path}`;
  refuseUrl(operation.pointer, urlTemplate);
  const { inputSchema, placements, bodyType } = buildInputs(context);
  const outputSchema = resultSchema(context);
  const words = describeOperation(context.problems, operation);
  refuseHidden(operation.pointer, [inputSchema, outputSchema]);
  refuseMirrored(context.problems, operation.pointer, inputSchema);
  const http: HttpBinding = {
    method: operation.method,
    urlTemplate,
    placements,
    headers: {},
    ...(bodyType === undefined ? {} : { bodyType }),
    credentials: [...credentials],
    timeoutMs: TIMEOUT_MS,
  };
  return {
    name,
    ...words,
    inputSchema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    http,
  };
}

/** References are replaced by what they stand for, which every client understands, unless that becomes too large. */
function buildInputs(context: OperationContext): Inputs {
  const { version, references, problems, operation } = context;
  const options = { version, references, problems, use: 'input' } as const;
  try {
    return inputsWith(context, new SchemaConversion({ ...options, expansion: 'inlined', bytesMax: INLINED_BYTES_MAX }));
  } catch (error) {
    if (!(error instanceof SchemaTooLarge)) throw error;
  }
  try {
    return inputsWith(context, new SchemaConversion({ ...options, expansion: 'kept', bytesMax: KEPT_BYTES_MAX }));
  } catch (error) {
    if (!(error instanceof SchemaTooLarge)) throw error;
    throw new OperationSkipped(operation.pointer, 'The schema of its arguments is too large or too deep.');
  }
}

function inputsWith(context: OperationContext, conversion: SchemaConversion): Inputs {
  const body = bodyArguments(context, conversion);
  const drafts: ArgumentDraft[] = [...parameterArguments(context, conversion), ...body.drafts];
  if (drafts.length > ARGUMENTS_MAX) {
    throw new OperationSkipped(
      context.operation.pointer,
      `It has ${drafts.length} arguments; a tool may have ${ARGUMENTS_MAX}.`,
    );
  }
  const named = nameArguments(drafts);
  return {
    inputSchema: inputSchema(named, conversion.definitions()),
    placements: [...named.values()].map((argument) => argument.placement),
    bodyType: body.bodyType,
  };
}

function inputSchema(
  named: ReadonlyMap<string, Argument>,
  definitions: Record<string, unknown>,
): ToolDefinition['inputSchema'] {
  const required = [...named].filter(([, argument]) => argument.required).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries([...named].map(([name, { schema }]) => [name, schema === true ? {} : schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
  };
}

function refuseUrl(pointer: string, urlTemplate: string): void {
  if (urlTemplate.length > URL_CHARACTERS_MAX)
    throw new OperationSkipped(pointer, `Its URL is longer than ${URL_CHARACTERS_MAX} characters.`);
  const problems = new Problems();
  readUrlTemplate(problems, '', urlTemplate);
  if (problems.first !== undefined)
    throw new OperationSkipped(pointer, `Its path cannot be used: ${problems.first.message}`);
}

/** Names and values cannot be cleaned like descriptions, because the upstream expects them as they are. */
function refuseHidden(pointer: string, schema: unknown): void {
  const problems = new Problems();
  refuseHiddenWithin(problems, '', schema);
  if (problems.first !== undefined)
    throw new OperationSkipped(pointer, `A name or value in its schema is unsafe: ${problems.first.message}`);
}
