import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { ControlPlane } from './control-plane.fixture.js';

const PASSWORD = 'correct horse battery';

/** An operator with an account, and what they sign in with. */
export interface TestOperator {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly totp: TOTP;
}

/** Invites an operator; the text of the invitation. */
export async function invite(api: ControlPlane, role: string): Promise<{ id: string; email: string; text: string }> {
  const email = `op-${randomBytes(5).toString('hex')}@example.com`;
  const body = { email, name: 'Otto', role, reason: 'joins the team' };
  const answer = await api.send('POST', '/admin/v1/operators', { key: api.operatorKey, body });
  if (answer.status !== 201) throw new Error(`invitation failed: ${answer.text}`);
  return { id: answer.body.operator.id, email, text: answer.body.invitation.text };
}

/** Takes an invitation as far as the app's first code. */
export async function beginEnrolment(api: ControlPlane, invitation: string): Promise<TOTP> {
  const answer = await api.send('POST', '/admin/v1/enrolments', { body: { invitation, password: PASSWORD } });
  if (answer.status !== 200) throw new Error(`enrolment failed: ${answer.text}`);
  return new TOTP({ secret: Secret.fromBase32(answer.body.totp.secret) });
}

/** A code of now, or of some steps aside. */
export function codeOf(totp: TOTP, steps = 0): string {
  return totp.generate({ timestamp: Date.now() + steps * 30_000 });
}

/** An operator who has enrolled; the code of the present step is still to be used. */
export async function newOperator(api: ControlPlane, role: string): Promise<TestOperator> {
  const { id, email, text } = await invite(api, role);
  const totp = await beginEnrolment(api, text);
  const body = { invitation: text, code: codeOf(totp, -1) };
  const answer = await api.send('POST', '/admin/v1/enrolments/confirmation', { body });
  if (answer.status !== 200) throw new Error(`confirmation failed: ${answer.text}`);
  return { id, email, password: PASSWORD, totp };
}

/** The token of a new session of a new operator. */
export async function newSession(api: ControlPlane, role: string): Promise<{ operator: TestOperator; token: string }> {
  const operator = await newOperator(api, role);
  const { email, password, totp } = operator;
  const answer = await api.send('POST', '/admin/v1/sign-in', { body: { email, password, code: codeOf(totp, 0) } });
  if (answer.status !== 201) throw new Error(`sign-in failed: ${answer.text}`);
  return { operator, token: answer.body.token };
}
