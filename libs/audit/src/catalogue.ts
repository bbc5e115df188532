import { z } from 'zod';
import type { EventKind } from './event-kind.js';
import { AUDIT_EVENTS } from './events.js';
import { AUDIT_OUTCOMES } from './outcomes.js';

/** An event as the catalogue shows it. */
export interface ShownEvent {
  readonly name: string;
  readonly means: string;
  readonly version: number;
  /** The JSON Schema of a record's details. */
  readonly details: Record<string, unknown>;
}

const shown = (name: string, { means, version, details }: EventKind): ShownEvent => {
  const { $schema: _, ...schema } = z.toJSONSchema(details);
  return { name, means, version, details: schema };
};

/** Every event there is, by name. */
export function auditCatalogue(): ShownEvent[] {
  return Object.entries<EventKind>(AUDIT_EVENTS)
    .map(([name, kind]) => shown(name, kind))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The catalogue as a page of the documentation. */
export function catalogueText(): string {
  const rows = auditCatalogue().map(({ name, means, version, details }) => {
    const { properties = {}, required = [] } = details as { properties?: object; required?: readonly string[] }; // of a strict object
    const members = Object.keys(properties).map((member) =>
      required.includes(member) ? `\`${member}\`` : `\`${member}\`?`,
    );
    return `- **\`${name}\`** (version ${version}): ${means} ${members.length === 0 ? 'No details.' : `Details: ${members.join(', ')}.`}`;
  });
  const outcomes = AUDIT_OUTCOMES.toSorted().map((outcome) => `\`${outcome}\``);
  return `${HEAD}\n${rows.join('\n')}\n\n${OUTCOMES}\n\n${outcomes.join(', ')}.\n`;
}

const HEAD = `# Events of the audit log

Made from \`libs/audit/src/events.ts\`; \`GET /v1/audit/events\` tells the same with the JSON Schema of each event’s details. A detail with a question mark
may be missing. A version grows when a detail is taken away or means something else; details that are new and may be missing leave it.
`;

const OUTCOMES = `## Outcomes

Every record has one, \`ok\` where nothing went wrong. A refusal has the code of its error ([management-api.md](management-api.md)), a refused token that of OAuth, what
moves from state to state (a rollout, a probe, a webhook) its new state. \`interrupted\`: the end is not known.`;
