import { expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { urlForRole } from './roles.js';

const masterKey = new Secret('k'.repeat(32));

test.each(['owner:secret', 'wharf_auth:own'])('a URL of %s names no application, whatever else it says', (login) => {
  const given = `postgres://${login}@db.example:5433/wharf?application_name=shop&sslmode=require`;
  const url = new URL(urlForRole(given, 'wharf_auth', masterKey));
  expect([url.username, url.host, url.pathname, url.search]).toEqual([
    'wharf_auth',
    'db.example:5433',
    '/wharf',
    '?sslmode=require',
  ]);
});

test('a URL of the role’s own is left as it is', () => {
  const given = 'postgres://wharf_auth:own@db.example/wharf?sslrootcert=%2Fetc%2Fa%20b.pem';
  expect(urlForRole(given, 'wharf_auth', masterKey)).toBe(given);
});
