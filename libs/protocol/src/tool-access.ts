import { z } from 'zod';

/** What decides whether a tool only reads. */
export const accessShape = z.object({
  annotations: z.object({ readOnlyHint: z.boolean().optional() }).optional(),
  http: z.object({ method: z.string() }).optional(),
});

/** What policies may ask about a tool beside that: its annotations, and how it is sent. */
export const hintsShape = z.object({
  annotations: z
    .object({
      readOnlyHint: z.boolean().optional(),
      destructiveHint: z.boolean().optional(),
      idempotentHint: z.boolean().optional(),
      openWorldHint: z.boolean().optional(),
    })
    .optional(),
  http: z.object({ method: z.string() }).optional(),
});

/** The same in one object. */
export function toolHints({ annotations, http }: z.infer<typeof hintsShape>): Record<string, unknown> {
  return { ...annotations, ...(http === undefined ? {} : { method: http.method }) };
}

/** A tool reads when its release says so, or else when it is sent as GET or HEAD; every other one may write. */
export function toolAccess({ annotations, http }: z.infer<typeof accessShape>): 'read' | 'write' {
  const reads = annotations?.readOnlyHint ?? (http?.method === 'GET' || http?.method === 'HEAD');
  return reads ? 'read' : 'write';
}
