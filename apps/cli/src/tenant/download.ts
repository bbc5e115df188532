import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { CliProblem } from '../problem.js';

/** What a download must come to. */
interface Expected {
  readonly bytes: number;
  /** `sha256:` and its hexadecimal. */
  readonly digest: string;
  readonly onPart: (part: number) => void;
}

/** Writes a file that is whole, or none: under another name until its SHA-256 was compared. @throws CliProblem */
export async function downloadTo(
  file: string,
  content: AsyncIterable<Uint8Array>,
  { bytes: expected, digest, onPart }: Expected,
): Promise<{ bytes: number; sha256: string }> {
  const unfinished = `${file}.part`;
  const [target, hash] = [await newFile(file, unfinished), createHash('sha256')];
  let bytes = 0;
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      bytes += chunk.length;
      await target.write(chunk);
      onPart(expected === 0 ? 1 : Math.min(1, bytes / expected));
    }
    await target.sync();
    const sha256 = hash.digest('hex');
    if (bytes !== expected || `sha256:${sha256}` !== digest)
      throw new CliProblem(
        'What arrived is not what the installation has: its SHA-256 differs.',
        'Nothing was kept; run it again.',
      );
    await rename(unfinished, file);
    return { bytes, sha256 };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    await target.close();
  }
}

async function newFile(file: string, unfinished: string): ReturnType<typeof open> {
  const present = await open(file, 'r').catch(() => undefined);
  await present?.close();
  if (present !== undefined) throw new CliProblem(`${file} is there already.`, 'Name another file with --out.');
  return open(unfinished, 'w', 0o600).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliProblem(`${file} cannot be written: ${reason}`, 'Name another file with --out.', { cause: error });
  });
}
