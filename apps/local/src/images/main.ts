import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ImageError } from './image-error.js';
import { findFaults, findUnpinned, pin, pinFrom } from './pin.js';
import { writeRelease } from './release.js';

const USAGE = `Use: npm run images -- pin                              ask the registries, write digests into every file
     npm run images -- pin --from FILE                  the same of a list of NAME:VERSION@sha256:…, without a registry
     npm run images -- check [--pinned]                 files agree with images.lock.json, or none is left unpinned
     npm run images -- release NAME@sha256:… OVERLAY …  an image of ours into k8s/overlays/OVERLAY`;

function check(root: string, strict: boolean): void {
  const faults = findFaults(root);
  const unpinned = strict ? findUnpinned(root) : [];
  if (unpinned.length > 0) faults.push(`Not pinned yet: ${unpinned.join(', ')}.`);
  if (faults.length > 0)
    throw new ImageError(`${faults.join('\n')}\nRun \`npm run images -- pin\` and commit what it writes.`);
  process.stdout.write('Every image is what images.lock.json says.\n');
}

/** `npm run images`: which images of others we build and run on, and which of ours the overlays apply. */
try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { pinned: { type: 'boolean' }, from: { type: 'string' } },
  });
  const [command, ...rest] = positionals;
  const root = process.cwd();
  if (command === 'pin') {
    const digests = values.from === undefined ? await pin(root) : pinFrom(root, readFileSync(values.from, 'utf8'));
    for (const [version, digest] of digests) process.stdout.write(`  ${version} is ${digest}\n`);
  } else if (command === 'check') check(root, values.pinned === true);
  else if (command === 'release') {
    const [image = '', ...overlays] = rest;
    for (const file of writeRelease(root, image, overlays)) process.stdout.write(`  ${file} applies ${image}\n`);
  } else throw new ImageError(USAGE);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
