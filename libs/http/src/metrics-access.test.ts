import type { IncomingMessage } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { mayReadMetrics } from './metrics-access.js';

afterEach(() => {
  delete process.env['WHARF_METRICS_KEY'];
});

function from(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage; // all that is looked at
}

test('without a key, metrics are for this machine alone and not through a proxy', () => {
  expect(mayReadMetrics(from('127.0.0.1'))).toBe(true);
  expect(mayReadMetrics(from('10.0.0.7'))).toBe(false);
  expect(mayReadMetrics(from('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }))).toBe(false);
});

test('with a key, they are for whoever has it', () => {
  process.env['WHARF_METRICS_KEY'] = 'a key for scraping';
  expect(mayReadMetrics(from('10.0.0.7', { authorization: 'Bearer a key for scraping' }))).toBe(true);
  expect(mayReadMetrics(from('127.0.0.1'))).toBe(false);
  expect(mayReadMetrics(from('127.0.0.1', { authorization: 'Bearer a key for scrapinG' }))).toBe(false);
});
