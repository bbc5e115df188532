import { parser } from '@grafana/lezer-traceql';
import type { ReceivedSpan } from '#libs/testing';

const KINDS: Readonly<Record<string, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const CONDITION = /^(kind|status|name|span\.[a-z0-9_.]+|resource\.service\.name)\s*(=|!=)\s*(?:"([^"]*)"|([a-z]+))$/;

/**
 * The spans that a TraceQL query finds (grafana.com/docs/tempo, "Construct a TraceQL query"): a trace's id, or one span
 * set of comparisons that are all true. There is no Tempo that a test could run: Grafana's own grammar says whether the
 * query is one, and this works out as much of the language as our dashboards use, and throws for anything else.
 */
export function foundBy(query: string, spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  if (/^[0-9a-f]{32}$/.test(query)) return spans.filter(({ traceId }) => traceId === query);
  assertTraceQl(query);
  const inside = /^\{(.+)\}$/s.exec(query.trim())?.[1];
  if (inside === undefined) throw new Error(`not a span set: ${query}`);
  const conditions = inside.split('&&').map((condition) => comparison(condition.trim()));
  return spans.filter((span) => conditions.every((holds) => holds(span)));
}

/** @throws Error where Grafana's editor would underline the query */
export function assertTraceQl(query: string): void {
  parser.parse(query).iterate({
    enter({ type, from }) {
      if (type.isError) throw new Error(`not TraceQL, from "${query.slice(from)}"`);
    },
  });
}

function comparison(condition: string): (span: ReceivedSpan) => boolean {
  const [, field = '', operator, text, word] = CONDITION.exec(condition) ?? [];
  if (operator === undefined) throw new Error(`not a comparison that this knows: ${condition}`);
  const isWanted = (value: string | number | undefined, wanted: string | number | undefined): boolean =>
    // What a span does not have is neither equal nor unequal to anything.
    value !== undefined && (value === wanted) === (operator === '=');
  if (field === 'kind') {
    const kind = KINDS[word ?? ''];
    if (kind === undefined) throw new Error(`no kind of span: ${condition}`);
    return (span) => isWanted(span.kind, kind);
  }
  if (field === 'status') {
    if (!['error', 'ok', 'unset'].includes(word ?? '')) throw new Error(`no status: ${condition}`);
    return (span) => isWanted(span.failed ? 'error' : 'unset', word);
  }
  if (text === undefined) throw new Error(`a text belongs in quotes: ${condition}`);
  if (field === 'name') return (span) => isWanted(span.name, text);
  if (field.startsWith('resource.')) return (span) => isWanted(span.service, text);
  return (span) => isWanted(span.attributes[field.slice('span.'.length)], text);
}
