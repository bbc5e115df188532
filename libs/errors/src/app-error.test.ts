import { expect, test } from '@jest/globals';
import { AppError } from './index.js';

test('a framework may set the status that it answers an error with', () => {
  const error: Error & { status: number } = new AppError('unavailable');
  expect(error.status).toBe(503);
  expect(() => Object.assign(error, { status: 500 })).not.toThrow();
});
