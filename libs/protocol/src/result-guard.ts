import { z } from 'zod';

/** Kinds of personal data that a result guard finds. */
export const PERSONAL_DATA_KINDS = ['email', 'phone', 'credit_card', 'iban', 'ip_address'] as const;

/** One kind of personal data. */
export type PersonalDataKind = (typeof PERSONAL_DATA_KINDS)[number];

/** Least and most bytes that a guard may let through. */
export const GUARDED_BYTES = { min: 1_024, max: 67_108_864 } as const;

/** What a server's results may hold, as its tenant set it. */
export interface ResultGuard {
  /** Most bytes of an answer; null for as many as there are. */
  readonly max_bytes: number | null;
  readonly personal_data: {
    readonly kinds: readonly PersonalDataKind[];
    readonly action: 'off' | 'redact' | 'refuse';
  } | null;
}

/** What a guard did to one call's answer: never what it found, only of which kind and how often. */
export interface GuardReport {
  readonly action: 'redacted' | 'refused';
  /** Set where it was the size. */
  readonly too_large?: true;
  readonly found: Readonly<Partial<Record<PersonalDataKind, number>>>;
}

/** One guard that is as strict as all of them; undefined where none does anything. */
export function strictestGuard(guards: ReadonlyArray<ResultGuard | null>): ResultGuard | undefined {
  const sizes = guards.flatMap((guard) => guard?.max_bytes ?? []);
  const rules = guards.flatMap((guard) => (guard?.personal_data?.action === 'off' ? [] : (guard?.personal_data ?? [])));
  if (sizes.length === 0 && rules.length === 0) return undefined;
  const kinds = PERSONAL_DATA_KINDS.filter((kind) => rules.some((rule) => rule.kinds.includes(kind)));
  const action = rules.some((rule) => rule.action === 'refuse') ? 'refuse' : 'redact';
  return {
    max_bytes: sizes.length === 0 ? null : Math.min(...sizes),
    personal_data: rules.length === 0 ? null : { kinds, action },
  };
}

const COUNT_MAX = 1_000_000;

const report = z.object({
  action: z.enum(['redacted', 'refused']),
  too_large: z.literal(true).optional(),
  found: z.partialRecord(z.enum(PERSONAL_DATA_KINDS), z.int().min(1).max(COUNT_MAX)),
});

/** A report as a worker tells it, where it is one; else only that something was refused. */
export function readGuardReport(told: unknown): GuardReport {
  const { data } = report.safeParse(told);
  if (data === undefined) return { action: 'refused', found: {} };
  const { action, too_large: large, found } = data;
  return { action, ...(large === undefined ? {} : { too_large: large }), found };
}
