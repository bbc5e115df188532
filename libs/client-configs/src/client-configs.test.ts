import { expect, test } from '@jest/globals';
import { AGENT_CLIENTS, clientConfigs, clientName } from './index.js';

const AT = { name: 'acme-code', url: 'https://wharf.example.com/t/acme/code/mcp' };

test('every client is told of the URL, and its links hold what its file holds', () => {
  const configs = clientConfigs({ ...AT, credentials: 'sign_in' });
  expect(configs.map(({ client }) => client)).toEqual([...AGENT_CLIENTS]);
  for (const one of configs) expect(JSON.stringify(one)).toContain(AT.url);
  const link = new URL(configs.find(({ client }) => client === 'cursor')?.link ?? '');
  expect(JSON.parse(atob(link.searchParams.get('config') ?? ''))).toEqual({ url: AT.url });
  const vsCode = configs.find(({ client }) => client === 'vscode')?.link ?? '';
  expect(JSON.parse(decodeURIComponent(vsCode.replace('vscode:mcp/install?', '')))).toEqual({ ...AT, type: 'http' });
});

test('a key comes from the environment or is asked for, and clients without keys are left out', () => {
  const configs = clientConfigs({ ...AT, credentials: 'api_key' });
  expect(configs.map(({ client }) => client)).toEqual(['cursor', 'vscode', 'claude-code']);
  expect(configs.map(({ config }) => JSON.parse(config ?? '{}'))).toEqual([
    { mcpServers: { 'acme-code': { url: AT.url, headers: { Authorization: 'Bearer ${env:WHARF_API_KEY}' } } } },
    expect.objectContaining({
      inputs: [expect.objectContaining({ password: true })],
      servers: { 'acme-code': { type: 'http', url: AT.url, headers: { Authorization: 'Bearer ${input:wharf-key}' } } },
    }),
    {
      mcpServers: { 'acme-code': { type: 'http', url: AT.url, headers: { Authorization: 'Bearer ${WHARF_API_KEY}' } } },
    },
  ]);
});

test('names have letters that clients take', () => {
  expect(clientName({ tenantSlug: 'acme' })).toBe('acme');
  expect(clientName({ tenantSlug: 'acme', serverSlug: 'code~staging', major: 2 })).toBe('acme-code-staging-2');
});
