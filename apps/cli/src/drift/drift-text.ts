import { table } from '../output/table.js';
import { visible } from '../output/visible.js';
import type { CandidateDetail, SeenCandidate, SeenWatch } from './drift-api.js';

/** The policy and the last look, in lines. */
export function watchText({ policy, outcome, detail, checked_at: at }: SeenWatch): string[] {
  const last = at === null ? 'never looked at' : `${outcome ?? ''} at ${at}`;
  return [`policy   ${policy}`, `last     ${last}`, ...(detail === null ? [] : [visible(`         ${detail}`)])];
}

/** Candidates in columns. */
export function candidatesText(candidates: readonly SeenCandidate[]): string[] {
  if (candidates.length === 0) return ['The upstreams list what was approved, as far as they were looked at.'];
  const rows = candidates.map((one) => [one.id, one.state, one.effect ?? '', changesText(one), one.found_at]);
  return table(['ID', 'STATE', 'EFFECT', 'WHAT', 'FOUND'], rows).map(visible);
}

/** Everything about a candidate that somebody who decides must read. */
export function candidateText({ candidate, diff, instructions }: CandidateDetail): string[] {
  const { id, state, effect, reason, rollout, problems } = candidate;
  return [
    `${id}  ${state}${effect === null ? '' : `, ${effect}`}`,
    `what     ${changesText(candidate)}`,
    ...(reason === null ? [] : [`reason   ${reason}`]),
    ...(rollout === null ? [] : [`rollout  ${rollout}`]),
    ...problems.map(({ pointer, message }) => `${pointer}: ${message}`),
    ...(diff?.changed ?? []).flatMap(({ name, input, output, description, title, annotations, meta }) => [
      `${name}:`,
      ...[...input, ...output].map((one) => `    ${one.pointer} ${one.change} (${one.effect})`),
      ...replacedText('title', title),
      ...replacedText('description', description),
      ...replacedText('annotations', annotations),
      ...replacedText('_meta', meta),
    ]),
    ...replacedText('instructions', instructions),
  ].map(visible);
}

function replacedText(
  what: string,
  replaced: { readonly before?: unknown; readonly after?: unknown } | null,
): string[] {
  if (replaced === null) return [];
  return [`    ${what}`, `      - ${JSON.stringify(replaced.before)}`, `      + ${JSON.stringify(replaced.after)}`];
}

function changesText({ tools, prompts, instructions_changed: instructions, problems }: SeenCandidate): string {
  if (problems.length > 0) return `${problems.length} problems`;
  const parts = [
    ...tools.added.map((name) => `+${name}`),
    ...tools.removed.map((name) => `-${name}`),
    ...tools.changed.map((name) => `~${name}`),
    ...[...prompts.added, ...prompts.removed, ...prompts.changed].map((name) => `prompt ${name}`),
    ...(instructions ? ['instructions'] : []),
  ];
  return parts.length === 0 ? 'how it is reached' : parts.join(' ');
}
