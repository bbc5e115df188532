import { RUN_TOOL, type ToolView } from '#libs/protocol';

type Members = Readonly<Record<string, unknown>>;

/**
 * A message as the tool that it is for is called: in search mode, `run_tool` stands for the tool that its arguments name,
 * so that everything after this deals with that tool. The gateway reads the same name and refuses what it may not do.
 */
export function aimed(
  view: ToolView | undefined,
  value: unknown,
): { readonly value: unknown; readonly wasAimed: boolean } {
  const asIs = { value, wasAimed: false };
  if (view?.search !== true || !isObject(value) || value['method'] !== 'tools/call') return asIs;
  const { params } = value;
  if (!isObject(params) || params['name'] !== RUN_TOOL) return asIs;
  const given = params['arguments'];
  if (!isObject(given) || typeof given['name'] !== 'string') return asIs;
  const { name } = given;
  const inner = Object.hasOwn(given, 'arguments') ? given['arguments'] : {};
  return { value: { ...value, params: { ...params, name, arguments: inner } }, wasAimed: true };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
