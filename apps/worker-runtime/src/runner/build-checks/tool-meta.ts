import { at, type Problems } from './problems.js';
import { refuseHiddenWithin } from './text-safety.js';

type Meta = Readonly<Record<string, unknown>>;

const CHARACTERS_MAX = 16_384;
const DEPTH_MAX = 16;

/** A tool's `_meta` as the release will always show it: what extensions such as MCP Apps say of the tool. What is wrong with it is noted. */
export function pinMeta(
  problems: Problems,
  pointer: string,
  meta: Meta | undefined,
): { _meta?: Record<string, unknown> } {
  if (meta === undefined || Object.keys(meta).length === 0) return {};
  const place = at(pointer, '_meta');
  if (isDeeper(meta, DEPTH_MAX) || JSON.stringify(meta).length > CHARACTERS_MAX) {
    const most = `at most ${CHARACTERS_MAX} characters of JSON, ${DEPTH_MAX} levels deep`;
    problems.add(place, `The _meta of a tool is ${most}. Shorten it.`);
    return {};
  }
  refuseHiddenWithin(problems, place, meta);
  return { _meta: { ...meta } };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeper(child, levels - 1));
}
