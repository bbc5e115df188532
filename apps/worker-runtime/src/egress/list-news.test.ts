import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ListNews, type ChangedLists } from './list-news.js';

const ours: ChangedLists = { tenantId: 'a', servers: ['one'] };
const theirs: ChangedLists = { tenantId: 'b', servers: ['one'] };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('what a worker says without end reaches callers a hundred times a second and once more, and holds up no other tenant', () => {
  const news = new ListNews();
  const heard: ChangedLists[] = [];
  news.hear((changed) => heard.push(changed));
  for (let count = 0; count < 10_000; count += 1) news.tell(ours);
  expect(heard).toHaveLength(100);
  news.tell(theirs);
  expect(heard.at(-1)).toBe(theirs);
  jest.advanceTimersByTime(1_000);
  expect(heard.at(-1)).toBe(ours);
  expect(heard).toHaveLength(102);
  jest.advanceTimersByTime(10_000);
  expect(heard).toHaveLength(102);
});

test('the first is told at once, again and again', () => {
  const news = new ListNews();
  let heard = 0;
  const leave = news.hear(() => (heard += 1));
  for (let second = 0; second < 5; second += 1) {
    news.tell(ours);
    expect(heard).toBe(second + 1);
    jest.advanceTimersByTime(2_000);
  }
  leave();
  news.tell(ours);
  expect(heard).toBe(5);
});
