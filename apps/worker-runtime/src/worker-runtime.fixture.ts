import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import {
  canonicalJson,
  routeKey,
  type RuntimeClient,
  sha256Digest,
  type EgressContext,
  type Envelope,
  type FrameFailure,
  type Manifest,
  type OutcomeClass,
  type PersonTokens,
  type Supplier,
} from '#libs/protocol';
import { bubblewrapOfTheRun, endOf, until } from '#libs/testing';

const ENTRY = path.resolve('dist/apps/worker-runtime/src/main.js');

/** The key that tests share with their runtime. */
export const INTAKE_KEY = new Secret('an intake key for tests of 32 characters and more');

/** What a client of the 2025 era sends: first, and then. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
export const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
export const LEGACY_CALL = {
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'legacy' } },
};

/** A worker-runtime in a process of its own. */
export interface RuntimeUnderTest {
  readonly socket: string;
  readonly pid: number;
  logs(): string;
  /** Process ids of its workers, newest last. */
  workers(): number[];
  stop(): Promise<void>;
}

/** Starts the compiled worker-runtime and waits until it listens. */
export async function startRuntime(
  environment: Readonly<Record<string, string>> = {},
  socketPath?: string,
): Promise<RuntimeUnderTest> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-runtime-test-'));
  const socket = socketPath ?? path.join(folder, 'run', 'runtime.sock');
  const child = spawn(process.execPath, ['--enable-source-maps', ENTRY], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      NODE_ENV: 'test',
      WHARF_RUNTIME_SOCKETS: socket,
      WHARF_INTAKE_KEY: INTAKE_KEY.reveal(),
      WHARF_WARM_WORKERS: '1',
      ...bubblewrapOfTheRun(),
      ...environment,
    },
  });
  let output = '';
  const listening = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('worker-runtime listens')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`the runtime ended:\n${output}`)));
  });
  await listening;
  return {
    socket,
    pid: pidOf(child),
    logs: () => output,
    workers: () => childrenOf(pidOf(child)),
    stop: async () => {
      await endOf(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('not started');
  return child.pid;
}

function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks
    .flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
    .sort((a, b) => a - b);
}

/** A manifest of simple GET tools: name → URL template. */
export function manifestOf(tools: Readonly<Record<string, string>>, extra: Partial<Manifest> = {}): Manifest {
  const origins = [...new Set(Object.values(tools).map((url) => new URL(url.replace(/\{[^}]*\}/g, 'x')).origin))];
  return {
    version: 1,
    kind: 'http',
    server: { name: 'test' },
    origins,
    credentials: [],
    tools: Object.entries(tools).map(([name, urlTemplate]) => ({
      name,
      description: `Calls ${name}.`,
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      http: {
        method: 'GET',
        urlTemplate,
        placements: [{ argument: 'text', in: 'query', name: 'text' }],
        headers: {},
        credentials: [],
        timeoutMs: 30_000,
      },
    })),
    ...extra,
  };
}

/** A tenant with one release, as the gateway knows it. */
export class TenantUnderTest {
  readonly tenantId = randomUUID();
  context: EgressContext;
  bytes: Buffer;
  digest: string;
  /** Archives of its bundles. */
  readonly archives = new Map<string, Buffer>();

  constructor(manifest: Manifest, context: Partial<EgressContext> = {}) {
    this.bytes = Buffer.from(canonicalJson(manifest));
    this.digest = sha256Digest(this.bytes);
    this.context = { version: 'v1', secrets: {}, allowances: [], ...context };
  }

  /** Has a built release in place of the one that it had. */
  take({ manifest, archive }: { readonly manifest: Buffer; readonly archive?: Buffer | undefined }): void {
    this.bytes = manifest;
    this.digest = sha256Digest(manifest);
    if (archive !== undefined) this.archives.set(sha256Digest(archive), archive);
  }

  /** An envelope of a modern message, with what differs. */
  envelope(extra: Partial<Envelope> = {}): Envelope {
    const mounts = [{ serverSlug: 'test', releaseId: 'release', digest: this.digest, prefix: '' }];
    return {
      route: { tenantId: this.tenantId, mounts, key: routeKey(this.tenantId, mounts) },
      era: 'modern',
      operation: 'message',
      principal: 'person',
      deadlineMs: Date.now() + 20_000,
      contextVersion: this.context.version,
      ...extra,
    };
  }
}

/** Supplies these tenants and counts how often it was asked. */
export function supplierOf(...tenants: TenantUnderTest[]): Supplier & { asked: number } {
  const supplier = {
    asked: 0,
    async supply(tenantId: string, digests: readonly string[], context: boolean) {
      supplier.asked += 1;
      const tenant = tenants.find((candidate) => candidate.tenantId === tenantId);
      if (tenant === undefined) throw new Error('no such tenant');
      const manifests = new Map([...digests.map((digest) => [digest, tenant.bytes] as const), ...tenant.archives]);
      return context ? { manifests, context: tenant.context } : { manifests };
    },
  };
  return supplier;
}

/** How a call ended, and the messages before its end. */
export interface Ended {
  readonly parts: string[];
  readonly message: string;
  readonly outcome: OutcomeClass;
  readonly failure?: FrameFailure;
  readonly started?: boolean;
  readonly upstreamMs?: number | undefined;
  readonly egressBytes?: number | undefined;
}

/** Makes a call and waits for its end. */
export function callOf(
  client: Pick<RuntimeClient, 'call'>,
  envelope: Envelope,
  message: object | string,
  onStart?: (cancel: () => void) => void,
  tokens?: PersonTokens,
): Promise<Ended> {
  const parts: string[] = [];
  return new Promise((resolve) => {
    const payload = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    const cancel = client.call(envelope, payload, {
      tokens,
      onPart: (part) => parts.push(part.toString()),
      onDone: (done, outcome, upstreamMs, facts) =>
        resolve({ parts, message: done.toString(), outcome, upstreamMs, egressBytes: facts?.egressBytes }),
      onFail: (failure, outcome, started) => resolve({ parts, message: '', outcome, failure, started }),
    });
    onStart?.(cancel);
  });
}

/** A `tools/call` of the modern era. */
export function toolCall(name: string, given: object = {}, id = 1): object {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: given, _meta: meta } };
}

/** Waits until a process is gone. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  }, `the end of the process ${pid}`);
}

export { until as untilTrue } from '#libs/testing';
