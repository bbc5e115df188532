import type { Logger } from '#libs/telemetry';
import { Cgroups, ownCgroup } from './cgroups.js';
import { PodGate } from './pod/pod-gate.js';
import type { PodSettings } from './pod/pod-manifest.js';
import { ProcessDriver } from './process-driver.js';
import { SandboxDriver } from './sandbox/sandbox-driver.js';
import { findSandboxHost, type BubblewrapPlace } from './sandbox/sandbox-host.js';
import { runnerProgram } from './sandbox/sandbox-program.js';
import type { WorkerDriver } from './worker-driver.js';

/** How workers are to be isolated. */
export interface DriverChoice {
  /** Without a name: `sandbox` where it works, else `process` with a warning. */
  readonly name: WorkerDriver['name'] | undefined;
  /** A folder of the driver's own. */
  readonly home: string;
  readonly bubblewrap: BubblewrapPlace;
  readonly scratchMb: number;
  /** Set when `pod` is the name. */
  readonly pods?: PodChoice;
}

/** How workers are pods. */
export interface PodChoice {
  readonly settings: PodSettings;
  readonly dialPort: number;
  readonly startMs: number;
}

/** Opens the chosen driver. @throws Error when `sandbox` was asked for by name and does not work here, or the cluster refuses */
export async function openDriver(choice: DriverChoice, logger: Logger): Promise<WorkerDriver> {
  if (choice.pods !== undefined) return openPods(choice.pods, logger);
  if (choice.name === 'process') return ProcessDriver.open({ logger, home: choice.home });
  try {
    return await openSandbox(choice, logger);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (choice.name === 'sandbox') throw new Error(`WHARF_WORKER_DRIVER is sandbox, but ${reason}`, { cause: error });
    logger.warn({ reason }, `workers are plain processes, because ${reason}`);
    return ProcessDriver.open({ logger, home: choice.home });
  }
}

async function openSandbox(choice: DriverChoice, logger: Logger): Promise<SandboxDriver> {
  const program = await runnerProgram();
  const host = await findSandboxHost(choice.bubblewrap, program);
  const cgroups = Cgroups.open(ownCgroup());
  const { proc, countsProcesses } = host.tools;
  logger.info({ cgroups: cgroups !== undefined, proc, countsProcesses }, 'workers are sandboxed');
  return SandboxDriver.open({ logger, home: choice.home, host, cgroups, program, scratchMb: choice.scratchMb });
}

/** Loaded only here: the cluster's client is large. */
async function openPods({ settings, dialPort, startMs }: PodChoice, logger: Logger): Promise<WorkerDriver> {
  const { Cluster, reasonOf } = await import('./pod/cluster.js');
  const { PodDriver } = await import('./pod/pod-driver.js');
  const gate = await PodGate.listen(dialPort, logger);
  try {
    const cluster = Cluster.ofEnvironment(settings.namespace);
    const driver = await PodDriver.open({ logger, cluster, gate, settings, startMs });
    logger.info({ port: gate.port, namespace: settings.namespace }, 'workers are pods');
    return driver;
  } catch (error) {
    await gate.close();
    throw new Error(`WHARF_WORKER_DRIVER is pod, but the cluster does not let us: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
