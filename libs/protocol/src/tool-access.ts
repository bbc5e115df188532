import { z } from 'zod';

/** What decides whether a tool only reads. */
export const accessShape = z.object({
  annotations: z.object({ readOnlyHint: z.boolean().optional() }).optional(),
  http: z.object({ method: z.string() }).optional(),
});

/** A tool reads when its release says so, or else when it is sent as GET or HEAD; every other one may write. */
export function toolAccess({ annotations, http }: z.infer<typeof accessShape>): 'read' | 'write' {
  const reads = annotations?.readOnlyHint ?? (http?.method === 'GET' || http?.method === 'HEAD');
  return reads ? 'read' : 'write';
}
