import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { EXPRESSION_LENGTH_MAX, languageOf, LINEAR_MATCHES } from './language.js';
import type { RuleScope } from './rule.js';
import { surveyRule, type RuleFault, type Survey } from './survey.js';

/** A rule's expression, ready to be asked. */
export interface CompiledExpression {
  readonly kind: 'compiled';
  /** What it is true of. @throws whatever goes wrong, for which the rule counts as failed */
  readonly ask: ParseResult;
  /** Which variables it names. */
  readonly names: ReadonlySet<string>;
  /** Looks at every byte that it is asked about, outside of loops and in each round of one. */
  readonly outside: number;
  readonly inside: number;
}

/** An expression that cannot be asked, and where. */
export interface FaultyExpression extends RuleFault {
  readonly kind: 'faulty';
}

const SYNTAX = new Environment({ limits: { maxAstNodes: 200, maxDepth: 24 } });

/**
 * Reads and checks a rule's expression. What it may be is bounded here, so that asking it is: no loop in a loop, no function
 * that makes long texts of short ones, patterns of linear time only.
 */
export function compileExpression(expression: string, scope: RuleScope): CompiledExpression | FaultyExpression {
  if (expression.length > EXPRESSION_LENGTH_MAX) {
    return faulty({ message: `A rule has at most ${EXPRESSION_LENGTH_MAX} characters.`, at: EXPRESSION_LENGTH_MAX });
  }
  try {
    const { fault, ...literals } = surveyRule(SYNTAX.parse(expression).ast);
    if (fault !== undefined) return faulty(fault);
    return checked(expression, scope, literals);
  } catch (error) {
    return faulty(faultOf(error));
  }
}

function checked(
  expression: string,
  scope: RuleScope,
  literals: Omit<Survey, 'fault'>,
): CompiledExpression | FaultyExpression {
  const ask = languageOf(scope, literals).parse(expression);
  surveyRule(ask.ast);
  const { valid, type, error } = ask.check();
  if (!valid) return faulty(faultOf(error));
  if (type !== 'bool')
    return faulty({ message: `This is of type ${type}. Write what is true or false of a call.`, at: 0 });
  const { names, outside, inside } = literals;
  return { kind: 'compiled', ask, names, outside, inside };
}

function faulty(fault: RuleFault): FaultyExpression {
  return { kind: 'faulty', ...fault };
}

/** The library says where, and its sentence names nothing but the rule's own text. */
function faultOf(error: unknown): RuleFault {
  if (!(error instanceof Error)) return { message: 'This cannot be read.', at: 0 };
  const { summary, range } = error as Error & { summary?: string; range?: { start: number } }; // its errors have both
  return { message: (summary ?? error.message).replaceAll(LINEAR_MATCHES, 'matches'), at: range?.start ?? 0 };
}
