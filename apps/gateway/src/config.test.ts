import { expect, test } from '@jest/globals';
import { parseGatewayConfig } from './config.js';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://wharf@localhost/wharf',
  REDIS_URL: 'redis://localhost',
  WHARF_PUBLIC_URL: 'https://wharf.example',
  WHARF_MASTER_KEY: 'm'.repeat(43),
  WHARF_INTAKE_KEY: 'i'.repeat(32),
  WHARF_RUNTIME_SOCKETS: '/run/wharf.sock',
};

test.each([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])('WHARF_TRUST_PROXY=%s means what it means to the other services', (text, trusted) => {
  expect(parseGatewayConfig({ ...ENVIRONMENT, WHARF_TRUST_PROXY: text }).trustProxy).toBe(trusted);
});
