import type { ToolDefinition } from '#libs/protocol';
import { didYouMean } from '../checks/closest.js';
import { findShapeFault } from '../checks/result-shape.js';
import { at, type Problems } from './problems.js';

/** Notes a problem for a shape that is no JMESPath or could make too much of an answer. */
export function refuseShape(problems: Problems, pointer: string, shape: string): void {
  const fault = findShapeFault(shape);
  if (fault !== undefined) problems.add(pointer, fault);
}

/** Tools with the shapes that are given by name; a shaped one promises nothing of its result. Wrong ones are noted. */
export function withShapes(
  problems: Problems,
  tools: readonly ToolDefinition[],
  shapes: Readonly<Record<string, string>>,
): ToolDefinition[] {
  const names = new Set(tools.map(({ name }) => name));
  for (const [name, shape] of Object.entries(shapes)) {
    if (!names.has(name))
      problems.add(at('/shapes', name), `There is no tool ${JSON.stringify(name)}.${didYouMean(name, names)}`);
    refuseShape(problems, at('/shapes', name), shape);
  }
  return tools.map((tool) => {
    const shape = Object.hasOwn(shapes, tool.name) ? shapes[tool.name] : undefined;
    if (shape === undefined) return tool;
    const { outputSchema: _, ...rest } = tool;
    return { ...rest, http: { ...tool.http, shape } };
  });
}
