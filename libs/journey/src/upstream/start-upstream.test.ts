import { expect, test } from '@jest/globals';
import { startUpstream } from './start-upstream.js';

const JSON_BODY = { 'content-type': 'application/json' };

test('reads for anybody, writes for the key only, and starts from the same books every time', async () => {
  for (const round of [1, 2]) {
    const upstream = await startUpstream({ writeKey: 'key' });
    const found = await fetch(`${upstream.url}/books?q=Kindred`);
    expect([round, await found.json()]).toEqual([round, [expect.objectContaining({ id: 3, title: 'Kindred' })]]);
    const body = JSON.stringify({ title: 'Piranesi', authorId: 2 });
    const refused = await fetch(`${upstream.url}/books`, { method: 'POST', headers: JSON_BODY, body });
    expect(refused.status).toBe(401);
    const written = await fetch(`${upstream.url}/books`, {
      method: 'POST',
      headers: { ...JSON_BODY, authorization: 'Bearer key' },
      body,
    });
    expect([written.status, await written.json()]).toEqual([201, { id: 5, title: 'Piranesi', authorId: 2 }]);
    await upstream.stop();
  }
});

test('every operation of its document is one it answers', async () => {
  const upstream = await startUpstream();
  const paths = Object.keys(upstream.openapi['paths'] as Record<string, unknown>); // the document of our own
  for (const path of paths)
    expect([path, (await fetch(upstream.url + path.replace('{id}', '1'))).status]).toEqual([path, 200]);
  await upstream.stop();
});
