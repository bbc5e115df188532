import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';

/** POST: the client must accept both ways an answer can come (MCP, transports, "Sending messages"). @throws AppError */
export function requireJsonAndStream(request: IncomingMessage): void {
  const ranges = acceptedRanges(request);
  if (!accepts(ranges, JSON_TYPE) || !accepts(ranges, STREAM_TYPE)) {
    throw new AppError('not_acceptable', { message: `Send "Accept: ${JSON_TYPE}, ${STREAM_TYPE}".` });
  }
}

/** GET: the client must accept a stream. @throws AppError */
export function requireStream(request: IncomingMessage): void {
  if (!accepts(acceptedRanges(request), STREAM_TYPE)) {
    throw new AppError('not_acceptable', { message: `Send "Accept: ${STREAM_TYPE}".` });
  }
}

/** The body must be JSON in UTF-8. @throws AppError unsupported_media_type */
export function requireJsonBody(request: IncomingMessage): void {
  const [type, ...parameters] = (request.headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (type === JSON_TYPE && (charset ?? 'utf-8') === 'utf-8' && encoding === 'identity') return;
  throw new AppError('unsupported_media_type', {
    message: `Send the message as "Content-Type: ${JSON_TYPE}" in UTF-8, not compressed.`,
  });
}

function acceptedRanges(request: IncomingMessage): Set<string> {
  const ranges = (request.headers.accept ?? '').toLowerCase().split(',');
  const wanted = ranges.map((range) => range.split(';').map((part) => part.trim()));
  return new Set(
    wanted.filter(([, ...rest]) => !rest.some((part) => /^q=0(\.0*)?$/.test(part))).map(([type]) => type ?? ''),
  );
}

function accepts(ranges: ReadonlySet<string>, type: string): boolean {
  return ranges.has(type) || ranges.has('*/*') || ranges.has(`${type.split('/')[0]}/*`);
}
