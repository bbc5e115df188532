import { toAppError } from '#libs/errors';
import { sha256Digest, type FrameFailure, type ToRunnerFrame } from '#libs/protocol';
import type { RunnerPipe, RuntimeFrameReceived } from '../pipe.js';
import { EgressPort } from '../egress/egress-port.js';
import { isFetched } from '../egress/egress-stream.js';
import { buildRelease } from './build-release.js';

/**
 * Builds what a `build` frame asks for and answers it: `built` with the manifest, or `fail` with every problem. `hear` is
 * given who takes the frames that come meanwhile: answers of upstream servers.
 */
export async function answerBuild(
  pipe: RunnerPipe,
  frame: Extract<ToRunnerFrame, { t: 'build' }>,
  payload: Buffer,
  hear: (take: (frame: RuntimeFrameReceived) => void) => void,
): Promise<void> {
  const port = new EgressPort(pipe);
  hear(({ header, payload }) => {
    if (isFetched(header)) port.settle(header, payload);
  });
  const source = payload.subarray(0, frame.sourceBytes);
  const artefact = payload.length > frame.sourceBytes ? payload.subarray(frame.sourceBytes) : undefined;
  try {
    const { serverSlug, registryUrl } = frame;
    const { manifest, report, archive } = await buildRelease({
      serverSlug,
      source,
      artefact,
      registryUrl,
      egress: { port, s: frame.s },
    });
    const built = { t: 'built', s: frame.s, digest: sha256Digest(manifest), report } as const;
    const bytes = Buffer.from(manifest);
    if (archive === undefined) pipe.send(built, bytes);
    else pipe.send({ ...built, archiveBytes: archive.length }, Buffer.concat([bytes, archive]));
  } catch (error) {
    const { code, message, problems } = toAppError(error);
    if (code === 'internal')
      process.stderr.write(`${JSON.stringify({ level: 'error', message: 'build failed', error: String(error) })}\n`);
    const failure: FrameFailure = { code, message, problems };
    pipe.send({ t: 'fail', s: frame.s, failure, outcome: code === 'internal' ? 'worker_failed' : 'refused' });
  }
}
