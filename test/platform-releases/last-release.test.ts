import { expect, test } from '@jest/globals';
import { buildLastRelease } from './last-release.fixture.js';

test('a clone without the last release’s commit is told how to get it', async () => {
  const missing = { version: '9.9.9', commit: '0123456789012345678901234567890123456789' };
  await expect(buildLastRelease(missing)).rejects.toThrow(/9\.9\.9.*git fetch --unshallow/);
});
