import { expect, test } from '@jest/globals';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import type { ProtocolHeaders } from './modern-headers.js';
import { SdkVerdicts } from './sdk-verdicts.js';

const VERSION = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const HEADERS: readonly ProtocolHeaders[] = [
  {},
  { version: '2025-11-25' },
  { version: VERSION },
  { version: VERSION, method: 'tools/call', name: 'echo' },
  { version: VERSION, method: 'tools/list' },
  { version: '2099-01-01', method: 'tools/call' },
];

const PARAMS: readonly unknown[] = [
  undefined,
  {},
  { name: 'echo', arguments: { text: 'x' } },
  { _meta: META },
  { name: 'echo', _meta: META },
  { name: 'other', _meta: { ...META, 'example.com/more': 1 } },
  { _meta: { ...META, progressToken: 1 } },
  { _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' } },
  { _meta: { ...META, 'io.modelcontextprotocol/clientInfo': 7 } },
  { _meta: 'text' },
  { _meta: null },
  { _meta: [] },
  [],
  'text',
  null,
];

const MESSAGES: readonly object[] = [
  { jsonrpc: '2.0', id: 1, method: 'tools/call' },
  { jsonrpc: '2.0', id: 'a', method: 'tools/list' },
  { jsonrpc: '2.0', id: 2, method: 'initialize' },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: null, method: 'ping' },
  { jsonrpc: '2.0', id: 1.5, method: 'ping' },
  { jsonrpc: '1.0', id: 1, method: 'ping' },
  { jsonrpc: '2.0', id: 1, method: 'ping', extra: true },
  { jsonrpc: '2.0', id: 1, method: 7 },
  { jsonrpc: '2.0', id: 1, result: {} },
];

function sdkOn({ version, method, name }: ProtocolHeaders, body: unknown): unknown {
  return classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body,
  });
}

const bodies = MESSAGES.flatMap((message) =>
  PARAMS.map((params) => (params === undefined ? message : { ...message, params })),
);

test('judges every message as the SDK does, also when others like it came before', () => {
  const verdicts = new SdkVerdicts();
  for (const _ of ['first', 'again']) {
    for (const headers of HEADERS)
      for (const body of [...bodies, [], 'text', null])
        expect(verdicts.judge(headers, body)).toEqual(sdkOn(headers, body));
  }
});

test('a verdict is about the message at hand and not the one it was learned from', () => {
  const verdicts = new SdkVerdicts();
  const headers = { version: VERSION, method: 'tools/call' };
  const [first, second] = [1, 2].map((id) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: `t${id}`, _meta: META },
  }));
  verdicts.judge(headers, first);
  expect(verdicts.judge(headers, second)).toMatchObject({ kind: 'modern', message: second });
});
