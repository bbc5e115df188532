import { BlockList, isIP } from 'node:net';
import type { KubeObject } from './kustomize.fixture.js';

type Labels = Readonly<Record<string, string>>;

/** Who talks: a pod of a namespace, or an address outside of the cluster. */
export type Party = { readonly namespace: string; readonly labels: Labels } | string;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: ReadonlyArray<{
    readonly key: string;
    readonly operator: string;
    readonly values: string[];
  }>;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: ReadonlyArray<{ readonly protocol: string; readonly port: number }>;
}

interface Policy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

/** What the namespaces of a cluster are labelled with, as docs/kubernetes.md asks for. */
const NAMESPACES: Readonly<Record<string, Labels>> = {
  monitoring: { 'wharf.dev/role': 'monitoring' },
  ingress: { 'wharf.dev/role': 'ingress' },
};
const labelsOfNamespace = (name: string): Labels => ({ 'kubernetes.io/metadata.name': name, ...NAMESPACES[name] });

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`The operator ${operator} is not read here.`);
      return values.includes(labels[key] ?? '');
    })
  );
}

function holds(cidr: string, address: string): boolean {
  const [net = '', bits] = cidr.split('/');
  // A list takes every IPv4 address for one of ::/0 too; a network plugin does not.
  if (isIP(net) !== isIP(address)) return false;
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(net, Number(bits), family);
  return list.check(address, family);
}

/** Whether a rule's peer means somebody. Addresses are never pods: that is how the strictest network plugins read them. */
function means(peer: Peer, party: Party, namespace: string): boolean {
  if (typeof party === 'string') {
    const { ipBlock } = peer;
    return ipBlock !== undefined && holds(ipBlock.cidr, party) && !ipBlock.except?.some((part) => holds(part, party));
  }
  if (peer.ipBlock !== undefined) return false;
  const inNamespace =
    peer.namespaceSelector === undefined
      ? party.namespace === namespace
      : selects(peer.namespaceSelector, labelsOfNamespace(party.namespace));
  return inNamespace && selects(peer.podSelector ?? {}, party.labels);
}

/** Whether one side's policies let it through: where none is about it, everything is; else what one of them says. */
function passes(
  policies: readonly Policy[],
  own: Party,
  side: 'Ingress' | 'Egress',
  other: Party,
  port: number,
): boolean {
  if (typeof own === 'string') return true;
  const about = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === own.namespace && spec.policyTypes.includes(side) && selects(spec.podSelector, own.labels),
  );
  if (about.length === 0) return true;
  return about.some(({ metadata, spec }) =>
    (side === 'Ingress' ? spec.ingress : spec.egress)?.some((rule) => {
      const peers = side === 'Ingress' ? rule.from : rule.to;
      const isPeer = peers === undefined || peers.some((peer) => means(peer, other, metadata.namespace));
      return isPeer && (rule.ports === undefined || rule.ports.some((each) => each.port === port));
    }),
  );
}

/** Whether the network policies among these objects let one party open a connection to another. */
export function isAllowed(objects: readonly KubeObject[], from: Party, to: Party, port: number): boolean {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as readonly Policy[]; // their schema was checked
  return passes(policies, from, 'Egress', to, port) && passes(policies, to, 'Ingress', from, port);
}

/** A pod of ours. */
export function pod(name: string, labels: Labels = {}): Party {
  return { namespace: 'wharf', labels: { 'app.kubernetes.io/name': name, ...labels } };
}
