import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { codeOf, newOperator, type TestOperator } from '../testing/operators.fixture.js';

/** Somebody guesses at an operator's account from some networks, while the operator signs in from others. */
let api: ControlPlane;
let owner: Client;
const [ATTACKER, OFFICE, HOTEL] = ['203.0.113.7', '198.51.100.1', '192.0.2.44'];

beforeAll(async () => {
  api = await startControlPlane({ environment: { WHARF_TRUST_PROXY: 'true' } });
  owner = await api.connectOwner();
});

afterAll(() => api.stop());

const signIn = async (from: string, { email, password }: Pick<TestOperator, 'email' | 'password'>, code: string) =>
  (
    await api.send('POST', '/admin/v1/sign-in', {
      headers: { 'x-forwarded-for': from },
      body: { email, password, code },
    })
  ).status;
/** What failed at an account by now, of networks that the operator never signed in from. */
const fail = (operator: TestOperator, wrong: string, times: number) =>
  owner.query(
    `insert into operator_attempts (id, operator_id, network, known, wrong)
     select gen_random_uuid(), $1, '10.0.0.' || n, false, $2 from generate_series(1, $3::integer) n`,
    [operator.id, wrong, times],
  );
const failuresOf = async ({ id }: TestOperator): Promise<string[]> =>
  (
    await owner.query<{ wrong: string }>(
      `select details ->> 'wrong' as wrong from operator_actions
       where operator_id = $1 and action = 'operators.sign_in_failed' order by 1`,
      [id],
    )
  ).rows.map(({ wrong }) => wrong);

test('whoever guesses is locked out, many guesses at once too, and the operator comes in from elsewhere', async () => {
  const operator = await newOperator(api, 'operator');
  const guesses = Array.from({ length: 12 }, () => signIn(ATTACKER, { ...operator, password: 'a guess' }, '000000'));
  expect(new Set(await Promise.all(guesses))).toEqual(new Set([401]));
  expect(await failuresOf(operator)).toEqual(['locked', ...Array<string>(5).fill('password')]);
  expect(await signIn(ATTACKER, operator, codeOf(operator.totp))).toBe(401);
  expect(await signIn(OFFICE, operator, codeOf(operator.totp))).toBe(201);
});

test('when very many have failed, new networks are refused, and one that the operator has signed in from is not', async () => {
  const operator = await newOperator(api, 'operator');
  expect(await signIn(OFFICE, operator, codeOf(operator.totp))).toBe(201);
  await fail(operator, 'password', 600);
  expect(await signIn(HOTEL, operator, codeOf(operator.totp, 1))).toBe(401);
  expect(await signIn(OFFICE, operator, codeOf(operator.totp, 1))).toBe(201);
});

test('who has the password tries ten codes a day from new networks, and the operator comes in from where they did', async () => {
  const operator = await newOperator(api, 'operator');
  expect(await signIn(OFFICE, operator, codeOf(operator.totp))).toBe(201);
  await fail(operator, 'code', 9);
  expect(await signIn(HOTEL, operator, '000000')).toBe(401);
  expect(await signIn(HOTEL, operator, codeOf(operator.totp, 1))).toBe(401);
  expect(await failuresOf(operator)).toEqual(['code', 'codes_used_up']);
  expect(await signIn(OFFICE, operator, codeOf(operator.totp, 1))).toBe(201);
});
