import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWharf, type Wharf } from '#libs/testing';

let wharf: Wharf;

beforeAll(async () => {
  wharf = await startWharf();
});
afterAll(() => wharf?.stop());

test.each(['/nope', '/V1/servers', '/v1/nope', '/v1', '/auth/nope', '/t/bad/odd/nope'])(
  '%s is nobody’s, and says so as every other path does',
  async (path) => {
    const answer = await fetch(`${wharf.url}${path}`);
    const problem = (await answer.json()) as Record<string, unknown>; // a problem document
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
    expect(problem).toMatchObject({ code: 'not_found', docs: expect.stringContaining(`${wharf.url}/v1/docs`) });
    expect(problem['request_id']).toMatch(/^[0-9a-f]{32}$/);
    expect(problem['request_id']).toBe(answer.headers.get('x-request-id'));
  },
);
