import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.js';

const SECOND = 1_000;

describe('RetryBudget', () => {
  it('lets one call in ten be made again', () => {
    const budget = new RetryBudget();
    budget.spend('upstream', 0);
    let retries = 0;
    for (let call = 0; call < 1_000; call += 1) {
      budget.earn('upstream', 0);
      if (budget.spend('upstream', 0)) retries += 1;
    }
    expect(retries).toBeGreaterThanOrEqual(99);
    expect(retries).toBeLessThanOrEqual(100);
  });

  it('lets one call a second be made again, and saves ten of them up at most', () => {
    const budget = new RetryBudget();
    expect([budget.spend('upstream', 0), budget.spend('upstream', 0)]).toEqual([true, false]);
    expect([budget.spend('upstream', SECOND), budget.spend('upstream', SECOND)]).toEqual([true, false]);
    const later = Array.from({ length: 20 }, () => budget.spend('upstream', 3_600 * SECOND));
    expect(later.filter(Boolean)).toHaveLength(10);
  });

  it('keeps origins apart', () => {
    const budget = new RetryBudget();
    expect([budget.spend('one', 0), budget.spend('other', 0), budget.spend('one', 0)]).toEqual([true, true, false]);
  });
});
