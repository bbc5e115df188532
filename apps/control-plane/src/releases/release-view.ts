import { z } from 'zod';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import {
  accessShape,
  hintsShape,
  bundleNeedsOf,
  environmentOf,
  estimateTokens,
  nameMaxBehind,
  plainNames,
  toolAccess,
  toolHints,
  type BuildReport,
} from '#libs/protocol';
import { definitionDigest, listedToolsOf, type ListedTool } from '#libs/release-diff';
import type { ReleaseRow } from './releases.repository.js';
import type { createRelease, getRelease, releaseSchema } from './releases.schema.js';

type ReportView = z.input<typeof createRelease.answer.schema>['report'];

/** A release as the API shows it. */
export function releaseView(row: ReleaseRow): z.input<typeof releaseSchema> {
  return {
    id: row.id,
    number: row.number,
    version: row.version,
    kind: row.kind,
    digest: row.digest,
    state: row.state,
    tools: row.report.tools,
    list_tokens: row.report.listTokens,
    created_at: row.created_at.toISOString(),
    published_at: row.published_at?.toISOString() ?? null,
    rejection: row.rejection ?? null,
    verification: row.verification && {
      checked_at: new Date(row.verification.checked_at).toISOString(),
      notes: row.verification.notes,
    },
  };
}

/** A build report as the API shows it. */
export function reportView(report: BuildReport): ReportView {
  return {
    tools: report.tools,
    skipped: report.skipped.map(({ pointer, operation, reason }) => ({ pointer, operation, reason })),
    renamed: report.renamed.map(({ from, to, reason }) => ({ from, to, reason })),
    list_bytes: report.listBytes,
    list_tokens: report.listTokens,
  };
}

const outlineSchema = z.object({
  tools: z.array(accessShape.extend({ name: z.string(), ...hintsShape.shape })),
  credentials: z.array(z.object({ secret: z.string() })),
  bundle: z.object({ secrets: z.array(z.string()).default([]) }).default({ secrets: [] }),
  remote: z.object({ grants: z.array(z.object({ secret: z.string() })) }).default({ grants: [] }),
});

/** The names that stand in a built release: its tools', and those of the secrets it will use. */
export interface ManifestOutline {
  readonly toolNames: readonly string[];
  /** Which of the tools write, by name. */
  readonly access: Readonly<Record<string, 'read' | 'write'>>;
  /** What policies may ask about each, by name. */
  readonly hints: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secretNames: readonly string[];
}

/** What agents see of a built release's tools. @throws AppError `worker_failed` when the manifest is none. */
export function toolsOf(manifest: Buffer): ListedTool[] {
  return listedToolsOf(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
}

/** What a release pins of each tool, and what it costs in a list. */
export function pinnedTools(manifest: Buffer): Array<{ name: string; sha256: string; tokens: number }> {
  return toolsOf(manifest).map((tool) => ({
    name: tool.name,
    sha256: definitionDigest(tool),
    tokens: estimateTokens(JSON.stringify(tool)),
  }));
}

/** What tools are called on the tenant's own URL, where their full names would be too long behind a client's prefix. */
export function aliasesOf(
  { tenantSlug, serverSlug }: { readonly tenantSlug: string; readonly serverSlug: string },
  tools: readonly string[],
): Array<{ name: string; alias: string }> {
  if (environmentOf(serverSlug) !== undefined) return []; // which stands at its own URL alone
  const fullOf = (name: string): string => `${serverSlug}__${name}`;
  const { shown } = plainNames([{ nameMax: nameMaxBehind(tenantSlug) }], tools.map(fullOf));
  return tools.flatMap((name) => {
    const alias = shown.get(fullOf(name));
    return alias === undefined || alias === fullOf(name) ? [] : [{ name: fullOf(name), alias }];
  });
}

/** The same by name, as it is stored. */
export interface ToolPrints {
  readonly toolDigests: Readonly<Record<string, string>>;
  readonly toolTokens: Readonly<Record<string, number>>;
}

/** What is stored of a release's tools beside its manifest. */
export function toolPrintsOf(manifest: Buffer): ToolPrints {
  const pinned = pinnedTools(manifest);
  return {
    toolDigests: Object.fromEntries(pinned.map(({ name, sha256 }) => [name, sha256])),
    toolTokens: Object.fromEntries(pinned.map(({ name, tokens }) => [name, tokens])),
  };
}

const npmSchema = z.object({
  bundle: z.object({
    npm: z.object({ name: z.string(), version: z.string(), integrity: z.string() }),
    packages: z.object({ integrities: z.record(z.string(), z.string()).default({}) }),
  }),
});

/** The package of npm that a built release runs, if it does. */
export function npmPackageOf(
  manifest: Buffer | undefined,
): z.input<typeof getRelease.answer.schema>['release']['package'] {
  if (manifest === undefined || bundleNeedsOf(manifest) === undefined) return null;
  const parsed = npmSchema.safeParse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
  if (!parsed.success) return null;
  const { npm, packages } = parsed.data.bundle;
  return { ...npm, packages: Object.keys(packages.integrities).length };
}

/** Reads names out of a manifest, whose schemas a worker alone looks into. @throws AppError `worker_failed` when it is none. */
export function outlineOf(manifest: Buffer): ManifestOutline {
  const parsed = outlineSchema.safeParse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
  if (!parsed.success) throw new AppError('worker_failed', { cause: parsed.error });
  return {
    toolNames: parsed.data.tools.map((tool) => tool.name),
    access: Object.fromEntries(parsed.data.tools.map((tool) => [tool.name, toolAccess(tool)])),
    hints: Object.fromEntries(parsed.data.tools.map((tool) => [tool.name, toolHints(tool)])),
    secretNames: [
      ...new Set([
        ...[...parsed.data.credentials, ...parsed.data.remote.grants].map(({ secret }) => secret),
        ...parsed.data.bundle.secrets,
      ]),
    ],
  };
}
