import { meter } from '#libs/telemetry';

/** Counts what third-party code sends and receives; made once telemetry has started. */
export class ProxyTraffic {
  readonly #exchanges = meter('egress').createCounter('wharf_egress_proxy_exchanges', {
    description: 'Requests and tunnels of third-party code, by how they ended.',
  });
  readonly #bytes = meter('egress').createCounter('wharf_egress_proxy_bytes', {
    unit: 'By',
    description: 'Bytes that third-party code sent and received.',
  });

  /** Counts a request or tunnel that is over. */
  count(
    kind: 'request' | 'tunnel',
    outcome: string,
    moved: { readonly sent: number; readonly received: number },
  ): void {
    this.#exchanges.add(1, { kind, outcome });
    this.#bytes.add(moved.sent, { direction: 'sent' });
    this.#bytes.add(moved.received, { direction: 'received' });
  }
}
