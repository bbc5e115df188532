import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { folderOf, forgetOld } from './series.js';

let series: string;

beforeEach(() => {
  series = mkdtempSync(path.join(tmpdir(), 'wharf-series-'));
});

afterEach(() => rmSync(series, { recursive: true }));

async function make(day: number, whole = true): Promise<string> {
  const folder = await folderOf(series, new Date(Date.UTC(2026, 0, day, 3, 4, 5)));
  mkdirSync(folder);
  if (whole) writeFileSync(path.join(folder, 'backup.json'), '{}');
  return path.basename(folder);
}

test('the newest whole backups stay; older ones and older broken-off ones go; nothing else is touched', async () => {
  writeFileSync(path.join(series, 'note'), 'mine');
  mkdirSync(path.join(series, 'archive'));
  const [first, broken, second, third, writing] = [
    await make(1),
    await make(2, false),
    await make(3),
    await make(4),
    await make(5, false),
  ];
  expect(second).toBe('wharf-20260103T030405Z');
  expect(await forgetOld(series, 2)).toEqual([first, broken]);
  expect(readdirSync(series).toSorted()).toEqual(['archive', 'note', second, third, writing].toSorted());
});

test('with fewer than are kept, none goes', async () => {
  await make(1);
  await make(2, false);
  expect(await forgetOld(series, 3)).toEqual([]);
});
