import type { Target } from '../access/resource-access.js';

/** One line of what a person is told: a server that may call another one for them. */
export interface PassedOn {
  readonly from: string;
  readonly to: string;
}

/** Every server behind a target that may call others for its callers now, with each of those. */
export function passedOnAt({ servers }: Target): PassedOn[] {
  return servers
    .filter(({ exchangeClients }) => exchangeClients.length > 0)
    .flatMap(({ slug, exchangeServers }) => exchangeServers.map((to) => ({ from: slug, to })));
}

/** The same as it is written into a form and remembered: `orders>billing`. */
export function toldAt(target: Target): string[] {
  return passedOnAt(target).map(({ from, to }) => `${from}>${to}`);
}

/** What a form says that its person was told, as far as it is so now. */
export function toldBy(form: URLSearchParams, target: Target): string[] {
  const shown = new Set((form.get('told') ?? '').split(' '));
  return toldAt(target).filter((line) => shown.has(line));
}

/**
 * Whether a person was told that a server may call another for them. A server that was reached by an exchange already
 * is not one they allowed themselves, so for it the other one counts, whoever was to call it.
 */
export function wasTold(told: readonly string[], { from, to }: PassedOn, exchangedBefore: boolean): boolean {
  return told.some((line) => line === `${from}>${to}` || (exchangedBefore && line.endsWith(`>${to}`)));
}
