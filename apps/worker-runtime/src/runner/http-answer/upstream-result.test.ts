import { expect, test } from '@jest/globals';
import type { KeptLink, LargeAnswer } from '../results/kept-results.js';
import { upstreamResult } from './upstream-result.js';

test('bytes past the limit are refused with their size, not sent', async () => {
  const answer = { kind: 'answered', status: 200, headers: {}, body: Buffer.alloc(3 * 1024 * 1024 + 1) } as const;
  const { content, isError } = await upstreamResult(answer, { output: undefined, shape: undefined }, 'GET a');
  const text = expect.stringContaining('application/octet-stream of 3145729 bytes, larger than the limit');
  expect({ content, isError }).toEqual({ content: [{ type: 'text', text }], isError: true });
});

/** A result whose answer is kept where `keeps` says so, and what was asked to be kept. */
async function resultOf(body: Buffer, type: string, keeps: boolean) {
  const asked: LargeAnswer[] = [];
  const keep = async (large: LargeAnswer): Promise<KeptLink | undefined> => {
    asked.push(large);
    return keeps ? { uri: 'result://a/b', seconds: 60 } : undefined;
  };
  const answer = { kind: 'answered', status: 201, headers: { 'content-type': type }, body } as const;
  const checks = {
    output: undefined,
    shape: undefined,
    inline: { bytes: 4_096, allowed: async (large: LargeAnswer) => large, keep },
  };
  return { asked, result: await upstreamResult(answer, checks, 'POST a') };
}

test.each([
  ['application/pdf', 9 * 1024 * 1024, 8_388_608],
  ['image/png', 9 * 1024 * 1024, 8_388_608],
  ['image/png', 4 * 1024 * 1024, 3_145_728],
])(
  '%s of %d bytes that was not kept is told with its limit, and that the call has succeeded',
  async (type, size, max) => {
    const { result } = await resultOf(Buffer.alloc(size), type, false);
    const [told] = result.content;
    expect(result.isError).toBe(true);
    expect(told).toMatchObject({ text: expect.stringMatching(/^POST a succeeded \(HTTP 201\); do not repeat it/) });
    expect(told).toMatchObject({
      text: expect.stringContaining(`${type} of ${size} bytes, larger than the limit of ${max}`),
    });
  },
);

test('an answer whose media type is too long to be one is kept as bytes of no type', async () => {
  const { asked, result } = await resultOf(Buffer.alloc(5_000), `application/${'x'.repeat(300)}`, true);
  expect(asked).toMatchObject([{ mediaType: 'application/octet-stream', text: false }]);
  expect(result.content[1]).toMatchObject({ type: 'resource_link', mimeType: 'application/octet-stream' });
});
