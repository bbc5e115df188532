import { expect, test } from '@jest/globals';
import { upstreamResult } from './upstream-result.js';

test('bytes past the limit are refused with their size, not sent', async () => {
  const answer = { kind: 'answered', status: 200, headers: {}, body: Buffer.alloc(3 * 1024 * 1024 + 1) } as const;
  const { content, isError } = await upstreamResult(answer, { output: undefined, shape: undefined }, 'GET a');
  const text = expect.stringContaining('application/octet-stream of 3145729 bytes, larger than the limit');
  expect({ content, isError }).toEqual({ content: [{ type: 'text', text }], isError: true });
});
