import { applyDecorators, createParamDecorator, HttpCode, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { z } from 'zod';
import type { ManagedRequest } from '../edge/managed-request.js';
import type { Precondition } from './precondition.js';
import type { JsonBody, BytesBody, ContractShape } from './contract-shape.js';

/** Where a handler's contract is kept. */
export const CONTRACT = 'wharf:contract';

const JSON_BYTES_MAX = 1024 * 1024;

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
  bounds: Partial<Pick<JsonBody, 'bytesMax' | 'depthMax' | 'keysMax'>> = {},
): JsonBody<Schema> {
  const mayBeAbsent = schema.safeParse({}).success;
  return { kind: 'json', schema, bytesMax: JSON_BYTES_MAX, depthMax: 64, keysMax: 100_000, mayBeAbsent, ...bounds };
}

/** Declares what a handler takes and answers; every route has one, or the service does not start. */
export function Contract(shape: ContractShape): MethodDecorator {
  return applyDecorators(SetMetadata(CONTRACT, shape), HttpCode(shape.answer.status));
}

/** The input of the request, parsed by the handler's contract. */
export const Input = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<ManagedRequest>().input,
);
