export { diffReleases, type ListedTool, type ReleaseDiff, type ToolChange } from './release-diff.js';
export { compareSchemas, type SchemaChange } from './schema-changes.js';
