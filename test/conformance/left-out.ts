/** Scenarios of a revision that are not run, and why. */
export interface LeftOut {
  readonly scenarios: readonly string[];
  readonly reason: string;
}

/** The suite signs a person in from within the client. Egress adds credentials, and people connect at the platform. */
const SIGNS_IN =
  'our client of upstream servers has no credential and no browser; signing in is the platform’s, which has tests of its own';

const SINCE_2025 = [
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
] as const;

/** What the suite requires of a client and ours is not asked, by revision. */
export const LEFT_OUT = {
  '2025-11-25': { scenarios: SINCE_2025, reason: SIGNS_IN },
  '2026-07-28': {
    scenarios: [
      ...SINCE_2025,
      'auth/resource-mismatch',
      'auth/offline-access-scope',
      'auth/offline-access-not-supported',
      'auth/authorization-server-migration',
      'auth/iss-supported',
      'auth/iss-not-advertised',
      'auth/iss-supported-missing',
      'auth/iss-wrong-issuer',
      'auth/iss-unexpected',
      'auth/iss-normalized',
      'auth/metadata-issuer-mismatch',
    ],
    reason: SIGNS_IN,
  },
} as const satisfies Record<string, LeftOut>;
