import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sha256Digest, TOOL_NAME, type BuildReport, type Manifest } from '#libs/protocol';
import { RunnerProcess } from '../runner-process.fixture.js';
import { compileChecks } from '../checks/tool-checks.js';

const document = readFileSync(createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json'));
const source = { kind: 'openapi', artefact: sha256Digest(document) };

async function build(
  settings: object = {},
): Promise<{ manifest: Manifest; report: BuildReport; digest: string; text: string }> {
  const runner = await RunnerProcess.start();
  const text = Buffer.from(JSON.stringify({ ...source, ...settings }));
  runner.send({ t: 'build', s: 1, serverSlug: 'github', sourceBytes: text.length }, Buffer.concat([text, document]));
  const { header, payload } = await runner.next((frame) => frame.header.t === 'built' || frame.header.t === 'fail');
  if (header.t !== 'built') throw new Error(JSON.stringify(header));
  return {
    manifest: JSON.parse(payload.toString('utf8')),
    report: header.report,
    digest: header.digest,
    text: payload.toString('utf8'),
  };
}

describe('importing the document of GitHub in a confined runner', () => {
  let built: Awaited<ReturnType<typeof build>>;
  beforeAll(async () => {
    built = await build();
  });

  test('makes a tool of every operation and reports what each leaves out', () => {
    const operations = Object.values(JSON.parse(document.toString('utf8')).paths as Record<string, object>).flatMap(
      Object.keys,
    ); // the document's own form
    expect(operations.length).toBeGreaterThan(1_000);
    expect(built.manifest.tools).toHaveLength(operations.length);
    expect(built.report).toMatchObject({ tools: operations.length, listBytes: expect.any(Number) });
    expect(built.report.skipped).toEqual([
      expect.objectContaining({
        operation: 'POST /repos/{owner}/{repo}/releases/{release_id}/assets',
        reason: expect.stringContaining('application/octet-stream'),
      }),
    ]);
  });

  test('gives every tool a name of its own that every client accepts', () => {
    const names = built.manifest.tools.map((tool) => tool.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !TOOL_NAME.test(name))).toEqual([]);
    expect(names).toContain('issues_create');
  });

  test('gives every tool schemas that stand for themselves and compile (one in eight is tried)', () => {
    for (const [index, tool] of built.manifest.tools.entries()) {
      if (index % 8 === 0) compileChecks(tool.name, tool);
      expect(JSON.stringify([tool.inputSchema, tool.outputSchema])).not.toMatch(/"\$ref":"(?!#\/\$defs\/)/);
    }
  });

  test('places every argument once, and every place of a path has its argument', () => {
    for (const { inputSchema, http } of built.manifest.tools) {
      const names = Object.keys(inputSchema['properties'] as object); // the importer writes objects here
      expect(http.placements.map((placement) => placement.argument).sort()).toEqual(names.sort());
      const places = [...http.urlTemplate.matchAll(/\{([^{}]+)\}/g)].map((found) => found[1]);
      expect(
        http.placements
          .filter((placement) => placement.in === 'path')
          .map((placement) => placement.name)
          .sort(),
      ).toEqual(places.sort());
    }
  });

  test('answers the same bytes for the same document', async () => {
    const again = await build();
    expect(again.digest).toBe(built.digest);
    expect(sha256Digest(again.text)).toBe(again.digest);
  });

  test('keeps the name of a tool whatever else is selected', async () => {
    const { manifest } = await build({ select: { tags: ['issues'], paths: ['/repos/{owner}/{repo}/issues'] } });
    const names = new Set(built.manifest.tools.map((tool) => tool.name));
    expect(manifest.tools.length).toBeGreaterThan(20);
    expect(manifest.tools.filter((tool) => !names.has(tool.name))).toEqual([]);
  });
});
