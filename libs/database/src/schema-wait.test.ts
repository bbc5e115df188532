import { expect, test } from '@jest/globals';
import { waitForSchema } from './schema-wait.js';

const wait = waitForSchema({ role: 'wharf_gateway', configOf: () => Promise.reject(new Error('read')) });
const neverWaits = (): Promise<void> => Promise.reject(new Error('waited'));

test.each(['-1', '1.5', 'soon', ' ', '3601'])('nobody waits WHARF_SCHEMA_WAIT_SECONDS=%j', async (text) => {
  await expect(wait({ WHARF_SCHEMA_WAIT_SECONDS: text }, neverWaits)).rejects.toThrow(
    'WHARF_SCHEMA_WAIT_SECONDS is wrong: write whole seconds, 0 to 3600.',
  );
});

test('a configuration that cannot be used is not waited for', async () => {
  await expect(wait({ WHARF_SCHEMA_WAIT_SECONDS: '600' }, neverWaits)).rejects.toThrow('read');
  await expect(wait({}, neverWaits)).resolves.toBeUndefined();
});
