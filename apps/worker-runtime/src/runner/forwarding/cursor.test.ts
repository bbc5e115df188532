import { expect, it } from '@jest/globals';
import { readCursor, writeCursor } from './cursor.js';

it('leads from page to page and from server to server, and then ends', () => {
  expect(readCursor(undefined, 2)).toEqual({ index: 0, cursor: undefined });
  expect(readCursor(writeCursor(0, 'next', 2), 2)).toEqual({ index: 0, cursor: 'next' });
  expect(readCursor(writeCursor(0, undefined, 2), 2)).toEqual({ index: 1, cursor: undefined });
  expect(writeCursor(1, undefined, 2)).toBeUndefined();
});

it.each(['', 'x', '%', Buffer.from('[7]').toString('base64url'), Buffer.from('[-1,"x"]').toString('base64url'), 7])(
  'leads nowhere from what is no cursor of ours: %j',
  (cursor) => {
    expect(readCursor(cursor, 2).index).toBe(-1);
  },
);
