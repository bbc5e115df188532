export { diffReleases, type ListedTool, type ReleaseDiff, type ToolChange } from './release-diff.js';
export { definitionDigest, listedToolsOf } from './listed-tools.js';
export { judgeStep, type ReleaseStep, type VersionedRelease } from './release-step.js';
export { compareSchemas, type SchemaChange } from './schema-changes.js';
