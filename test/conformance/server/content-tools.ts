import type { ContentBlock } from '@modelcontextprotocol/server';
import { setTimeout as after } from 'node:timers/promises';
import { objectOf, text, type FixtureTool, type ToolRun } from './tool.js';

/** A red pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A silent moment. */
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const BETWEEN_MS = 20;

function embedded(uri: string, mimeType: string, value: string): ContentBlock {
  return { type: 'resource', resource: { uri, mimeType, text: value } };
}

async function log({ context, mcp }: ToolRun): Promise<object> {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    if (context.mcpReq.envelope === undefined)
      await mcp.server.notification(
        { method: 'notifications/message', params: { level: 'info', data } },
        { relatedRequestId: context.mcpReq.id },
      );
    else await context.mcpReq.log('info', data);
    await after(BETWEEN_MS);
  }
  return text('Logged.');
}

async function progress({ context }: ToolRun): Promise<object> {
  const progressToken = context.mcpReq._meta?.progressToken;
  for (const done of [0, 50, 100]) {
    if (progressToken !== undefined)
      await context.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: done, total: 100, message: `Completed step ${done} of 100` },
      });
    await after(BETWEEN_MS);
  }
  return text(String(progressToken));
}

const ADDRESS = {
  $anchor: 'addressDef',
  type: 'object',
  properties: { street: { type: 'string' }, city: { type: 'string' } },
};
const PRECISE_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: ADDRESS },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema; nobody awaits a schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** Tools that answer with every kind of content, and that say something on the way. */
export const CONTENT_TOOLS: readonly FixtureTool[] = [
  {
    name: 'test_simple_text',
    description: 'Answers with a text.',
    run: () => text('This is a simple text response for testing.'),
  },
  {
    name: 'test_image_content',
    description: 'Answers with an image.',
    run: () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }),
  },
  {
    name: 'test_audio_content',
    description: 'Answers with a sound.',
    run: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  },
  {
    name: 'test_embedded_resource',
    description: 'Answers with a resource.',
    run: () => ({ content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource.')] }),
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with a text, an image and a resource.',
    run: () => ({
      content: [
        { type: 'text', text: 'Multiple content types:' },
        { type: 'image', data: PNG, mimeType: 'image/png' },
        embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      ],
    }),
  },
  {
    name: 'test_error_handling',
    description: 'Fails.',
    run: () => ({ isError: true, ...text('This tool intentionally returns an error for testing') }),
  },
  { name: 'test_tool_with_logging', description: 'Logs three messages.', run: log },
  { name: 'test_logging_tool', description: 'Logs where the request asks for it.', run: log },
  { name: 'test_tool_with_progress', description: 'Tells how far it is.', run: progress },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Has a schema of many keywords.',
    inputSchema: PRECISE_SCHEMA,
    run: ({ arguments: given }) => text(JSON.stringify(given)),
  },
  {
    name: 'test_x_mcp_header',
    description: 'Mirrors arguments in headers.',
    inputSchema: objectOf({
      region: { type: 'string', 'x-mcp-header': 'Region' },
      level: { type: 'integer', 'x-mcp-header': 'Level' },
    }),
    run: ({ arguments: { region } }) => text(`region ${String(region)}`),
  },
];
