import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { FUNCTIONS, LINEAR_MATCHES, LOOPS, type Literals } from './language.js';
import { readNetwork } from './networks.js';

const PATTERN_LENGTH_MAX = 300;

/** Something in a rule that cannot be asked; `at` is the character of the expression it is at, from 0. */
export interface RuleFault {
  readonly message: string;
  readonly at: number;
}

/** What asking a rule comes to at most: each unit is one look at every byte of what it is asked about. */
export interface Survey extends Literals {
  /** Outside of loops, and in each round of a loop. */
  outside: number;
  inside: number;
  /** Which variables it names. */
  readonly names: Set<string>;
  fault: RuleFault | undefined;
}

/** Goes through a rule once, before it is checked: what it calls, what its literals mean, and what it costs. */
export function surveyRule(ast: ASTNode): Survey {
  const survey: Survey = {
    patterns: new Map(),
    networks: new Map(),
    names: new Set(),
    outside: 0,
    inside: 0,
    fault: undefined,
  };
  visit(ast, survey, 'outside');
  return survey;
}

type Place = 'outside' | 'inside';

function visit(node: ASTNode, survey: Survey, place: Place): void {
  survey[place] += 1;
  if (node.op === 'id') survey.names.add(node.args);
  if (node.op === 'call') visitCall(node, { name: node.args[0], given: node.args[1] }, survey, place);
  else if (node.op === 'rcall') visitMethod(node, survey, place);
  else for (const child of childrenOf(node)) visit(child, survey, place);
}

function visitMethod(node: Extract<ASTNode, { op: 'rcall' }>, survey: Survey, place: Place): void {
  const [name, receiver, given] = node.args;
  visit(receiver, survey, place);
  if (name === 'matches') {
    node.args[0] = LINEAR_MATCHES;
    return visitCall(node, { name: LINEAR_MATCHES, given }, survey, place);
  }
  if (!LOOPS.has(name)) return visitCall(node, { name, given }, survey, place);
  if (place === 'inside')
    note(survey, node, `${name} is within another loop. Write one loop after the other, or two rules.`);
  for (const child of given) visit(child, survey, 'inside');
}

function visitCall(
  node: ASTNode,
  { name, given }: { readonly name: string; readonly given: readonly ASTNode[] },
  survey: Survey,
  place: Place,
): void {
  if (!FUNCTIONS.has(name)) note(survey, node, `${name} is not a function that rules may call.`);
  if (name === LINEAR_MATCHES) readPattern(given[0], survey, place);
  if (name === 'inNetwork') readRange(given[1], survey);
  if (name.startsWith('get') && given[0] !== undefined) requireZone(given[0], survey);
  for (const child of given) visit(child, survey, place);
}

function readPattern(node: ASTNode | undefined, survey: Survey, place: Place): void {
  const text = literalOf(node);
  if (node === undefined) return;
  if (text === undefined) return note(survey, node, 'The pattern of matches is written in the rule: matches("^ab").');
  if (text.length > PATTERN_LENGTH_MAX) {
    return note(survey, node, `A pattern has at most ${PATTERN_LENGTH_MAX} characters.`);
  }
  try {
    const pattern = RE2JS.compile(text);
    survey[place] += pattern.programSize();
    survey.patterns.set(text, pattern);
  } catch {
    note(survey, node, 'This is not a regular expression of RE2, which has neither look-around nor back-references.');
  }
}

function readRange(node: ASTNode | undefined, survey: Survey): void {
  if (node === undefined) return;
  const text = literalOf(node);
  const network = text === undefined ? undefined : readNetwork(text);
  if (text === undefined || network === undefined) {
    return note(
      survey,
      node,
      'A network is written in the rule, in CIDR notation: inNetwork(source.address, "10.0.0.0/8").',
    );
  }
  survey.networks.set(text, network);
}

function requireZone(node: ASTNode, survey: Survey): void {
  const zone = literalOf(node);
  try {
    if (zone === undefined) throw new RangeError('not a literal');
    new Intl.DateTimeFormat('en', { timeZone: zone }).format();
  } catch {
    note(survey, node, 'A time zone is written in the rule by its IANA name: now.getHours("Europe/Berlin").');
  }
}

function literalOf(node: ASTNode | undefined): string | undefined {
  return node?.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
}

/** The first fault is the one to correct. */
function note(survey: Survey, node: ASTNode, message: string): void {
  survey.fault ??= { message, at: node.start };
}

/** The nodes below one that calls nothing. */
function childrenOf({ args }: ASTNode): ASTNode[] {
  return [args].flat(2).filter(isNode);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
