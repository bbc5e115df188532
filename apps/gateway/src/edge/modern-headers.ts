import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { namingField, subjectOf } from './exchange.js';

/** The protocol's own headers of a request, without the white space around them. */
export interface ProtocolHeaders {
  readonly version?: string | undefined;
  readonly method?: string | undefined;
  readonly name?: string | undefined;
}

const SENTINEL = /^=\?base64\?(.*)\?=$/;
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PARAMETER_PREFIX = 'mcp-param-';
const PARAMETERS_BYTES_MAX = 16 * 1024;
const NO_PARAMETERS = {};

/** Reads `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name`. */
export function protocolHeaders(request: IncomingMessage): ProtocolHeaders {
  return {
    version: header(request, 'mcp-protocol-version'),
    method: header(request, 'mcp-method'),
    name: header(request, 'mcp-name'),
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value.replace(/^[ \t]+|[ \t]+$/g, '') : undefined;
}

/**
 * A modern request must carry its version, method and name in headers, equal to the body
 * (MCP 2026-07-28, transports, "Standard headers"). That version and method agree is checked where the era is told.
 * @throws AppError header_mismatch
 */
export function requireStandardHeaders(headers: ProtocolHeaders, method: string, params: unknown): void {
  if (headers.version === undefined) throw mismatch('The MCP-Protocol-Version header is missing.');
  if (headers.method === undefined) throw mismatch('The Mcp-Method header is missing.');
  const field = namingField(method);
  if (field === undefined) return;
  const named = subjectOf(method, params);
  if (headers.name === undefined) {
    if (named !== undefined) throw mismatch(`The Mcp-Name header is missing; it repeats params.${field}.`);
    return;
  }
  const decoded = decodeHeader(headers.name);
  if (decoded === undefined) throw mismatch('The Mcp-Name header is not valid base64 within its =?base64?…?= mark.');
  if (named !== undefined && decoded !== named) throw mismatch(`The Mcp-Name header differs from params.${field}.`);
}

/** The request's `Mcp-Param-*` headers as they came; the worker compares them, for it knows the tool's schema. */
export function parameterHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const named = Object.keys(request.headers).some((name) => name.startsWith(PARAMETER_PREFIX));
  if (!named) return NO_PARAMETERS;
  const found = Object.entries(request.headersDistinct).filter(([name]) => name.startsWith(PARAMETER_PREFIX));
  let bytes = 0;
  const headers: Record<string, string> = {};
  for (const [name, values] of found) {
    if (values?.length !== 1) throw mismatch(`The header ${name} stands more than once.`);
    headers[name] = values[0] ?? '';
    bytes += name.length + headers[name].length;
  }
  if (bytes > PARAMETERS_BYTES_MAX)
    throw new AppError('too_large', { message: 'The Mcp-Param headers are too large together.' });
  return headers;
}

function decodeHeader(value: string): string | undefined {
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!CANONICAL_BASE64.test(encoded)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}

function mismatch(message: string): AppError {
  return new AppError('header_mismatch', { message });
}
