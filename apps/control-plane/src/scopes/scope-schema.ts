import { z } from 'zod';

/** How many scopes one credential may have. */
export const SCOPES_MAX = 50;

/** A scope of tenant URLs: every server, reading at every server, or a part of one. */
export const callScope = z
  .union([
    z.enum(['mcp', 'mcp:read']),
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}(~[a-z][a-z0-9-]{0,15})?:[a-z0-9][a-z0-9_-]{0,31}$/),
  ])
  .meta({
    description:
      '`mcp` for everything at every tenant URL; `mcp:read` to read there; `{server}:read`, `{server}:write` or ' +
      '`{server}:{group}` for one server (`{server}~{environment}` for one of its environments).',
  });
