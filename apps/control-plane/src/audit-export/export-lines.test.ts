import { expect, test } from '@jest/globals';
import { ocsfEvent, type ShownRecord } from '#libs/audit';
import { CSV_HEAD, csvLine } from './export-lines.js';

const CALL: ShownRecord = {
  id: '0190b6f0-0000-7000-8000-000000000001',
  leaf_index: 7,
  at: '2026-07-01T00:00:00.000Z',
  event: 'call.completed',
  actor: { kind: 'person', id: 'p-1', client: 'c-1' },
  target: 'server:s-1',
  outcome: 'tool_error',
  details: {
    method: 'tools/call',
    name: '=HYPERLINK("x")',
    server: 'shop',
    era: 'modern',
    http_status: 200,
    duration_ms: 12.4,
    bytes_in: 90,
    bytes_out: 120,
  },
  source_address: '203.0.113.9',
  trace_id: null,
  personal: 'shown',
};

test('a call’s line of CSV has a column for each detail that its head names, and no formula', () => {
  const head = CSV_HEAD.trim().split(',');
  const line = csvLine({ leafIndex: 7, leafHash: '', record: {} as never, shown: CALL }).trimEnd();
  expect(line).toContain(`shop,tools/call,"'=HYPERLINK(""x"")",modern,200,,,12.4,,,,90,120,,"{`);
  expect(head.slice(-1)).toEqual(['details']);
  expect(head).toHaveLength(26);
});

test('a call is an API Activity of OCSF 1.3 with its own fields for endpoint, request and duration', () => {
  expect(ocsfEvent(7, CALL)).toMatchObject({
    class_uid: 6003,
    type_uid: 600399,
    status_code: '200',
    duration: 12,
    src_endpoint: { ip: '203.0.113.9' },
    http_request: { http_method: 'POST', length: 90 },
    api: { operation: 'tools/call', service: { name: 'shop', uid: 'server:s-1' }, response: { message: 'tool_error' } },
    actor: { user: { uid: 'p-1', type: 'person' }, app_uid: 'c-1' },
  });
  const refused = { ...CALL, event: 'call.refused', source_address: null, details: { rpc_code: -32_602 } };
  expect(ocsfEvent(8, refused)).toMatchObject({
    src_endpoint: { name: 'unknown' },
    api: { operation: 'call.refused', response: { code: -32_602, error: 'tool_error' } },
  });
});
