import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { bubblewrapEnvironment, findBubblewrap } from './index.js';

test('finds nothing where there is no bubblewrap and no package to fetch, and afterwards what was fetched before', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-bubblewrap-'));
  const searched = process.env['PATH'];
  try {
    process.env['PATH'] = folder; // neither bwrap nor apt-get
    expect(await findBubblewrap(folder)).toBeUndefined();
    expect(bubblewrapEnvironment(undefined)).toEqual({});
    const program = path.join(folder, 'bubblewrap', 'usr', 'bin', 'bwrap');
    const libraries = path.join(folder, 'bubblewrap', 'usr', 'lib', 'here');
    for (const file of [program, path.join(libraries, 'libcap.so.2')]) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
    const found = process.platform === 'linux' ? { program, libraries: [libraries] } : undefined;
    expect(await findBubblewrap(folder)).toEqual(found);
    if (found !== undefined)
      expect(bubblewrapEnvironment(found)).toEqual({
        WHARF_BUBBLEWRAP: program,
        WHARF_BUBBLEWRAP_LIBRARIES: libraries,
      });
  } finally {
    process.env['PATH'] = searched;
    rmSync(folder, { recursive: true, force: true });
  }
});
