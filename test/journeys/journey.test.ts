import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runJourney } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';

let wharf: Wharf;
beforeAll(async () => {
  wharf = await startWharf();
});
afterAll(() => wharf?.stop());

test('a tenant, its agents and an operator get everything the demo shows', async () => {
  const steps: string[] = [];
  await runJourney({ publicUrl: wharf.url, operatorKey: wharf.operatorKey, report: (step) => steps.push(step) });
  expect(steps.length).toBeGreaterThan(12);
  expect(wharf.logs()).not.toMatch(/whk_[A-Za-z0-9_-]{60}|who_[A-Za-z0-9_-]{40}|"level":"(error|fatal)"/);
});
