import { describe, expect, test } from '@jest/globals';
import type { ToolDefinition } from '#libs/protocol';
import { NEXT_PAGE_META, withNextPage } from './next-page.js';

const TOOL: ToolDefinition = {
  name: 'list',
  description: '',
  inputSchema: { type: 'object', properties: { page: { type: 'integer' }, q: { type: 'string' } } },
  http: {
    method: 'GET',
    urlTemplate: 'https://api.example.com/things?v=1',
    placements: [
      { argument: 'page', in: 'query', name: 'page' },
      { argument: 'q', in: 'query', name: 'q' },
    ],
    headers: {},
    credentials: [],
    timeoutMs: 5_000,
  },
};

function next(link: string, given: Record<string, unknown> = { q: 'a b' }) {
  const result = withNextPage({ content: [] }, { headers: { link } }, TOOL, given);
  const [said] = result.content;
  return { meta: result._meta?.[NEXT_PAGE_META], text: said?.type === 'text' ? said.text : undefined };
}

describe('an answer that names its next page', () => {
  test('says with which arguments it comes, as their schema has them', () => {
    const link =
      '<https://api.example.com/things?v=1&q=a+b&page=1>; rel="first", </things?v=1&q=a%20b&page=3>; rel="next"';
    expect(next(link).meta).toEqual({ arguments: { page: 3 } });
    expect(next(link).text).toContain('call again with {"page":3}');
  });

  test.each([
    ['another origin', '<https://evil.example/things?v=1&page=3>; rel="next"'],
    ['something that is no argument', '<https://api.example.com/things?v=1&page=3&key=x>; rel="next"'],
    ['no other page', '<https://api.example.com/things?v=1&q=a+b>; rel="next"'],
    ['another relation', '<https://api.example.com/things?v=1&page=3>; rel="prev"'],
    ['no URL', '<::>; rel="next"'],
  ])('says nothing where that is %s', (_, link) => {
    expect(next(link)).toEqual({ meta: undefined, text: undefined });
  });
});
