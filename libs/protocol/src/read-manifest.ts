import { AppError } from '#libs/errors';
import type { z } from 'zod';
import { manifestSchema, type AnyManifest } from './manifest.js';

/** The version of manifests that this release writes, and the highest it reads. */
const MANIFEST_VERSION = 1;

type Unknown = Pick<z.core.$ZodIssueUnrecognizedKeys, 'path' | 'keys'>;

/**
 * A built release as its canonical JSON says, which a newer release of the platform may have built: members that this one
 * does not know are left out, what it must not overlook has a higher version.
 * @throws AppError unavailable where the version is higher, ZodError where it is no manifest
 */
export function readManifest(manifest: Buffer | string): AnyManifest {
  const value: unknown = JSON.parse(manifest.toString());
  refuseNewerManifest(value);
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.flatMap(unknownOf);
  for (const { path, keys } of unknown) leaveOut(value, path, keys);
  return manifestSchema.parse(value);
}

/** Refuses a manifest of a version that this release does not know. @throws AppError unavailable, saying what to upgrade */
export function refuseNewerManifest(manifest: unknown): void {
  const version = isRecord(manifest) ? manifest['version'] : undefined;
  if (typeof version !== 'number' || version <= MANIFEST_VERSION) return;
  throw new AppError('unavailable', {
    message:
      `This release was built by a newer version of the platform (manifest ${version}; this service reads up to ` +
      `${MANIFEST_VERSION}). It works when every service is upgraded.`,
  });
}

/** What is not known, also within a union where it is all that keeps the value from being one of its alternatives. */
function unknownOf(issue: z.core.$ZodIssue): Unknown[] {
  if (issue.code === 'unrecognized_keys') return [issue];
  if (issue.code !== 'invalid_union') return [];
  const fit = issue.errors.filter((errors) => errors.every(({ code }) => code === 'unrecognized_keys'));
  if (fit.length !== 1) return [];
  const [only = []] = fit;
  return only.flatMap(unknownOf).map(({ path, keys }) => ({ path: [...issue.path, ...path], keys }));
}

/** Takes members out of what stands at a path. */
function leaveOut(value: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  const at = path.reduce<unknown>((within, key) => (isRecord(within) ? within[key] : undefined), value);
  if (isRecord(at)) for (const key of keys) delete at[key];
}

/** Whether it has members; lists have, by their numbers. */
function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}
