import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { answerPlace, LastAnswers } from './last-answers.js';

const key = randomBytes(32).toString('base64');
const answer = (body: string | Buffer) => ({ status: 200, headers: { 'x-one': '1' }, body: Buffer.from(body) });

describe('LastAnswers', () => {
  it('gives back what was kept, and its age', () => {
    const answers = new LastAnswers();
    const place = answerPlace('tenant', key, ['tool']);
    answers.keep(place, answer('first'), 1_000);
    answers.keep(place, answer('second'), 2_000);
    expect(answers.find(place, 5_000, 4_000)).toEqual({ answer: answer('second'), ageMs: 2_000 });
  });

  it('gives back nothing that is too old', () => {
    const answers = new LastAnswers();
    const place = answerPlace('tenant', key, ['tool']);
    answers.keep(place, answer('old'), 0);
    expect(answers.find(place, 1_000, 1_000)).toBeDefined();
    expect(answers.find(place, 1_000, 1_001)).toBeUndefined();
  });

  it('finds nothing of another tenant, under another key or for another request', () => {
    const answers = new LastAnswers();
    answers.keep(answerPlace('tenant', key, ['tool']), answer('private'), 0);
    const others = [
      answerPlace('twin', key, ['tool']),
      answerPlace('tenant', randomBytes(32).toString('base64'), ['tool']),
      answerPlace('tenant', key, ['other']),
      { ...answerPlace('tenant', key, ['tool']), tenantId: 'twin' },
    ];
    expect(others.map((place) => answers.find(place, 1_000, 0))).toEqual(others.map(() => undefined));
  });

  it('cannot be opened with a key that is not its tenant’s', () => {
    const answers = new LastAnswers();
    const place = answerPlace('tenant', key, ['tool']);
    answers.keep(place, answer('private'), 0);
    expect(() => answers.find({ ...place, key: randomBytes(32) }, 1_000, 0)).toThrow(/authenticate/);
  });

  it('keeps no answer that is too large, and no more of a tenant than its share', () => {
    const answers = new LastAnswers({ answer: 1_000, tenant: 4_000, total: 10_000 });
    const place = (tenantId: string, name: number) => answerPlace(tenantId, key, [name]);
    answers.keep(place('tenant', 0), answer(Buffer.alloc(1_001)), 0);
    expect(answers.find(place('tenant', 0), 1_000, 0)).toBeUndefined();
    answers.keep(place('twin', 0), answer(Buffer.alloc(500)), 0);
    for (let name = 1; name <= 20; name += 1) answers.keep(place('tenant', name), answer(Buffer.alloc(500)), 0);
    const kept = Array.from({ length: 20 }, (_, name) => answers.find(place('tenant', name + 1), 1_000, 0));
    expect(kept.map((found) => found !== undefined)).toEqual([...Array(17).fill(false), true, true, true]);
    expect(answers.find(place('twin', 0), 1_000, 0)).toBeDefined();
  });

  it('keeps no more in all than its bounds, the answers used last', () => {
    const answers = new LastAnswers({ answer: 1_000, tenant: 4_000, total: 4_000 });
    const places = Array.from({ length: 10 }, (_, index) => answerPlace(`tenant ${index}`, key, []));
    for (const place of places) answers.keep(place, answer(Buffer.alloc(500)), 0);
    expect(places.map((place) => answers.find(place, 1_000, 0) !== undefined)).toEqual([
      ...Array(7).fill(false),
      true,
      true,
      true,
    ]);
  });

  it('forgets a tenant', () => {
    const answers = new LastAnswers();
    const [own, other] = [answerPlace('tenant', key, []), answerPlace('twin', key, [])];
    answers.keep(own, answer('own'), 0);
    answers.keep(other, answer('other'), 0);
    answers.forget('tenant');
    expect(answers.find(own, 1_000, 0)).toBeUndefined();
    expect(answers.find(other, 1_000, 0)).toBeDefined();
  });
});
