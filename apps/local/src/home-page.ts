import type { ServerResponse } from 'node:http';
import { securityHeaders } from '#libs/http';

/** The page at the root of a local installation: what this is, and where to go on. */
export function homePage(response: ServerResponse, publicUrl: string): void {
  const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Wharf</title>
<style>body{font:1.05rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1.25rem;color:#1b2430;background:#fff}
a{color:#0b5cad}code{background:#eef1f5;padding:.1em .3em;border-radius:.25em}@media(prefers-color-scheme:dark){body{color:#e6ebf2;background:#12161c}a{color:#7db7f5}code{background:#222a34}}</style></head>
<body><main><h1>Wharf is running</h1>
<p>Wharf hosts MCP servers for many tenants. Each tenant has a URL of its own that agents connect to.</p>
<ul>
<li><a href="/v1/docs">Management API</a>: sign up, publish a server (<a href="/v1/openapi.json">OpenAPI document</a>)</li>
<li><a href="/readyz">State of the services</a></li>
</ul>
<p>A tenant's MCP URL looks like <code>${publicUrl}/t/{tenant}/mcp</code>.</p>
</main></body></html>`;
  securityHeaders(response);
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    'cache-control': 'no-store',
  });
  response.end(page);
}
