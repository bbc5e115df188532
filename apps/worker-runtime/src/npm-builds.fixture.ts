import { randomUUID } from 'node:crypto';
import { RuntimeClient, type BuiltRelease } from '#libs/protocol';
import { startNpmRegistry, type NpmRegistry, type PublishedPackage } from '#libs/testing';
import { INTAKE_KEY, startRuntime, supplierOf, type RuntimeUnderTest } from './worker-runtime.fixture.js';

/** A runtime that builds releases of what a registry of its own has. */
export class NpmBuilds {
  private constructor(
    readonly registry: NpmRegistry,
    readonly runtime: RuntimeUnderTest,
    private readonly client: RuntimeClient,
  ) {}

  static async start(packages: readonly PublishedPackage[]): Promise<NpmBuilds> {
    const registry = await startNpmRegistry(packages);
    const runtime = await startRuntime({ WHARF_WARM_WORKERS: '0', WHARF_REGISTRY_URL: registry.url });
    const options = { sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: supplierOf() };
    return new NpmBuilds(registry, runtime, await RuntimeClient.connect(options));
  }

  build(source: object): Promise<BuiltRelease> {
    return this.client.build({
      tenantId: randomUUID(),
      serverSlug: 'greeter',
      source: Buffer.from(JSON.stringify({ kind: 'npm', ...source })),
      deadlineMs: Date.now() + 50_000,
      thirdParty: 'npm',
    });
  }

  /** What a build says is wrong with its source, or the code of its refusal. */
  problemsOf(source: object): Promise<unknown> {
    return this.build(source).then(
      () => 'built',
      (error: { code: string; problems?: unknown }) => error.problems ?? error.code,
    );
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.runtime.stop();
    await this.registry.stop();
  }
}
