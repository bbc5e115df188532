import type { Attempt } from './attempts.js';

const MEANING = {
  challenge: 'asked to sign in (401)',
  resource_metadata: 'read who signs people in (protected-resource metadata)',
  server_metadata: 'read how to sign in (authorization-server metadata)',
  registration: 'registered itself',
  authorize: 'opened the sign-in page',
  login: 'somebody signed in',
  consent: 'the person allowed it',
  token: 'fetched its token',
  connect: 'connected (initialize or discover)',
  list: 'listed the tools',
} as const;

/** One page of plain text about attempts to connect, for whoever supports an agent. */
export function reportOf(serverSlug: string, attempts: readonly Attempt[]): string {
  const head = `Attempts to connect to ${serverSlug} within 24 hours, newest first: ${attempts.length}\n`;
  return [head, ...attempts.map(paragraphOf)].join('\n');
}

function paragraphOf(attempt: Attempt): string {
  const { agent, client, url, state, stopped_at: stop, started_at: started, last_at: last } = attempt;
  const lines = [
    `${state.toUpperCase()}  ${agent}${client === null ? '' : ` (${client})`}`,
    `  ${url}`,
    `  from ${started} to ${last}`,
    ...attempt.steps.map(({ step, rule, first_at: at, times }) => {
      const repeated = times === 1 ? '' : `, ${times} times`;
      return `  ${rule === null ? 'ok ' : 'NO '} ${at}  ${MEANING[step]}${rule === null ? '' : `: ${rule}`}${repeated}`;
    }),
    ...(stop === null ? [] : [`  What to do: ${stop.advice}`]),
  ];
  return `${lines.join('\n')}\n`;
}
