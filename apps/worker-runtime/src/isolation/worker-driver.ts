import type { Duplex } from 'node:stream';
import type { FromRunnerFrame, ToRunnerFrame } from '#libs/protocol';

/** Why a worker is gone. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a worker may use. */
export interface WorkerOptions {
  /** Memory of all its processes together, the runtime's own included. */
  readonly memoryMb: number;
  /** Set for one that unpacks bundles and starts their servers as its own child processes. */
  readonly bundles?: true;
  /** How long the processes of those servers are kept that nobody calls. */
  readonly serverIdleMs?: number;
  /** Set for one that also installs packages, and so sees the installer. */
  readonly installs?: true;
}

/** Whose a worker is, for its log lines. */
export interface WorkerOwner {
  readonly tenantId: string;
  /** Takes out of a line what nobody may read in a log. */
  readonly redact?: (line: string) => string;
}

/** Who hears a worker; set once it has a purpose. */
export interface WorkerListener {
  onFrame(frame: FromRunnerFrame, payload: Buffer): void;
  onExit(exit: WorkerExit): void;
}

/** One isolated runner. Frames sent before it is up wait in its pipe. */
export interface WorkerProcess {
  /** How long its start may take, until it is bound. */
  readonly startMsMax: number;
  readonly alive: boolean;
  /** Bytes that it has not taken yet. */
  readonly pendingBytes: number;
  /** The only way out for code of others in it; there where it was started for bundles. */
  readonly outlet: Duplex | undefined;
  /** Gives the worker its purpose: whose it is, for its log lines, and who hears it. */
  assign(owner: WorkerOwner, listener: WorkerListener): void;
  send(frame: ToRunnerFrame, payload?: Uint8Array): void;
  /** Closes its pipe, which ends it; kills it when it has not ended after the grace. */
  stop(): void;
  /** Ends it at once, with every process it started. */
  kill(): void;
}

/** How workers are isolated from each other and from us. */
export interface WorkerDriver {
  readonly name: 'process' | 'sandbox' | 'pod';
  /** Never throws: a worker that could not be started is one that has ended. */
  start(options: WorkerOptions): WorkerProcess;
  /** Ends every worker and removes what they stood on. */
  close(): Promise<void>;
}
