import { expect, it, test } from '@jest/globals';
import { NAMES, strangersAmong } from './catalogue/catalogue.js';
import { IN_CI } from './catalogue/in-ci.js';
import { optionsFrom } from './options.js';

const read = (words: string) => optionsFrom(words === '' ? [] : words.split(' '));

it('brings about everything, without an end, where nothing is asked', () => {
  expect(read('')).toEqual({ names: NAMES, minutes: Infinity, slack: 0, maySkip: [] });
});

it('brings about what begins as it was asked', () => {
  expect(read('minutes 7 only kill-gate redis-f may-skip disk')).toEqual({
    names: ['kill-gateway', 'redis-flushed'],
    minutes: 7,
    slack: 0,
    maySkip: ['disk-full-spool', 'disk-full-postgres'],
  });
  expect(read('ci slack 20')).toMatchObject({ slack: 20 });
  expect(read('may-skip disk ci minutes 7')).toMatchObject({ minutes: 7, names: expect.arrayContaining(['migrate']) });
});

it.each([
  ['only kill-gatway', /begins so: kill-gatway/],
  ['only kill-gateway kill-gatway', /begins so: kill-gatway/],
  ['may-skip disc-full', /begins so: disc-full/],
  ['only', /wants names/],
  ['kill-gateway', /none of the words/],
  ['ci only kill-gateway', /give one of them/],
  ['ci kill-gateway', /takes no names/],
  ['minutes', /one number/],
  ['minutes soon', /one number/],
  ['minutes 0', /one number/],
  ['only kill-gateway only migrate', /twice/],
])('refuses "%s" and breaks nothing', (words, why) => {
  expect(read(words)).toEqual({ status: 2, text: expect.stringMatching(why) });
});

it('prints its names and how it is used', () => {
  expect(read('list')).toEqual({ status: 0, text: `${NAMES.join('\n')}\n` });
  expect(read('only kill-gateway --help')).toEqual({ status: 0, text: expect.stringContaining('may-skip') });
});

test('every name is another one, and what CI breaks is there', () => {
  expect(new Set(NAMES).size).toBe(NAMES.length);
  expect(strangersAmong(IN_CI)).toEqual([]);
});
