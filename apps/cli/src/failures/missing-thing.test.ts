import { expect, test } from '@jest/globals';
import { missingThing } from './missing-thing.js';

test.each([
  ['GET /v1/servers/nope', 'There is no server "nope".', 'See `wharf servers`.'],
  ['GET /v1/servers/nope/releases?limit=100', 'There is no server "nope".', 'See `wharf servers`.'],
  ['POST /v1/servers/nope/rollback', 'There is no server "nope".', 'See `wharf servers`.'],
  [
    'POST /v1/servers/code/rollouts/7/pause',
    'There is no rollout "7" of server "code", or no such server.',
    'See `wharf rollout status code`.',
  ],
  [
    'GET /v1/servers/code/drift/candidates/7',
    'There is no candidate "7" of server "code", or no such server.',
    'See `wharf drift list code`.',
  ],
  [
    'DELETE /v1/secrets/a%20b?environment=staging',
    'There is no secret "a b", or no environment "staging".',
    'See `wharf secrets list`.',
  ],
  ['GET /v1/secrets?environment=staging', 'There is no environment "staging".', undefined],
  ['GET /v1/approvals/7', 'There is no approval "7".', 'See `wharf approvals list`.'],
  ['GET /v1/client-configs?at=nope', 'There is no server or profile "nope".', 'See `wharf servers`.'],
])('%s names what it did not find', (request, sentence, advice) => {
  expect(missingThing(request)).toEqual({ sentence, ...(advice === undefined ? {} : { advice }) });
});

test('a path that names nothing is left to the answer', () => {
  expect(missingThing('GET /v1/tenant')).toBeUndefined();
});
