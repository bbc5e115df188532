import { expect, jest, test } from '@jest/globals';
import type { Envelope, RuntimeClient } from '#libs/protocol';
import type { PlacedCall } from '../sessions/place.js';
import type { CallSamples } from './call-samples.js';
import type { SampledCall } from './sampled-call.js';
import { isSameAnswer } from './same-answer.js';
import { ShadowCalls } from './shadow-calls.js';

const answer = (version: string, members: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      result: { ...members, _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version } } },
      id: 1,
    }),
  );
const text = (said: string) => ({ content: [{ type: 'text', text: said }] });

test('answers are the same whichever release gave them, and not when a tool said something else', () => {
  const resultType = 'complete';
  const one = answer('one', { ...text('x'), resultType });
  expect(isSameAnswer(one, answer('two', { resultType, ...text('x') }))).toBe(true);
  expect(isSameAnswer(one, answer('two', { resultType, ...text('y') }))).toBe(false);
  expect(isSameAnswer(one, Buffer.alloc(0))).toBe(false);
  expect(isSameAnswer(one, Buffer.from('{"id":1,"error":{"code":-32602,"message":"no"}}'))).toBe(false);
});

test('a shadow is asked at a URL without the servers that are closed to the caller, and its answer compared', () => {
  const samples = { add: jest.fn<CallSamples['add']>() };
  const asked: Envelope[] = [];
  const answers: unknown[] = [];
  const onAsk = (): Promise<Buffer> => Promise.resolve(Buffer.alloc(0));
  const runtime = {
    call(envelope: Envelope, _: Buffer, heard: Parameters<RuntimeClient['call']>[2]) {
      asked.push(envelope);
      answers.push(heard.onAsk);
      heard.onDone(answer('two', text('x')), 'ok', 1, undefined as never);
      return () => undefined;
    },
  };
  const mounts = ['shop', 'payroll'].map((serverSlug) => ({ serverSlug, releaseId: 'two', digest: 'd', prefix: '' }));
  const routes = { withCandidate: () => ({ tenantId: 't', mounts, key: 'whole' }) };
  const call = {
    tenant: { tenantId: 't', flags: { shadow_calls: true } },
    session: { kind: 'none' },
    closedServers: new Set(['payroll']),
    exchange: { payload: Buffer.alloc(0) },
  } as unknown as PlacedCall;
  const rollout = { candidateId: 'two', shadowPercent: 100, readOnlyTools: ['echo'] };
  const sampled = { rollout, mount: mounts[0], tool: 'echo' } as unknown as SampledCall;
  const envelope = { route: { key: 'stable' }, deadlineMs: Date.now() + 1_000 } as unknown as Envelope;
  const stable = { kind: 'done', message: answer('one', text('x')), outcome: 'ok', upstreamMs: 1 } as const;
  const shadows = new ShadowCalls({
    runtime: runtime as unknown as RuntimeClient,
    routes,
    samples: samples as unknown as CallSamples,
    documents: { openReading: (reading) => (reading === call ? { onAsk } : {}) },
  });
  const without = { ...call, tenant: { ...call.tenant, flags: { ...call.tenant.flags, shadow_calls: false } } };
  shadows.follow(without, envelope, sampled, stable);
  expect(asked).toEqual([]);
  shadows.follow(call, envelope, sampled, stable);
  expect(asked.map(({ route }) => route.mounts.map(({ serverSlug }) => serverSlug))).toEqual([['shop']]);
  expect(answers).toEqual([onAsk]); // its principal's, who reads and no more
  expect(samples.add.mock.calls.map((given) => given.at(-1))).toEqual(['same']);
});
