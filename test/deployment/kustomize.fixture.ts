import { execFileSync, spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

/** An object as a cluster would be given it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Of a config map or a secret. */
  readonly data?: Readonly<Record<string, string>>;
}

/** The containers of a workload, and what stands beside them. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly securityContext?: {
      readonly runAsNonRoot?: boolean;
      readonly runAsUser?: number;
      readonly seccompProfile?: { readonly type: string };
    };
    readonly hostNetwork?: boolean;
    readonly hostPID?: boolean;
    readonly hostIPC?: boolean;
    readonly volumes?: readonly object[];
    readonly automountServiceAccountToken?: boolean;
    readonly containers: ReadonlyArray<{
      readonly name: string;
      readonly image: string;
      readonly command?: readonly string[];
      readonly ports?: ReadonlyArray<{ readonly name?: string }>;
      readonly env?: ReadonlyArray<{
        readonly name: string;
        readonly value?: string;
        readonly valueFrom?: {
          readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
          readonly fieldRef?: { readonly fieldPath: string };
        };
      }>;
      readonly envFrom?: ReadonlyArray<{
        readonly configMapRef?: { readonly name: string };
        readonly secretRef?: { readonly name: string };
      }>;
      readonly resources?: { readonly limits?: object; readonly requests?: object };
      readonly securityContext?: Readonly<Record<string, unknown>>;
      readonly readinessProbe?: object;
      readonly livenessProbe?: object;
    }>;
  };
}

/** Every overlay that can be applied. */
export const OVERLAYS = ['local', 'staging', 'production/blue', 'production/green', 'production/shared'] as const;
export type Overlay = (typeof OVERLAYS)[number];

const PACKAGE = 'kubernetes-client';
const INSTALL_MS = 120_000;
const SHOWN_MAX = 500;

/**
 * Debian's package brings kubectl where the machine has none, and may install it.
 *
 * @throws Error with what the package manager said, and what to do
 */
export function provideKubectl(): void {
  if (whyNot('kubectl', ['version', '--client']) === undefined) return;
  const refused = whyNot('apt-get', ['install', '-y', '--no-install-recommends', PACKAGE]);
  const missing = refused ?? whyNot('kubectl', ['version', '--client']);
  if (missing === undefined) return;
  throw new Error(
    `These tests need kubectl. It is not here, and Debian's ${PACKAGE} could not be installed: ${missing}. Install kubectl, or run them as root.`,
  );
}

/** Why a program did not end well; undefined where it did. */
function whyNot(program: string, args: readonly string[]): string | undefined {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: INSTALL_MS });
  if (error !== undefined) return error.message;
  if (status === 0) return undefined;
  return (stderr.trim() || stdout.trim() || `${program} ended with ${status}`).slice(-SHOWN_MAX);
}

const built = new Map<Overlay, readonly KubeObject[]>();

/** What `kubectl kustomize` makes of an overlay, worked out once a file. */
export function build(overlay: Overlay): readonly KubeObject[] {
  const objects = built.get(overlay) ?? kustomize(overlay);
  built.set(overlay, objects);
  return objects;
}

function kustomize(overlay: Overlay): readonly KubeObject[] {
  const text = execFileSync('kubectl', ['kustomize', `k8s/overlays/${overlay}`], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return parseAllDocuments(text).map((document) => withoutLineBreaks(document.toJS() as KubeObject)); // each is checked against its schema
}

/** kustomize breaks the base64 of a long secret into lines, which clusters read and the schema refuses. */
function withoutLineBreaks(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.data === undefined) return object;
  const data = Object.entries(object.data).map(([key, value]) => [key, value.replace(/\s/g, '')]);
  return Object.assign(object, { data: Object.fromEntries(data) });
}

/** The pods that a workload makes; undefined for what makes none. */
export function podsOf({ spec }: KubeObject): PodTemplate | undefined {
  // A template stands nowhere else: in a workload, or in the job that a cron job makes.
  const job = spec?.['jobTemplate'] as { readonly spec: KubeObject['spec'] } | undefined;
  return (job?.spec ?? spec)?.['template'] as PodTemplate | undefined;
}
