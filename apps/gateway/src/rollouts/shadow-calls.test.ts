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
/** Lets promises that are settled go on. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isSo(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
const text = (said: string) => ({ content: [{ type: 'text', text: said }] });

test('answers are the same whichever release gave them, and not when a tool said something else', () => {
  const resultType = 'complete';
  const one = answer('one', { ...text('x'), resultType });
  expect(isSameAnswer(one, answer('two', { resultType, ...text('x') }))).toBe(true);
  expect(isSameAnswer(one, answer('two', { resultType, ...text('y') }))).toBe(false);
  expect(isSameAnswer(one, Buffer.alloc(0))).toBe(false);
  expect(isSameAnswer(one, Buffer.from('{"id":1,"error":{"code":-32602,"message":"no"}}'))).toBe(false);
});

test('a shadow is asked at a URL without the servers that are closed to the caller, and its answer compared', async () => {
  const samples = { add: jest.fn<CallSamples['add']>() };
  const asked: Envelope[] = [];
  const runtime = {
    call(envelope: Envelope, _: Buffer, heard: Parameters<RuntimeClient['call']>[2]) {
      asked.push(envelope);
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
  const shadows = new ShadowCalls(runtime as unknown as RuntimeClient, routes, samples as unknown as CallSamples);
  const without = { ...call, tenant: { ...call.tenant, flags: { ...call.tenant.flags, shadow_calls: false } } };
  shadows.follow(without, envelope, sampled, stable);
  expect(asked).toEqual([]);
  shadows.follow(call, envelope, sampled, stable);
  await until(() => samples.add.mock.calls.length > 0);
  expect(asked.map(({ route }) => route.mounts.map(({ serverSlug }) => serverSlug))).toEqual([['shop']]);
  expect(samples.add.mock.calls.map((given) => given.at(-1))).toEqual(['same']);
});

/** Calls of a session to a candidate, with what is asked of a runtime that answers so. */
function sessionCalls(shadowsSessions: boolean, answers: Readonly<Record<string, Buffer>>) {
  const samples = { add: jest.fn<CallSamples['add']>() };
  const asked: string[] = [];
  const sessions = new Set<string | undefined>();
  const runtime = {
    call({ operation, sessionId }: Envelope, payload: Buffer, heard: Parameters<RuntimeClient['call']>[2]) {
      const method = operation === 'close' ? 'close' : JSON.parse(payload.toString()).method;
      asked.push(method);
      sessions.add(sessionId);
      const said = answers[method];
      if (said === undefined) heard.onFail({ code: 'session_not_found' }, 'refused', false, undefined as never);
      else heard.onDone(said, 'ok', 1, undefined as never);
      return () => undefined;
    },
  };
  const mounts = [{ serverSlug: 'shop', releaseId: 'two', digest: 'd', prefix: '' }];
  const routes = { withCandidate: () => ({ tenantId: 't', mounts, key: 'whole' }) };
  const call = {
    tenant: { tenantId: 't', flags: { shadow_calls: true } },
    session: { kind: 'uses', id: 'own' },
    closedServers: new Set(),
    exchange: { payload: Buffer.from('{"method":"tools/call"}') },
  } as unknown as PlacedCall;
  const rollout = { candidateId: 'two', shadowPercent: 100, readOnlyTools: ['echo'], shadowsSessions };
  const envelope = { route: { key: 'stable' }, sessionId: 'own', operation: 'message', deadlineMs: Date.now() + 1_000 };
  const shadows = new ShadowCalls(runtime as unknown as RuntimeClient, routes, samples as unknown as CallSamples);
  shadows.follow(
    call,
    envelope as unknown as Envelope,
    { rollout, mount: mounts[0], tool: 'echo' } as unknown as SampledCall,
    { kind: 'done', message: answer('one', text('x')), outcome: 'ok', upstreamMs: 1 },
  );
  return { samples, asked, sessions };
}

test('a call of a session is asked in a session of the shadow’s own, which is closed after it', async () => {
  const answers = { initialize: Buffer.from('{}'), 'tools/call': answer('two', text('x')), close: Buffer.alloc(0) };
  const { samples, asked, sessions } = sessionCalls(true, answers);
  await until(() => samples.add.mock.calls.length > 0);
  expect(asked).toEqual(['initialize', 'tools/call', 'close']);
  expect([sessions.size, sessions.has('own')]).toEqual([1, false]);
  expect(samples.add.mock.calls.map((given) => given.at(-1))).toEqual(['same']);
});

test('a call of a session that a release may remember is not asked, and a session that is lost is no sample', async () => {
  const remembering = sessionCalls(false, {});
  const lost = sessionCalls(true, { initialize: Buffer.from('{}'), close: Buffer.alloc(0) });
  await until(() => lost.asked.includes('close'));
  expect([remembering.asked, lost.asked]).toEqual([[], ['initialize', 'tools/call', 'close']]);
  expect(lost.samples.add).not.toHaveBeenCalled();
});
