import path from 'node:path';
import type { Platform } from './platform.js';

/** Where operators' key is, and what to do where it opens nothing. */
function keyOf({ operatorKeyFile, operatorKeyState }: Platform, here: (file: string) => string): string {
  const file = here(operatorKeyFile);
  return operatorKeyState === 'stands' ? `key in ${file}` : `the key in ${file} was shut: delete the file for another`;
}

/** What the terminal shows when everything is up. */
export function screen(platform: Platform, seconds: number): string {
  const { url } = platform;
  const here = (file: string): string => {
    const relative = path.relative(process.cwd(), file);
    return relative.startsWith('..') ? file : relative;
  };
  return `
  Wharf is ready (${seconds.toFixed(1)} s)

    Tenants' MCP URLs   ${url}/t/{tenant}/mcp
    Management API      ${url}/v1          (read it at ${url}/v1/docs)
    Operators           ${url}/admin/v1    (${keyOf(platform, here)})
    Log                 ${here(platform.logFile)}

  Try

    npm run demo
    curl -s ${url}/v1/signup -H 'content-type: application/json' -d '{"tenant_name":"Acme","slug":"acme","email":"you@example.com","password":"correct horse battery"}'
    curl -s ${url}/admin/v1/tenants -H "authorization: Bearer $(cat ${here(platform.operatorKeyFile)})"

  Ctrl-C stops everything; the data stays.
`;
}
