import { spawnSync } from 'node:child_process';
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
    { mcpServers: { 'acme-code': { url: AT.url, headers: { Authorization: 'Bearer ${env:WHARF_AGENT_KEY}' } } } },
    expect.objectContaining({
      inputs: [expect.objectContaining({ id: 'wharf-key-acme-code', password: true })],
      servers: {
        'acme-code': { type: 'http', url: AT.url, headers: { Authorization: 'Bearer ${input:wharf-key-acme-code}' } },
      },
    }),
    {
      mcpServers: {
        'acme-code': { type: 'http', url: AT.url, headers: { Authorization: 'Bearer ${WHARF_AGENT_KEY}' } },
      },
    },
  ]);
});

test.each(['sh', 'bash'])(
  'no key that stands in the environment of %s is written into what a client keeps',
  (shell) => {
    const configs = clientConfigs({ ...AT, credentials: 'api_key' });
    expect(JSON.stringify(configs)).not.toContain('WHARF_API_KEY');
    const commands = configs.flatMap(({ command }) => command ?? []);
    expect(commands).toHaveLength(1);
    for (const command of commands) {
      const { stdout } = spawnSync(shell, ['-c', `claude() { printf '%s\\n' "$@"; }\n${command}`], {
        encoding: 'utf8',
        env: { WHARF_AGENT_KEY: 'whk_secret', WHARF_API_KEY: 'whk_secret' },
      });
      const words = `mcp add --transport http --scope project ${AT.name} ${AT.url} --header`.split(' ');
      expect(stdout.split('\n')).toEqual([...words, 'Authorization: Bearer ${WHARF_AGENT_KEY}', '']);
    }
  },
);

test('names have letters that clients take', () => {
  expect(clientName({ tenantSlug: 'acme' })).toBe('acme');
  expect(clientName({ tenantSlug: 'acme', serverSlug: 'code~staging', major: 2 })).toBe('acme-code-staging-2');
});
