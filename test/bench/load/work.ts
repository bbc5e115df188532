/** The protocol's two eras. */
export type Era = '2025' | '2026';

/** Both. */
export const ERAS: readonly Era[] = ['2025', '2026'];

/**
 * What is asked: `echo` is a `tools/call` of 200 bytes answered with 300, `list` is `tools/list` of 100 tools, and
 * `hello` is the request that asks for nothing: `ping`, which is `server/discover` in the 2026 era.
 */
export type Work = 'echo' | 'list' | 'hello';

/** Text that every echo call sends, in bytes. */
export const SENT_BYTES = 200;
/** Text that every echo call is answered with, in bytes. */
export const ANSWERED_BYTES = 300;
/** Tools of the server that `list` asks. */
export const LISTED_TOOLS = 100;

const VERSIONS = { 2025: '2025-11-25', 2026: '2026-07-28' } as const;
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSIONS[2026],
  'io.modelcontextprotocol/clientInfo': { name: 'wharf-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What an echo tool answers to a text. */
export function echoOf(text: string): string {
  return text.padEnd(ANSWERED_BYTES, '.');
}

/** The JSON-RPC method of a piece of work. */
export function methodOf(era: Era, work: Work): string {
  if (work === 'echo') return 'tools/call';
  if (work === 'list') return 'tools/list';
  return era === '2025' ? 'ping' : 'server/discover';
}

/** The message with a number; every text is another, so that nothing can answer from memory. */
export function messageOf(era: Era, work: Work, id: number): string {
  const meta = era === '2026' ? { _meta: META } : {};
  const echo = work === 'echo' ? { name: 'echo', arguments: { text: textOf(id) } } : {};
  return JSON.stringify({ jsonrpc: '2.0', id, method: methodOf(era, work), params: { ...echo, ...meta } });
}

/** @throws Error when a body is not the right answer to the message with this number */
export function requireAnswer(era: Era, work: Work, id: number, body: string): void {
  const message = JSON.parse(jsonOf(body)) as Answer; // every member is checked below
  const right = message.id === id && message.result !== undefined && isRight(era, work, id, message.result);
  if (!right) throw new Error(`wrong answer to ${methodOf(era, work)}: ${body.slice(0, 400)}`);
}

/** The `initialize` of the 2025 era, and the notification after it. */
export const GREETING = {
  initialize: JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: VERSIONS[2025],
      capabilities: {},
      clientInfo: { name: 'wharf-bench', version: '1.0.0' },
    },
  }),
  initialized: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
} as const;

/** The protocol's own headers of a piece of work, as lines. */
export function protocolLines(era: Era, work: Work, sessionId: string | undefined): string {
  const version = `mcp-protocol-version: ${VERSIONS[era]}\r\n`;
  if (era === '2025') return `${version}${sessionId === undefined ? '' : `mcp-session-id: ${sessionId}\r\n`}`;
  return `${version}mcp-method: ${methodOf(era, work)}\r\n${work === 'echo' ? 'mcp-name: echo\r\n' : ''}`;
}

interface Answer {
  readonly id?: unknown;
  readonly result?: {
    readonly content?: ReadonlyArray<{ readonly text?: unknown }>;
    readonly isError?: boolean;
    readonly tools?: ReadonlyArray<{ readonly name?: unknown }>;
    readonly supportedVersions?: readonly string[];
  };
}

function isRight(era: Era, work: Work, id: number, result: NonNullable<Answer['result']>): boolean {
  if (work === 'echo') return result.isError !== true && result.content?.[0]?.text === echoOf(textOf(id));
  if (work === 'list') return result.tools?.length === LISTED_TOOLS && result.tools[99]?.name === 'tool_99';
  return era === '2025' || result.supportedVersions?.includes(VERSIONS[2026]) === true;
}

function textOf(id: number): string {
  return `call ${id} `.padEnd(SENT_BYTES, 'x');
}

/** A body's JSON: the body itself, or the last event of a stream. */
function jsonOf(body: string): string {
  if (body.startsWith('{')) return body;
  const events = body.split(/\r?\n/).filter((line) => line.startsWith('data:') && line.length > 6);
  return events.at(-1)?.slice('data:'.length) ?? '';
}
