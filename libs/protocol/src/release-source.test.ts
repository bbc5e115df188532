import { expect, test } from '@jest/globals';
import { releaseSourceSchema } from './release-source.js';

const CLIENT = { kind: 'client_credentials', tokenUrl: 'https://login.example/token', clientId: 'c', secret: 's' };

test('only a client that proves itself by its private key names an audience', () => {
  const faultsOf = (auth: object): unknown[] => {
    const upstreams = [{ name: 'far', url: 'https://far.example/mcp', auth: { ...CLIENT, ...auth } }];
    const parsed = releaseSourceSchema.safeParse({ kind: 'remote', upstreams });
    return parsed.error?.issues.map(({ path }) => path) ?? [];
  };
  const audience = 'https://login.example';
  expect(faultsOf({ method: 'private_key_jwt', audience })).toEqual([]);
  expect(faultsOf({ method: 'private_key_jwt' })).toEqual([]);
  expect(faultsOf({ audience })).toEqual([['upstreams', 0, 'auth', 'audience']]);
});
