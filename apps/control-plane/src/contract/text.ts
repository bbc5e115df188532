import { z } from 'zod';

/** One line of text for people: no control or direction-changing characters, no blank ends. */
export function lineOfText(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'one line of text without control characters');
}
