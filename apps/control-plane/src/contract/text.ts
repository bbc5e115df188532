import { z } from 'zod';

/** One line of text for people: no control, direction-changing or broken characters, no blank ends. */
export function lineOfText(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'one line of text without control characters');
}

/** Text to look something up by. */
export function searchText(max: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'text without control characters');
}
