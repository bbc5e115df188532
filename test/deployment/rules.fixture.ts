import { podsOf, type KubeObject } from './kustomize.fixture.js';

type Spec = NonNullable<ReturnType<typeof podsOf>>['spec'];

/** A version or a digest, or the text that says which of both is missing; never whatever is newest. */
const NAMED = /@sha256:(?:[0-9a-f]{64}|not-(?:pinned|released)-yet--[a-z-]+)$|^wharf:dev$/;
/** What each may keep of the kernel's rights: none, but a program that is marked with one is not started without it. */
const RIGHTS: Readonly<Record<string, string>> = { front: '{"add":["NET_BIND_SERVICE"],"drop":["ALL"]}' };
const NO_RIGHTS = '{"drop":["ALL"]}';
/** What makes workers' pods holds a token of the cluster's. */
const HOLDS_A_TOKEN = 'wharf-worker-runtime';

function faultsOfContainers({ containers }: Spec): string[] {
  return containers.flatMap(({ name, image, resources, securityContext }) => {
    const faults = NAMED.test(image) ? [] : [`its image ${image} is not written down by digest`];
    for (const kind of ['limits', 'requests'] as const)
      for (const what of ['cpu', 'memory']) {
        const amount = Object.entries(resources?.[kind] ?? {}).find(([key]) => key === what);
        if (amount === undefined) faults.push(`it has no ${kind} of ${what}`);
      }
    const { capabilities, ...rest } = securityContext ?? {};
    if (rest['readOnlyRootFilesystem'] !== true) faults.push('it can write to its image');
    if (rest['allowPrivilegeEscalation'] !== false) faults.push('it can gain rights');
    if (rest['privileged'] === true) faults.push('it is privileged');
    if (JSON.stringify(capabilities) !== (RIGHTS[name] ?? NO_RIGHTS)) faults.push('it keeps rights of the kernel’s');
    return faults;
  });
}

/** What an object has that none of ours may have, a sentence each. */
export function faultsOfPods(object: KubeObject): readonly string[] {
  const pod = podsOf(object);
  if (pod === undefined) return [];
  const { spec, metadata } = pod;
  const faults = faultsOfContainers(spec);
  const { runAsNonRoot, runAsUser = 0, seccompProfile } = spec.securityContext ?? {};
  if (runAsNonRoot !== true || runAsUser === 0) faults.push('it may be root');
  if (seccompProfile?.type !== 'RuntimeDefault') faults.push('it may make any system call');
  if (spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true)
    faults.push('it is in its node’s namespaces');
  if (spec.volumes?.some((volume) => 'hostPath' in volume) === true) faults.push('it has a folder of its node’s');
  const holdsToken = spec.automountServiceAccountToken !== false;
  if (holdsToken !== (metadata.labels['app.kubernetes.io/name'] === HOLDS_A_TOKEN))
    faults.push('it holds a token of the cluster’s, or not the one that it needs');
  return faults.map((fault) => `${object.kind} ${object.metadata.name}: ${fault}`);
}
