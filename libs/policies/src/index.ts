export { compileExpression, type CompiledExpression, type FaultyExpression } from './compile-rule.js';
export { EXPRESSION_LENGTH_MAX } from './language.js';
export {
  EFFECTS,
  RULE_SCOPES,
  type Effect,
  type RequestFacts,
  type Rule,
  type RuleScope,
  type ToolCallFacts,
  type ToolFacts,
  type Verdict,
} from './rule.js';
export { RuleSet } from './rule-set.js';
export { isDestructive, toolFacts, type HintedTool } from './tool-facts.js';
export { UnknownFact, unknownMap } from './unknown.js';
