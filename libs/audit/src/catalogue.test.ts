import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { appendAudit, AUDIT_EVENTS, auditCatalogue } from './index.js';
import { catalogueText } from './catalogue.js';

test('the documentation lists every event with its details', () => {
  expect(readFileSync('docs/audit-events.md', 'utf8')).toBe(catalogueText());
});

test('every event has a sentence, a version and a closed schema', () => {
  expect(auditCatalogue().map(({ name }) => name)).toEqual(Object.keys(AUDIT_EVENTS).sort());
  for (const { means, version, details } of auditCatalogue()) {
    expect(means).toMatch(/^[A-Z].*\.$/);
    expect(version).toBeGreaterThan(0);
    expect(details['additionalProperties']).toBe(false);
  }
});

test('an unknown event or outcome, a wrong detail and a missing one do not compile', () => {
  const common = { actor: { kind: 'anonymous' }, target: 't', outcome: 'ok' } as const;
  const written: Array<Parameters<typeof appendAudit>[2][number]> = [
    { ...common, event: 'secret.written', details: { version: 1 } },
    // @ts-expect-error no such event
    { ...common, event: 'secret.eaten' },
    // @ts-expect-error its version is a number
    { ...common, event: 'secret.written', details: { version: 'one' } },
    // @ts-expect-error it has no such detail
    { ...common, event: 'secret.written', details: { version: 1, value: 'x' } },
    // @ts-expect-error its version is missing
    { ...common, event: 'secret.written' },
    // @ts-expect-error no such outcome
    { ...common, event: 'secret.written', details: { version: 1 }, outcome: 'perhaps' },
  ];
  expect(written).toHaveLength(6);
});
