import type { ControlPlane, Sent, TestTenant } from './control-plane.fixture.js';

/** A good request to one route. */
export interface Example extends Sent {
  readonly path: string;
  readonly status: number;
}

/** Makes what a route's example needs in this tenant, and gives the request. */
export type MakeExample = (api: ControlPlane, tenant: TestTenant) => Promise<Example> | Example;
