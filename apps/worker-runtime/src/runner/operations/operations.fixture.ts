import type { ToolDefinition } from '#libs/protocol';
import { documentOf, importDocument, operation } from '../openapi/openapi.fixture.js';
import { compileChecks } from '../checks/tool-checks.js';

/** The tool of one operation, with the components it refers to. */
export async function toolOf(
  node: object,
  { method = 'post', path = '/a', ...rest }: { method?: string; path?: string } & Record<string, unknown> = {},
): Promise<ToolDefinition> {
  const { tool } = await importDocument(
    documentOf({ [path]: { [method]: operation({ operationId: 'tool', ...node }) } }, rest),
  );
  const found = tool('tool');
  compileChecks(found.name, found);
  return found;
}
