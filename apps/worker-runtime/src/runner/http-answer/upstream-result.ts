import { createHash } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { KEPT_RESULT_BYTES_MAX, MEDIA_TYPE_LENGTH_MAX } from '#libs/protocol';
import type { KeptLink, LargeAnswer } from '../results/kept-results.js';
import { linkedResult } from '../results/linked-result.js';
import type { FetchAnswer } from '../http-request/fetcher.js';
import type { OutputCheck } from '../checks/output.js';
import { ShapeFault } from '../checks/result-shape.js';
import type { ToolChecks } from '../checks/tool-checks.js';
import { cutText, errorResult, TEXT_BYTES_MAX, textResult } from '../results/results.js';

type Answered = Extract<FetchAnswer, { kind: 'answered' }>;

const utf8 = new TextDecoder();
const EXCERPT_BYTES_MAX = 4 * 1024;
const MEDIA_BYTES_MAX = 3 * 1024 * 1024;
const STACK_LINE = /^\s*(?:at \S.*[:(]|Traceback \(most recent call last\)|File "[^"]+", line \d+)/;
/** The same within a JSON string, up to its end or the next line. */
const STACK_LINE_IN_JSON = /(?:\\r)?\\n(?:\s|\\t)*at \S(?:[^"\\]|\\[^n])*/g;
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const TEXTUAL =
  /^(?:text\/.*|application\/(?:xml|javascript|yaml|x-yaml|csv|graphql|x-ndjson|toml|x-www-form-urlencoded)|.*\+(?:xml|yaml)|image\/svg\+xml)$/;

/** How many bytes of an answer a result shows, and what keeps those that are larger. */
export interface Inline {
  readonly bytes: number;
  /** What of it may be kept; undefined where nothing may. */
  readonly allowed: (answer: LargeAnswer) => Promise<LargeAnswer | undefined>;
  /** Undefined where it cannot be kept. */
  readonly keep: (answer: LargeAnswer) => Promise<KeptLink | undefined>;
}

interface Showing extends Pick<ToolChecks, 'output' | 'shape'> {
  readonly inline?: Inline | undefined;
}

/** The tool result of an upstream's answer. `target` names the request for messages (`GET api.example.com`). */
export async function upstreamResult(answer: Answered, checks: Showing, target: string): Promise<CallToolResult> {
  const { shape } = checks;
  const type = mediaType(answer.headers);
  if (answer.status < 200 || answer.status > 299) return statusResult(answer, type, target);
  if (shape === undefined || answer.body.length === 0) return wholeResult(answer, checks, target);
  try {
    const body = Buffer.from(shape.apply(decode(answer, answer.body.length)));
    return await wholeResult({ ...answer, body, headers: { 'content-type': 'application/json' } }, checks, target);
  } catch (error) {
    if (!(error instanceof ShapeFault)) throw error;
    return errorResult(
      `${succeeded(answer, target)} Of its answer a part should be shown, but ${error.message}. It begins:\n${cutText(decode(answer, EXCERPT_BYTES_MAX), EXCERPT_BYTES_MAX)}`,
    );
  }
}

/** The result of an answer that is shown as it is. */
async function wholeResult(answer: Answered, { output, inline }: Showing, target: string): Promise<CallToolResult> {
  const type = mediaType(answer.headers);
  const large = inline !== undefined && answer.body.length > inline.bytes && !isBrokenJson(answer, type);
  const linked = large ? await keptResult(answer, inline, target) : undefined;
  if (linked !== undefined) return output === undefined ? linked : { ...linked, isError: true };
  const shownMax = Math.min(inline?.bytes ?? TEXT_BYTES_MAX, KEPT_RESULT_BYTES_MAX);
  if (output !== undefined) return structuredResult(answer, output, { target, shownMax });
  if (answer.body.length === 0) return textResult(`HTTP ${answer.status}: done, with no content.`);
  const media = mediaKind(type);
  if (media === undefined && isBrokenJson(answer, type))
    return errorResult(
      `${succeeded(answer, target)} Its answer calls itself JSON and is not, or is cut short. It begins:\n${cutText(decode(answer, EXCERPT_BYTES_MAX), EXCERPT_BYTES_MAX)}`,
    );
  if (media === undefined && isText(type, answer.body))
    return textResult(decode(answer, shownMax + 4), { bytesTotal: answer.body.length, shownMax });
  if (answer.body.length > MEDIA_BYTES_MAX) return tooLarge(answer, inline, target);
  if (media === undefined) return blobResult(answer.body, type);
  return { content: [{ type: media, data: answer.body.toString('base64'), mimeType: type }] };
}

/** What every message about an answer that is not shown whole begins with: an agent must not do twice what was done. */
function succeeded({ status }: Answered, target: string): string {
  return `${target} succeeded (HTTP ${status}); do not repeat it only because of this message.`;
}

/** A result that links to the whole answer; undefined where it could not be kept. */
async function keptResult(answer: Answered, inline: Inline, target: string): Promise<CallToolResult | undefined> {
  const type = mediaType(answer.headers);
  const text = isText(type, answer.body);
  const content = text ? Buffer.from(decode(answer, answer.body.length)) : answer.body;
  const mime = type === '' && text ? 'text/plain' : namedType(type);
  const large = await inline.allowed({ content, mediaType: mime, text });
  if (large === undefined) return undefined;
  const link = await inline.keep(large);
  const told = `${succeeded(answer, target)} It answered`;
  return link && linkedResult(told, link, large);
}

/** Bytes as an embedded resource; its URI is a hash of them, so that equal bytes are one resource. */
function blobResult(body: Buffer, type: string): CallToolResult {
  const mimeType = namedType(type);
  const uri = `urn:sha256:${createHash('sha256').update(body).digest('hex')}`;
  return { content: [{ type: 'resource', resource: { uri, mimeType, blob: body.toString('base64') } }] };
}

/** Bytes that are neither shown nor kept. */
function tooLarge(answer: Answered, inline: Inline | undefined, target: string): CallToolResult {
  const { length } = answer.body;
  const beyondKeeping = inline !== undefined && length > KEPT_RESULT_BYTES_MAX;
  const bytesMax = beyondKeeping ? KEPT_RESULT_BYTES_MAX : MEDIA_BYTES_MAX;
  return errorResult(
    `${succeeded(answer, target)} It answered with ${namedType(mediaType(answer.headers))} of ${length} bytes, larger than the limit of ${bytesMax}, so none of it is shown. Where asking again changes nothing, ask for a smaller one.`,
  );
}

/** A type as it is told to clients; upstreams may name none, or one that is no name. */
function namedType(type: string): string {
  return type === '' || type.length > MEDIA_TYPE_LENGTH_MAX ? 'application/octet-stream' : type;
}

/** A result with structured content, when the answer keeps what the tool promises; else an error that carries the answer. */
function structuredResult(
  answer: Answered,
  output: OutputCheck,
  { target, shownMax }: { readonly target: string; readonly shownMax: number },
): CallToolResult {
  const text = decode(answer, shownMax);
  const done = succeeded(answer, target);
  if (answer.body.length > shownMax) {
    return errorResult(
      `${done} Its answer of ${answer.body.length} bytes is larger than the limit of ${shownMax}. Ask for less, for example with a filter or a smaller page. It begins:\n${cutText(text, EXCERPT_BYTES_MAX)}`,
    );
  }
  const parsed = parseObject(text);
  const problems = parsed === undefined ? ['the answer is not a JSON object'] : output.findProblems(parsed);
  if (parsed !== undefined && problems.length === 0)
    return { content: [{ type: 'text', text }], structuredContent: parsed };
  return errorResult(
    `${done} Its answer does not match the tool's output schema (${problems.join('; ')}). The answer:\n${text}`,
  );
}

function statusResult(answer: Answered, type: string, target: string): CallToolResult {
  const advice = adviceFor(answer);
  // What a failing server prints (stack traces, paths, queries) is its owner's business, not the agent's.
  const told = answer.status < 500 && isText(type, answer.body);
  const shown = told ? withoutStack(decode(answer, EXCERPT_BYTES_MAX * 2)) : '';
  const excerpt = cutText(shown, EXCERPT_BYTES_MAX);
  const body =
    excerpt === ''
      ? ''
      : `\n${excerpt}${excerpt.length < shown.length || answer.body.length > EXCERPT_BYTES_MAX * 2 ? '\n[Cut here.]' : ''}`;
  return errorResult(`${target} answered HTTP ${answer.status}.${advice}${body}`);
}

/** A text without the lines of a stack trace, as Node, Java, .NET and Python write them. */
function withoutStack(text: string): string {
  return text
    .replaceAll(STACK_LINE_IN_JSON, (line) => (/[:(]/.test(line) ? '' : line))
    .split('\n')
    .filter((line) => !STACK_LINE.test(line))
    .join('\n');
}

function adviceFor({ status, headers }: Answered): string {
  const wait = /^\d{1,6}$/.test(headers['retry-after'] ?? '')
    ? ` Wait ${headers['retry-after']} seconds before the next call.`
    : '';
  if (status === 401 || status === 403)
    return ' The upstream refused the credentials this tool is set up with, or they do not allow this. Different arguments may still work; otherwise the owner of this server must correct its secret.';
  if (status === 404) return ' Check the ids and names in the arguments.';
  if (status === 400 || status === 422) return ' The upstream did not accept the arguments; its answer says why.';
  if (status === 429) return ` The upstream limits how often it may be called.${wait}`;
  if (status >= 300 && status < 400) return ' This is a redirect that was not followed.';
  return status >= 500 ? ` The upstream failed; the call may work later.${wait}` : '';
}

function mediaKind(type: string): 'image' | 'audio' | undefined {
  return IMAGES.has(type) ? 'image' : /^audio\/[\w.+-]+$/.test(type) ? 'audio' : undefined;
}

/** Whether an answer that is shown whole calls itself JSON and is none. */
function isBrokenJson(answer: Answered, type: string): boolean {
  if (!isJson(type) || answer.body.length > TEXT_BYTES_MAX) return false;
  try {
    JSON.parse(decode(answer, TEXT_BYTES_MAX));
    return false;
  } catch {
    return true;
  }
}

function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

function mediaType(headers: Readonly<Record<string, string>>): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function isText(type: string, body: Buffer): boolean {
  if (isJson(type) || TEXTUAL.test(type)) return true;
  return type === '' && !body.subarray(0, 1024).includes(0);
}

/** The beginning of a body as text, in the charset it names where that is known, else UTF-8. */
function decode({ headers, body }: Answered, bytesMax: number): string {
  const label = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(headers['content-type'] ?? '')?.[1];
  const bytes = body.length > bytesMax ? body.subarray(0, bytesMax) : body;
  if (label === undefined) return utf8.decode(bytes);
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return bytes.toString('utf8'); // a charset nobody knows
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // the caller says what was expected
  }
}
