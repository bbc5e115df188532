import type { Environment } from '#libs/config';
import type { Service } from '#libs/http';
import { startTelemetry } from '#libs/telemetry';

/** The services that share the launcher's process; the one that runs tenants' workers never does. */
const SERVICES = ['auth-server', 'control-plane', 'gateway', 'background'] as const;

type ServiceName = (typeof SERVICES)[number];

/** The started services by name. */
export type Services = Readonly<Record<ServiceName, Service>>;

interface ServiceModule {
  start(environment: Environment): Promise<Service>;
}

/**
 * Starts every service side by side. They are found by their place in the build: the launcher starts whole services
 * and knows nothing of their insides.
 */
export async function startServices(environment: Environment, stack: AsyncDisposableStack): Promise<Services> {
  // They share one process and its telemetry, which would be called as whichever of them came first.
  const telemetry = startTelemetry('local');
  stack.defer(() => telemetry.stop());
  const started = await Promise.allSettled(SERVICES.map((name) => startService(name, environment)));
  const services = new Map<string, Service>();
  for (const [index, result] of started.entries()) {
    if (result.status === 'fulfilled') services.set(SERVICES[index] ?? '', result.value);
  }
  // Stopped in this order: no new work first, then what finishes work, then what the others ask.
  for (const name of ['auth-server', 'background', 'gateway', 'control-plane']) {
    stack.defer(async () => services.get(name)?.stop());
  }
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Object.fromEntries(services) as Services; // every name was started, or the line above has thrown
}

async function startService(name: ServiceName, environment: Environment): Promise<Service> {
  const module = (await import(new URL(`../../${name}/src/main.js`, import.meta.url).href)) as ServiceModule; // by convention of the build
  return module.start(environment);
}
