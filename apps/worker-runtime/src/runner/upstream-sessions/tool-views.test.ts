import { expect, test } from '@jest/globals';
import { ToolViews } from './tool-views.js';

const HOUR_MS = 3_600_000;

test('who has not come back for an hour is forgotten, and nobody else', () => {
  const views = new ToolViews();
  const down = { kind: 'down', reason: 'it cannot be reached' } as const;
  views.note('principal ann', 'red', down, 0);
  views.note('principal bob', 'red', down, 1);
  views.tell('principal ann');
  views.forget(HOUR_MS + 1);
  expect(views.find('principal ann', 'red')).toBeUndefined();
  expect(views.hasChanged('principal ann')).toBe(false);
  expect(views.find('principal bob', 'red')).toEqual(down);
});
