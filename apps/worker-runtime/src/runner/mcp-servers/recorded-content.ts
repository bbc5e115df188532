import type { CallToolResult } from '@modelcontextprotocol/server';
import type { CallContent } from '#libs/protocol';
import type { ToolCall } from './mcp-server.js';

const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|authori[sz]ation|api_?-?key|credential|cookie|private_?-?key|^(pin|cvv|cvc|ssn|iban|otp)$/i;
const HIDDEN = '[redacted]';
const TEXT_LENGTH_MAX = 256;
const MEMBERS_MAX = 64;
const DEPTH_MAX = 6;
const BYTES_MAX = 8 * 1024;

/** What a tool says of its arguments. */
interface ToolSchema {
  readonly inputSchema: { readonly properties?: Readonly<Record<string, unknown>> | undefined };
}

/**
 * What an audit record may hold of a tool's call. Arguments go without those that are named like a credential or that the
 * schema marks `writeOnly` or `format: password`, long texts shortened; of the result only kinds and sizes.
 */
function contentOf({ inputSchema }: ToolSchema, given: unknown, result: CallToolResult | undefined): CallContent {
  const shown = Object.fromEntries(
    Object.entries(typeof given === 'object' && given !== null ? given : {})
      .slice(0, MEMBERS_MAX)
      .map(([name, value]) => [name, isMarked(inputSchema.properties?.[name]) ? HIDDEN : redacted(name, value, 1)]),
  );
  const bytes = Buffer.byteLength(JSON.stringify(shown));
  const asked = bytes > BYTES_MAX ? { omitted_bytes: bytes } : shown;
  return { arguments: asked, ...(result === undefined ? {} : { result: summaryOf(result) }) };
}

/** A running call's result, once what was asked and answered is noted. */
export async function noteContent(
  running: Promise<CallToolResult>,
  { tool, arguments: given }: ToolCall,
  note: (content: CallContent) => void,
): Promise<CallToolResult> {
  const end = (result?: CallToolResult): void => note(contentOf(tool.definition, given, result));
  await running.then(end, () => end());
  return running;
}

function isMarked(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { writeOnly, format } = schema as { writeOnly?: unknown; format?: unknown }; // any shape ends as a lookup
  return writeOnly === true || format === 'password';
}

function redacted(name: string, value: unknown, depth: number): unknown {
  if (SECRET_NAME.test(name)) return HIDDEN;
  if (typeof value === 'string') {
    const left = value.length - TEXT_LENGTH_MAX;
    return left > 0 ? `${value.slice(0, TEXT_LENGTH_MAX)}… (${left} more)` : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, MEMBERS_MAX).map((member) => redacted('', member, depth + 1));
  const members = Object.entries(value).slice(0, MEMBERS_MAX);
  return Object.fromEntries(members.map(([key, member]) => [key, redacted(key, member, depth + 1)]));
}

/** Results that only say what is needed first, or that a task was begun, have no content. */
function summaryOf({ content = [], structuredContent, isError }: Partial<CallToolResult>): object {
  const blocks = content.slice(0, MEMBERS_MAX).map((block) => ({
    type: block.type,
    bytes: Buffer.byteLength(JSON.stringify(block)),
  }));
  return {
    is_error: isError === true,
    content: blocks,
    ...(structuredContent === undefined
      ? {}
      : { structured_bytes: Buffer.byteLength(JSON.stringify(structuredContent)) }),
  };
}
