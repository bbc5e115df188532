import { DurationTally, OTHER, Tally, TopNames } from '#libs/telemetry';
import { releaseRole, type CallEnd, type NamedTool } from './call-end.js';

const TENANTS_MAX = 20;
const TOOLS_MAX = 200;
/** Outcomes that only a tool which exists can have. */
const PROVES_TOOL = new Set(['ok', 'tool_error']);

/** What is written for a tenant and a tool. */
export interface ToolLabels {
  readonly tenant: string;
  readonly server: string;
  readonly tool: string;
}

/**
 * The second layer: rate, errors and durations of each tool, for the tenants and tools with the most traffic. The rest
 * is `other`. A name becomes a label only when a tool has answered to it.
 */
export class ToolMetrics {
  readonly #calls = new Tally('gateway', 'wharf_tool_calls', 'Calls of tools by how they ended.');
  readonly #duration = new DurationTally('wharf_tool_duration_seconds', 'How long calls of tools took.');
  readonly #tenants = new TopNames(TENANTS_MAX, (tenant) => this.#forget('tenant', tenant));
  readonly #tools = new TopNames(TOOLS_MAX, (key) => this.#forget('tool', key.slice(key.indexOf(' ') + 1)));

  /** Counts a call of a tool and tells the labels it was counted under. */
  count(end: CallEnd, tool: NamedTool): ToolLabels {
    const { call, outcome, fault, seconds } = end;
    const labels = this.#labelsOf(call.tenant.slug, tool, PROVES_TOOL.has(outcome) && fault !== 'unknown_tool');
    const release = releaseRole(end, tool);
    this.#calls.add({ ...labels, outcome, release });
    this.#duration.record(seconds, { ...labels, release });
    return labels;
  }

  #labelsOf(slug: string, { server, name }: NamedTool, proved: boolean): ToolLabels {
    const tenant = this.#tenants.count(slug);
    if (tenant === OTHER) return { tenant, server: OTHER, tool: OTHER };
    const path = `${server}/${name}`;
    const key = `${slug} ${path}`;
    const found = proved ? this.#tools.count(key) : this.#tools.find(key);
    return found === OTHER ? { tenant, server: OTHER, tool: OTHER } : { tenant, server, tool: path };
  }

  #forget(label: 'tenant' | 'tool', value: string): void {
    this.#calls.forget(label, value);
    this.#duration.forget(label, value);
  }
}
