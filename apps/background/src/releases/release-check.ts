import { AppError } from '#libs/errors';
import { manifestSchema, type RuntimeClient, type Supplier } from '#libs/protocol';
import { probeTools, refuseDifference, type ProbeSubject } from './probe.js';

/** What a release must pass before anybody's call reaches it. */
export class ReleaseCheck {
  constructor(
    private readonly runtime: RuntimeClient,
    private readonly supplier: Supplier,
  ) {}

  /** Its own worker lists the tools of its manifest. @throws JobRefused where it lists others, AppError where it cannot be asked */
  async requirePromisedTools(subject: ProbeSubject, signal: AbortSignal): Promise<void> {
    const listed = await probeTools(this.runtime, subject, signal);
    refuseDifference(await this.#promisedTools(subject), listed);
  }

  /** The names of the tools in the release's manifest. */
  async #promisedTools({ tenantId, digest }: ProbeSubject): Promise<readonly string[]> {
    const { manifests } = await this.supplier.supply(tenantId, [digest], false);
    const manifest = manifests.get(digest);
    if (manifest === undefined) throw new AppError('internal', { detail: { digest } });
    return manifestSchema.parse(JSON.parse(manifest.toString())).tools.map((tool) => tool.name);
  }
}
