import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import { RUNNER_FOLDER } from '../project-root.js';
import type { WorkerOptions } from '../worker-driver.js';
import { ALONE, bundleFlags, BUNDLES_MB, heapMb, idleArgument, RUNNER_V8_FLAGS } from '../worker-limits.js';

/** The user that a worker is, in and outside of its pod. */
const NOBODY = 65_534;
const SCRATCH = '/scratch';
const KEY_FOLDER = '/run/wharf';
const KEY = 'key';
const OUTLET = 'outlet';
/** Where the image has the platform: `dist`, `node_modules` and `package.json`. */
const PROJECT = '/wharf';
/** The containers of workers. */
export const CONTAINER = 'runner';
/** Which runtime's a pod is. */
export const OWNER_LABEL = 'wharf.dev/owner';
const NAME_LABELS = { 'app.kubernetes.io/name': 'wharf-worker', 'app.kubernetes.io/managed-by': 'wharf' };
/** Selects everything of every runtime. */
export const ALL_WORKERS = Object.entries(NAME_LABELS)
  .map(([name, value]) => `${name}=${value}`)
  .join(',');

/** How an operator wants pods to be. */
export interface PodSettings {
  readonly namespace: string;
  readonly image: string;
  /** gVisor's or Kata's, by the name that the cluster gave it. */
  readonly runtimeClass: string;
  /** The address at which pods reach this runtime. */
  readonly dialHost: string;
  /** After this the cluster ends a pod, whatever happened to us. */
  readonly secondsMax: number;
  readonly scratchMb: number;
}

/** One pod of one runtime; nothing in it names a tenant, which it gets only later. */
export interface PodPlan extends WorkerOptions {
  readonly name: string;
  readonly owner: string;
  readonly port: number;
}

/** The labels of what one runtime has in the cluster. */
export function labelsOf(owner: string): Record<string, string> {
  return { ...NAME_LABELS, [OWNER_LABEL]: owner };
}

/** The keys of one pod's connections; the outlet's where it runs code of others. */
export interface PodKeys {
  readonly frames: Buffer;
  readonly outlet: Buffer | undefined;
}

/** By which name a pod calls for the way out of the code in it. */
export function outletName(pod: string): string {
  return `${pod}.${OUTLET}`;
}

/** The keys that a pod calls us with, apart from its manifest, which more people may read. */
export function keySecret({ name, owner }: Pick<PodPlan, 'name' | 'owner'>, { frames, outlet }: PodKeys): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: labelsOf(owner) },
    type: 'Opaque',
    immutable: true,
    data: {
      [KEY]: frames.toString('base64'),
      ...(outlet === undefined ? {} : { [OUTLET]: outlet.toString('base64') }),
    },
  };
}

/** A worker's pod. Meets the "restricted" Pod Security Standard. */
export function podManifest(settings: PodSettings, plan: PodPlan): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: plan.name, labels: labelsOf(plan.owner) },
    spec: {
      runtimeClassName: settings.runtimeClass,
      restartPolicy: 'Never',
      activeDeadlineSeconds: settings.secondsMax,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // The pause container is the first process of all, and buries what servers leave behind.
      shareProcessNamespace: true,
      // It looks up nothing: egress, outside, does.
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['127.0.0.1'] },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: NOBODY,
        runAsGroup: NOBODY,
        fsGroup: NOBODY,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [containerOf(settings, plan)],
      volumes: [
        { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: `${settings.scratchMb + extraMb(plan)}Mi` } },
        { name: 'key', secret: { secretName: plan.name, defaultMode: 0o440 } },
      ],
    },
  };
}

type Container = NonNullable<V1Pod['spec']>['containers'][number];

function containerOf(settings: PodSettings, plan: PodPlan): Container {
  const memory = `${plan.memoryMb + extraMb(plan)}Mi`;
  return {
    name: CONTAINER,
    image: settings.image,
    command: commandOf(settings, plan),
    workingDir: SCRATCH,
    env: [{ name: 'TZ', value: 'UTC' }],
    resources: {
      requests: { cpu: '100m', memory, 'ephemeral-storage': '1Mi' },
      limits: { cpu: '1500m', memory, 'ephemeral-storage': '16Mi' },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'scratch', mountPath: SCRATCH },
      { name: 'key', mountPath: KEY_FOLDER, readOnly: true },
    ],
  };
}

function commandOf({ dialHost }: PodSettings, { name, port, memoryMb, bundles, ...plan }: PodPlan): string[] {
  return [
    'node',
    ...RUNNER_V8_FLAGS,
    `--max-old-space-size=${heapMb(memoryMb)}`,
    '--permission',
    `--allow-fs-read=${PROJECT}`,
    `--allow-fs-read=${KEY_FOLDER}`,
    ...(bundles === true ? bundleFlags(SCRATCH) : []),
    `${PROJECT}/${RUNNER_FOLDER}/main.js`,
    'call',
    dialHost,
    `${port}`,
    name,
    `${KEY_FOLDER}/${KEY}`,
    ...(bundles === true ? [outletName(name), `${KEY_FOLDER}/${OUTLET}`, ALONE, ...idleArgument(plan)] : []),
  ];
}

/** Unpacked bundles lie in the scratch folder, which is memory. */
function extraMb({ bundles }: WorkerOptions): number {
  return bundles === true ? BUNDLES_MB : 0;
}
