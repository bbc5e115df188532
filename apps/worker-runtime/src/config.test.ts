import { expect, test } from '@jest/globals';
import { podConfig, readConfig } from './config.js';

const NEEDED = { WHARF_RUNTIME_SOCKETS: '/run/runtime.sock', WHARF_INTAKE_KEY: 'k'.repeat(32) };
const PODS = { WHARF_POD_IMAGE: 'wharf', WHARF_POD_RUNTIME_CLASS: 'gvisor', WHARF_POD_DIAL_HOST: '10.0.0.7' };

test('keeps an unused worker for five minutes, gives it 256 MB, and runs no code of others unsandboxed', () => {
  expect(readConfig(NEEDED)).toMatchObject({
    WHARF_WORKER_IDLE_SECONDS: 300,
    WHARF_SERVER_IDLE_SECONDS: 60,
    WHARF_WORKER_MEMORY_MB: 256,
    WHARF_ALLOW_UNSANDBOXED: false,
  });
});

test('names what pods need and have not', () => {
  const config = readConfig({ ...NEEDED, WHARF_POD_IMAGE: 'wharf' });
  expect(() => podConfig(config)).toThrow(/^WHARF_POD_RUNTIME_CLASS: is not set.*\nWHARF_POD_DIAL_HOST: is not set/);
  expect(() => readConfig({ ...NEEDED, ...PODS, WHARF_POD_DIAL_HOST: 'runtime.example' })).toThrow(
    /WHARF_POD_DIAL_HOST/,
  );
  expect(podConfig(readConfig({ ...NEEDED, ...PODS }))).toMatchObject({
    settings: { namespace: 'wharf-workers', runtimeClass: 'gvisor', dialHost: '10.0.0.7' },
    dialPort: 7_443,
  });
});
