import { AppError } from '#libs/errors';
import { parseJson, readBody } from '#libs/http';
import type { ManagedRequest } from '../edge/managed-request.js';
import type { BytesBody, ContractShape, JsonBody } from './contract-shape.js';
import { preconditionOf } from './precondition.js';
import { refusedInput } from './problems.js';

const BODY_READ_MS = 30_000;

function mediaTypeOf(request: ManagedRequest): string {
  const [mediaType = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new AppError('unsupported_media_type', { message: 'Only UTF-8 text is accepted.' });
  }
  return mediaType.trim();
}

function checkMediaType(request: ManagedRequest, accepted: readonly string[]): string {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const mediaType = mediaTypeOf(request);
  if (encoding !== 'identity' || !accepted.includes(mediaType)) {
    throw new AppError('unsupported_media_type', {
      message: `Send the body as ${accepted.join(' or ')}, without a content encoding.`,
    });
  }
  return mediaType;
}

function hasBody(request: ManagedRequest): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function refuseBody(request: ManagedRequest): void {
  if (hasBody(request)) {
    throw new AppError('invalid_request', { message: 'This route takes no body. Send the request without one.' });
  }
}

async function readJsonBody(request: ManagedRequest, body: JsonBody): Promise<unknown> {
  const parsed = body.schema.safeParse(await readJson(request, body));
  if (!parsed.success) throw refusedInput(parsed.error);
  return parsed.data;
}

async function readJson(request: ManagedRequest, body: JsonBody): Promise<unknown> {
  if (body.mayBeAbsent && !hasBody(request)) return {};
  checkMediaType(request, ['application/json']);
  const bytes = await readBody(request, body.bytesMax, AbortSignal.timeout(BODY_READ_MS));
  return parseJson(bytes, { ...body, names: 'distinct' });
}

async function readBytesBody(request: ManagedRequest, body: BytesBody): Promise<unknown> {
  const mediaType = checkMediaType(request, body.mediaTypes);
  const content = await readBody(request, body.bytesMax, AbortSignal.timeout(BODY_READ_MS));
  if (content.length === 0) throw new AppError('invalid_request', { message: 'The body is empty. Send the document.' });
  return { content, mediaType };
}

function parseParams(request: ManagedRequest, contract: ContractShape): unknown {
  if (contract.params === undefined) return undefined;
  const parsed = contract.params.safeParse(request.params);
  if (!parsed.success && contract.creates !== undefined) throw refusedInput(parsed.error, ['path']);
  // A name that cannot exist is answered like one that does not.
  if (!parsed.success) throw new AppError('not_found');
  return parsed.data;
}

function parseQuery(request: ManagedRequest, contract: ContractShape): unknown {
  if (contract.query === undefined) {
    if (Object.keys(request.query).length === 0) return undefined;
    throw new AppError('invalid_request', { message: 'This route takes no query parameters. Remove them.' });
  }
  const parsed = contract.query.safeParse(request.query);
  if (!parsed.success) throw refusedInput(parsed.error, ['query']);
  return parsed.data;
}

/**
 * The request's path, query and body, each parsed by the contract.
 * @throws AppError `invalid_request`, `malformed_json`, `too_large`, `unsupported_media_type`, `not_found`
 *   or `precondition_required`
 */
export async function readInput(request: ManagedRequest, contract: ContractShape): Promise<unknown> {
  const params = parseParams(request, contract);
  const query = parseQuery(request, contract);
  if (contract.body === undefined) {
    refuseBody(request);
    return { params, query, body: undefined, precondition: preconditionOf(request, contract) };
  }
  const body =
    contract.body.kind === 'json'
      ? await readJsonBody(request, contract.body)
      : await readBytesBody(request, contract.body);
  return { params, query, body, precondition: preconditionOf(request, contract) };
}
