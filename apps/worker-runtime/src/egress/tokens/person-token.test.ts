import { expect, test } from '@jest/globals';
import { lackingScope } from './person-token.js';

test.each([
  ['Bearer error="insufficient_scope", scope="a b", resource_metadata="https://x/scope=c"', 'a b'],
  ['Bearer scope="a", error="insufficient_scope"', 'a'],
  ['Bearer error="insufficient_scope"', undefined],
  ['Bearer error="invalid_token", scope="a"', undefined],
  ['Bearer error="insufficient_scope", my_scope="a"', undefined],
])('reads which scopes %s asks for', (challenge, scope) => {
  expect(lackingScope({ status: 403, headers: { 'www-authenticate': challenge } })).toBe(scope);
  expect(lackingScope({ status: 401, headers: { 'www-authenticate': challenge } })).toBeUndefined();
});
