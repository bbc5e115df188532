import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

test('no file holds the marks of an unfinished merge, also as a formatter would write them', () => {
  const marks = '^(<{7} |>{7} |> > > > > > > )';
  let found = '';
  try {
    found = execFileSync('git', ['grep', '-lE', marks], { encoding: 'utf8' });
  } catch (error) {
    // git grep ends with 1 where nothing is found.
    if ((error as { status?: number }).status !== 1) throw error;
  }
  expect(found).toBe('');
});
