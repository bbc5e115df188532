import { DurationTally, OTHER, Tally, TopNames } from '#libs/telemetry';
import { releaseRole, type CallEnd, type NamedTool } from './call-end.js';
import { ToolSaturation, type OpenCall } from './tool-saturation.js';
import type { ToolLabels } from './tool-labels.js';

const TENANTS_MAX = 20;
const TOOLS_MAX = 200;
/** Outcomes that only a tool which exists can have. */
const PROVES_TOOL = new Set(['ok', 'tool_error']);

/**
 * The second layer: rate, errors and durations of each tool, for the tenants and tools with the most traffic. The rest
 * is `other`. A name becomes a label only when a tool has answered to it.
 */
export class ToolMetrics {
  readonly #calls = new Tally('gateway', 'wharf_tool_calls', 'Calls of tools by how they ended.');
  readonly #duration = new DurationTally('wharf_tool_duration_seconds', 'How long calls of tools took.');
  readonly #tenants = new TopNames(TENANTS_MAX, (tenant) => this.#forget({ tenant }));
  readonly #tools = new TopNames(TOOLS_MAX, (key) => {
    const [tenant = '', ...path] = key.split(' ');
    this.#forget({ tenant, tool: path.join(' ') });
  });
  readonly #saturation = new ToolSaturation((slug, tool) => this.#find(slug, tool));

  /** A call of a tool goes to its worker. */
  enter(slug: string, tool: NamedTool): OpenCall {
    return this.#saturation.enter(slug, tool);
  }

  /** Counts a call of a tool and tells the labels it was counted under. */
  count(end: CallEnd, tool: NamedTool): ToolLabels {
    const { call, outcome, fault, seconds } = end;
    const labels = this.#labelsOf(call.tenant.slug, tool, PROVES_TOOL.has(outcome) && fault !== 'unknown_tool');
    const release = releaseRole(end, tool);
    this.#calls.add({ ...labels, outcome, release });
    this.#duration.record(seconds, { ...labels, release });
    this.#saturation.count(end, labels);
    return labels;
  }

  #labelsOf(slug: string, { server, name }: NamedTool, proved: boolean): ToolLabels {
    const tenant = this.#tenants.count(slug);
    if (proved && tenant !== OTHER) this.#tools.count(`${slug} ${server}/${name}`);
    return this.#find(slug, { server, name });
  }

  #find(slug: string, { server, name }: NamedTool): ToolLabels {
    const tenant = this.#tenants.find(slug);
    const tool = `${server}/${name}`;
    const named = tenant !== OTHER && this.#tools.find(`${slug} ${tool}`) !== OTHER;
    return named ? { tenant, server, tool } : { tenant, server: OTHER, tool: OTHER };
  }

  #forget(gone: { readonly tenant: string; readonly tool?: string }): void {
    this.#calls.forget(gone);
    this.#duration.forget(gone);
    this.#saturation.forget(gone);
  }
}
