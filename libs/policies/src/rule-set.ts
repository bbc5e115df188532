import { compileExpression, type CompiledExpression, type FaultyExpression } from './compile-rule.js';
import { isUnknown, UnknownFact } from './unknown.js';
import type { RequestFacts, Rule, RuleScope, ToolCallFacts, Verdict } from './rule.js';

/** Looks at bytes that asking all rules about one call may come to: some 20 ms. */
const LOOKS_MAX = 20_000_000;
/** What names, addresses and groups come to beside the arguments. */
const SURROUNDINGS_BYTES = 2_000;
const SURROUNDINGS_ENTRIES = 100;

interface SetRule extends Rule {
  readonly compiled: CompiledExpression | FaultyExpression;
}

/** How large the arguments of a call are. */
interface Size {
  readonly bytes: number;
  readonly entries: number;
}

/** A tenant's rules in their order, compiled once. */
export class RuleSet {
  readonly #toolCalls: readonly SetRule[];
  readonly #requests: readonly SetRule[];
  /** Whether a rule asks for what is known of a person only at the database. */
  readonly asksForMembership: boolean;

  constructor(rules: readonly Rule[]) {
    const compiled = rules.map((rule) => ({ ...rule, compiled: compileExpression(rule.expression, rule.scope) }));
    this.#toolCalls = compiled.filter(({ scope }) => scope === 'tool_calls');
    this.#requests = compiled.filter(({ scope }) => scope === 'requests');
    this.asksForMembership = compiled.some(
      (rule) => rule.compiled.kind === 'compiled' && rule.compiled.names.has('principal'),
    );
  }

  /** Whether any rule is asked about this. */
  has(scope: RuleScope): boolean {
    return (scope === 'requests' ? this.#requests : this.#toolCalls).length > 0;
  }

  /** What becomes of a request, by the rules that are asked about every one. */
  judgeRequest(facts: RequestFacts): Verdict {
    return judge(this.#requests, facts, { bytes: 0, entries: 0 });
  }

  /** What becomes of a call of a tool. @throws UnknownFact where that depends on what is not known of it */
  judgeToolCall(facts: ToolCallFacts): Verdict {
    const { server } = facts.tool;
    const asked = this.#toolCalls.filter(({ servers }) => servers.length === 0 || servers.includes(server));
    if (asked.length === 0) return { kind: 'allow', rule: undefined };
    const reads = asked.some(({ compiled }) => compiled.kind === 'compiled' && compiled.names.has('arguments'));
    return judge(asked, facts, reads ? sizeOf(facts.arguments) : { bytes: 0, entries: 0 });
  }
}

/** The first rule that is true decides; one that cannot be asked refuses. */
function judge(rules: readonly SetRule[], facts: RequestFacts | ToolCallFacts, size: Size): Verdict {
  let looks = 0;
  for (const { name, effect, message, compiled } of rules) {
    if (compiled.kind === 'faulty') return { kind: 'error', rule: name, why: compiled.message };
    looks += looksOf(compiled, size);
    if (looks > LOOKS_MAX) return { kind: 'error', rule: name, why: 'the arguments are too large for the rules' };
    const answer = ask(compiled, facts);
    if (typeof answer === 'string') return { kind: 'error', rule: name, why: answer };
    if (answer) return effect === 'allow' ? { kind: 'allow', rule: name } : { kind: effect, rule: name, message };
  }
  return { kind: 'allow', rule: undefined };
}

function looksOf({ outside, inside }: CompiledExpression, { bytes, entries }: Size): number {
  return (outside + inside * (entries + SURROUNDINGS_ENTRIES)) * (bytes + SURROUNDINGS_BYTES);
}

/** Whether it is true, or why that cannot be said. The library's sentence would repeat what the caller sent. */
function ask({ ask: evaluate }: CompiledExpression, facts: RequestFacts | ToolCallFacts): boolean | string {
  try {
    const answer: unknown = evaluate({ ...facts });
    return typeof answer === 'boolean' ? answer : 'it is neither true nor false of this call';
  } catch (error) {
    if (error instanceof UnknownFact) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    return `it could not be answered (${code})`;
  }
}

/** Bytes of all texts, and entries of the longest list, in what is nested as deeply as a message may be. */
function sizeOf(value: unknown): Size {
  if (typeof value === 'string') return { bytes: value.length, entries: 0 };
  if (isUnknown(value)) return { bytes: 0, entries: 0 };
  if (typeof value !== 'object' || value === null) return { bytes: 8, entries: 0 };
  const members = Object.entries(value);
  let bytes = 0;
  let entries = members.length;
  for (const [name, member] of members) {
    const size = sizeOf(member);
    bytes += size.bytes + name.length;
    entries = Math.max(entries, size.entries);
  }
  return { bytes, entries };
}
