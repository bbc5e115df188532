import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ImageError } from './image-error.js';
import { isDigest, parseReference } from './reference.js';

const OVERLAYS = 'k8s/overlays';
/** The entry of our own image, as each overlay that a release goes to has it. */
const ENTRY = /(- name: wharf\n\s+newName: )\S+(\n\s+digest: )\S+/;
/** The name of the job that migrates for a release: jobs cannot be changed, so that each release has its own. */
const JOB = /(path: \/metadata\/name, value: wharf-migrate-)[\w-]+/;
const SHOWN_DIGITS = 10;

/**
 * Writes a pushed image into overlays: from then on they apply that one and no other. Blue and green are told apart, so
 * that a release changes the half that serves nobody. @throws ImageError, and no file is changed
 */
export function writeRelease(root: string, image: string, overlays: readonly string[]): string[] {
  const { name, digest } = parseReference(image);
  if (digest === undefined || !isDigest(digest))
    throw new ImageError(`${image} has no digest; give name@sha256:…, as the registry said when it was pushed.`);
  if (overlays.length === 0) throw new ImageError('No overlay is named; say where to, for example production/green.');
  const files = overlays.map((overlay) => path.join(root, OVERLAYS, overlay, 'image', 'kustomization.yaml'));
  const changed = files.map((file, index) => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (!ENTRY.test(text))
      throw new ImageError(`${OVERLAYS}/${overlays[index] ?? ''} names no image of ours; see docs/kubernetes.md.`);
    const job = digest.slice('sha256:'.length).slice(0, SHOWN_DIGITS);
    return { file, text: text.replace(ENTRY, `$1${name}$2${digest}`).replace(JOB, `$1${job}`) };
  });
  for (const { file, text } of changed) writeFileSync(file, text);
  return files;
}
