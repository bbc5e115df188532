import { Environment } from '@marcbachmann/cel-js';
import type { RE2JS } from 're2js';
import { liesIn, type readNetwork } from './networks.js';
import type { RuleScope } from './rule.js';

/** How large a rule may be. */
export const EXPRESSION_LENGTH_MAX = 2_000;
const LIMITS = { maxAstNodes: 200, maxDepth: 24, maxListElements: 100, maxMapEntries: 20, maxCallArguments: 4 };

/** What `matches` is called within, since the library's own goes back over what it has read. */
export const LINEAR_MATCHES = 'matchesLinearly';

/** What the literals of one rule come to, read once. */
export interface Literals {
  readonly patterns: Map<string, RE2JS>;
  readonly networks: Map<string, NonNullable<ReturnType<typeof readNetwork>>>;
}

/** What of CEL's standard library rules may call: nothing that makes large values out of small ones. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  [
    'size has all exists exists_one filter map dyn type',
    `contains startsWith endsWith ${LINEAR_MATCHES} lowerAscii upperAscii trim inNetwork`,
    'int uint double string bool timestamp duration',
    'getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear',
    'getHours getMinutes getSeconds getMilliseconds',
  ].flatMap((names) => names.split(' ')),
);

/** The macros that go through a list. */
export const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** The language of a rule, with its own literals. */
export function languageOf(scope: RuleScope, { patterns, networks }: Literals): Environment {
  const language = new Environment({ limits: LIMITS })
    .registerVariable({
      name: 'principal',
      schema: { kind: 'string', id: 'string', role: 'string', groups: 'list<string>', scopes: 'list<string>' },
    })
    .registerVariable({ name: 'client', schema: { id: 'string' } })
    .registerVariable({ name: 'source', schema: { address: 'string' } })
    .registerVariable('now', 'google.protobuf.Timestamp')
    .registerVariable('region', 'string')
    .registerFunction(`string.${LINEAR_MATCHES}(string): bool`, (text: string, pattern: string) => {
      const compiled = patterns.get(pattern);
      if (compiled === undefined) throw new TypeError('a pattern that was not written in the rule');
      return compiled.matcher(text).find();
    })
    .registerFunction('inNetwork(string, string): bool', (address: string, network: string) => {
      const range = networks.get(network);
      if (range === undefined) throw new TypeError('a network that was not written in the rule');
      return liesIn(address, range);
    });
  if (scope === 'requests') return language;
  return language
    .registerVariable({
      name: 'tool',
      schema: {
        name: 'string',
        server: 'string',
        access: 'string',
        destructive: 'bool',
        annotations: 'map<string, dyn>',
      },
    })
    .registerVariable('arguments', 'map<string, dyn>');
}
