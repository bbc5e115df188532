import { expect, it } from '@jest/globals';
import { PrintedLines } from './printed-lines.js';

function printing(): { lines: PrintedLines; passed: string[] } {
  const passed: string[] = [];
  return { lines: new PrintedLines((text) => passed.push(text)), passed };
}

it('passes lines on as they end, whatever pieces they come in', () => {
  const { lines, passed } = printing();
  for (const piece of ['one\ntw', 'o', '\nthr']) lines.take(piece, 0);
  expect(passed).toEqual(['one\n', 'two\n']);
  expect(lines.last).toBe('one\ntwo\nthr');
  lines.end(0);
  expect(passed.at(-1)).toBe('thr\n');
});

it('drops what is more than a second’s share, whole lines of it, says so, and goes on in the next', () => {
  const { lines, passed } = printing();
  for (let index = 0; index < 1_000; index += 1) lines.take(`${index} ${'x'.repeat(1_000)}\n`, 10);
  expect(passed.length).toBeLessThan(70);
  expect(passed.pop()).toContain('is dropped until the next second');
  expect(passed.every((line) => line.endsWith('x\n'))).toBe(true);
  lines.take('later\n', 1_010);
  expect(passed.at(-1)).toBe('later\n');
});

it('drops a line that has no end, holds little of it, and passes on the next', () => {
  const { lines, passed } = printing();
  for (let index = 0; index < 1_000; index += 1) lines.take('x'.repeat(1_000), 0);
  expect(lines.last).toBe('');
  lines.take('\nnext\n', 0);
  expect(passed).toEqual(['next\n']);
});

it('keeps the last lines, none of them in part', () => {
  const { lines } = printing();
  for (let index = 0; index < 100; index += 1) lines.take(`line ${index} ${'y'.repeat(100)}\n`, 0);
  expect(lines.last).toMatch(/^line \d+ y+\n/);
  expect(lines.last.length).toBeLessThanOrEqual(4_000);
});
