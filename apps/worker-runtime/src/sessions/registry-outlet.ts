import type { Duplex } from 'node:stream';
import type { EgressContext } from '#libs/protocol';
import { EgressPolicy } from '../egress/egress-policy.js';
import type { Egress } from '../egress/egress.js';

/** Sizes in bytes, both ways together; one archive or one package's metadata is an exchange. */
const LIMITS = { exchangesMax: 32, bytesMax: 64 * 1024 * 1024, idleMs: 30_000, totalMs: 120_000 };

/** The way that builds have to the registry of packages, and to nothing else; no secret and no allowance of a tenant takes part. */
export class RegistryOutlet {
  readonly #egress: Egress;
  readonly #url: string;
  readonly #policy: EgressPolicy;
  readonly #context: EgressContext;

  constructor(egress: Egress, url: string) {
    const { hostname: host, port, protocol, origin } = new URL(url);
    this.#egress = egress;
    this.#url = url;
    const nothing = { credentials: [], tools: [] };
    this.#policy = EgressPolicy.read(Buffer.from(JSON.stringify({ origins: [origin], ...nothing })));
    // The operator has named this host, so it may be a private one.
    const allowances = [{ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) }];
    this.#context = { version: 'registry', secrets: {}, allowances };
  }

  /** Lets a tenant's worker reach the registry through its outlet; returns the registry's URL. */
  open(outlet: Duplex, tenantId: string): string {
    this.#egress.serveOutlet(outlet, {
      tenantId,
      context: () => this.#context,
      policyOf: (digest) => (digest === 'registry' ? this.#policy : undefined),
      serversOf: () => [],
      limits: LIMITS,
    });
    return this.#url;
  }
}
