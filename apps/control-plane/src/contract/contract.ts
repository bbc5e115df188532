import { applyDecorators, createParamDecorator, HttpCode, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { z } from 'zod';
import type { ErrorCode } from '#libs/errors';
import type { ManagedRequest } from '../edge/managed-request.js';
import type { Precondition } from './precondition.js';

/** Where a handler's contract is kept. */
export const CONTRACT = 'wharf:contract';

const JSON_BYTES_MAX = 1024 * 1024;

/** A JSON body, parsed by its schema within bounds. */
export interface JsonBody<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'json';
  readonly schema: Schema;
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly keysMax: number;
  /** A request without a body is one with an empty object. */
  readonly mayBeAbsent?: true;
}

/** A body that is kept as it came. */
export interface BytesBody {
  readonly kind: 'bytes';
  readonly bytesMax: number;
  readonly mediaTypes: readonly string[];
}

/** Since when a route is deprecated, when it ends at the earliest, and what stands in for it: times in ISO 8601. */
export interface Deprecation {
  readonly since: string;
  readonly sunset: string;
  readonly instead: string;
}

/** What a route takes and what it answers: the one place both are declared. */
export interface ContractShape {
  /** One line for the API document. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  /** The path names what the request creates, so a name that cannot exist is a fault in the request, not absence. */
  readonly creates?: 'what the path names';
  readonly query?: z.ZodObject;
  readonly body?: JsonBody | BytesBody;
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204;
    readonly means: string;
    readonly schema?: z.ZodType;
    /** Another media type than JSON, for a route that writes its own answer. */
    readonly mediaType?: string;
  };
  /**
   * The answer has an `ETag`; a change compares it with `If-Match`: where there is one (`compared`), or always
   * (`required`). A list has none.
   */
  readonly etag?: 'shown' | 'compared' | 'required';
  /** Where in the answer that stands which the tag is of, from member to member; everything that is answered unless said. */
  readonly tagged?: readonly string[];
  /** The route goes on working until `sunset`, and what to use instead (RFC 9745, RFC 8594). */
  readonly deprecated?: Deprecation;
  /** Codes of refusals beyond those every route has. */
  readonly refuses?: readonly ErrorCode[];
}

type ParsedBody<Body> = Body extends BytesBody
  ? { readonly content: Buffer; readonly mediaType: string }
  : Body extends JsonBody<infer Schema>
    ? z.output<Schema>
    : undefined;
type Parsed<Shape, Part extends string> = Shape extends { readonly [Key in Part]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

/** The parsed input of a route with this contract. */
export interface InputOf<Shape extends ContractShape> {
  readonly params: Parsed<Shape, 'params'>;
  readonly query: Parsed<Shape, 'query'>;
  readonly body: Shape extends { readonly body: infer Body } ? ParsedBody<Body> : undefined;
  /** What the caller knows of the thing that they change. */
  readonly precondition: Precondition;
}

/** What a handler with this contract returns. */
export type AnswerOf<Shape extends ContractShape> = Shape['answer'] extends {
  readonly schema: infer Schema extends z.ZodType;
}
  ? z.input<Schema>
  : void;

/** A contract with its exact types kept. */
export function contract<const Shape extends ContractShape>(shape: Shape): Shape {
  return shape;
}

/** A JSON body of at most 1 MiB, 64 levels and 100,000 members, unless its bounds say otherwise. */
export function jsonBody<Schema extends z.ZodType>(
  schema: Schema,
  bounds: Partial<Omit<JsonBody, 'kind' | 'schema'>> = {},
): JsonBody<Schema> {
  return { kind: 'json', schema, bytesMax: JSON_BYTES_MAX, depthMax: 64, keysMax: 100_000, ...bounds };
}

/** Declares what a handler takes and answers; every route has one, or the service does not start. */
export function Contract(shape: ContractShape): MethodDecorator {
  return applyDecorators(SetMetadata(CONTRACT, shape), HttpCode(shape.answer.status));
}

/** The input of the request, parsed by the handler's contract. */
export const Input = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<ManagedRequest>().input,
);
