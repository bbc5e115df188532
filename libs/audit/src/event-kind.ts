import { z } from 'zod';

/** What the catalogue says of an event. */
export interface EventKind<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** What is true afterwards. */
  readonly means: string;
  /** Grows when a member of its details is taken away or means something else; new optional members leave it. */
  readonly version: number;
  readonly details: z.ZodObject<Shape, z.core.$strict>;
}

/** An event of this meaning, with details of this shape and no other. */
export function event(means: string): EventKind<Record<never, never>>;
export function event<Shape extends z.ZodRawShape>(means: string, details: Shape, version?: number): EventKind<Shape>;
export function event(means: string, details: z.ZodRawShape = {}, version = 1): EventKind {
  return { means, version, details: z.strictObject(details) };
}

/** What records say whose details were refused by the database; all of them were written by the gateway. */
export const mayBeReduced = { details_lost: z.literal(true).optional() };
