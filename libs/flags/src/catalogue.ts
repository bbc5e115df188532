/** What a feature flag switches, and who may say so. */
export interface FeatureFlag {
  readonly description: string;
  /** The part of the tenants for which it is on until operators say otherwise. */
  readonly percent: number;
  /** Whether a tenant may choose for itself, as long as the platform has the flag on for anybody. */
  readonly tenantChooses: boolean;
}

/** Every feature flag; one that is not here does not compile and is refused by the APIs. */
export const FEATURE_FLAGS = {
  sse_transport: {
    description: 'The HTTP+SSE transport of 2024-11-05, at servers that have switched it on.',
    percent: 100,
    tenantChooses: false,
  },
  shadow_calls: {
    description: 'Calls to read-only tools are also run on the candidate of a shadow rollout.',
    percent: 100,
    tenantChooses: false,
  },
  result_cache: {
    description: 'Lists and resources that say how long they may be kept are answered from the gateway’s memory.',
    percent: 100,
    tenantChooses: true,
  },
  resumable_streams: {
    description: 'Events of sessions’ streams are kept, encrypted, so that a client can go on after a lost connection.',
    percent: 100,
    tenantChooses: true,
  },
} as const satisfies Record<string, FeatureFlag>;

/** The name of a feature flag. */
export type FlagName = keyof typeof FEATURE_FLAGS;

/** Which features are on for one tenant. */
export type Flags = Readonly<Record<FlagName, boolean>>;

/** The names of all feature flags, in the catalogue's order. */
export const FLAG_NAMES = Object.keys(FEATURE_FLAGS) as [FlagName, ...FlagName[]]; // keys of the constant above

/** Whether a text names a feature flag of this version. */
export function isFlagName(text: string): text is FlagName {
  return Object.hasOwn(FEATURE_FLAGS, text);
}
