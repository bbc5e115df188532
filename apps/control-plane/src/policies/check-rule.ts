import { AppError, type Problem } from '#libs/errors';
import { compileExpression, type Effect, type RuleScope } from '#libs/policies';

/** What of a rule may be wrong beyond its shape. */
export interface CheckedRule {
  readonly scope: RuleScope;
  readonly effect: Effect;
  readonly expression: string;
  readonly servers: readonly string[];
}

/** @throws AppError `unprocessable` with every place to correct */
export function requireRule(rule: CheckedRule, unknownServers: readonly string[]): void {
  const problems = [...expressionProblems(rule), ...scopeProblems(rule), ...serverProblems(rule, unknownServers)];
  if (problems.length > 0) throw new AppError('unprocessable', { problems });
}

function expressionProblems({ expression, scope }: CheckedRule): Problem[] {
  const compiled = compileExpression(expression, scope);
  if (compiled.kind === 'compiled') return [];
  return [{ pointer: '/expression', message: `At character ${compiled.at + 1}: ${compiled.message}` }];
}

/** A request names no server before its tool is known, and only calls of tools can wait. */
function scopeProblems({ scope, effect, servers }: CheckedRule): Problem[] {
  if (scope === 'tool_calls') return [];
  const problems: Problem[] = [];
  if (effect === 'require_approval')
    problems.push({
      pointer: '/effect',
      message: 'Only calls of tools can wait for approval. Use the scope tool_calls.',
    });
  if (servers.length > 0)
    problems.push({ pointer: '/servers', message: 'A rule on every request is for all servers. Leave this empty.' });
  return problems;
}

function serverProblems({ servers }: CheckedRule, unknown: readonly string[]): Problem[] {
  return unknown.map((slug) => ({
    pointer: `/servers/${servers.indexOf(slug)}`,
    message: 'There is no server of this slug. Create it first.',
  }));
}
