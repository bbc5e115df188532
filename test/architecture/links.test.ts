import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { brokenLinks } from './links.js';

test('every relative link of our documents leads somewhere', () => {
  const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
  expect(files.flatMap((file) => brokenLinks(file).map((link) => `${file}: ${link}`))).toEqual([]);
});

test('a link to a file or a heading that does not exist is found', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'links-'));
  try {
    const [first, second] = [path.join(folder, 'first.md'), path.join(folder, 'second.md')];
    writeFileSync(first, '# One `code`\n## Same\n## Same\n```sh\n# not a heading\n[not](gone.md)\n```\n');
    const links = [
      '#one-code',
      'first.md#same-1',
      'https://example.com/',
      'gone.md',
      'first.md#same-2',
      '#not-a-heading',
    ];
    writeFileSync(second, ['# One code', ...links.map((link) => `[text](${link})`)].join('\n'));
    expect([brokenLinks(first), brokenLinks(second)]).toEqual([[], ['gone.md', 'first.md#same-2', '#not-a-heading']]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
