import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { operatorSchema } from '../operator-accounts/operator-accounts.schema.js';
import { emailAddress, newPassword } from '../signup/signup.schema.js';

const BOUNDS = { bytesMax: 16 * 1024 } as const;
const invitation = z.string().regex(/^whoi_[\w-]{43}$/, 'an invitation: whoi_ and 43 characters');
const code = z.string().regex(/^\d{6}$/, 'the six digits that the authenticator app shows');

/** `POST /admin/v1/enrolments` */
export const enrol = contract({
  summary:
    'Take an invitation: choose a password and set up an authenticator app, which is confirmed by its first code.',
  description: 'Until that is done it can be repeated, and the last password and app count.',
  body: jsonBody(z.strictObject({ invitation, password: newPassword }), BOUNDS),
  answer: {
    status: 200,
    means: 'What the app scans, or what is typed into it; shown this once.',
    schema: z.strictObject({ totp: z.strictObject({ uri: z.string(), secret: z.string() }) }),
  },
  refuses: ['unauthenticated', 'rate_limited'],
});

/** `POST /admin/v1/enrolments/confirmation` */
export const confirmEnrolment = contract({
  summary: 'Confirm the authenticator app by a code of it: the account is open, and the invitation has ended.',
  body: jsonBody(z.strictObject({ invitation, code }), BOUNDS),
  answer: { status: 200, means: 'The account.', schema: z.strictObject({ operator: operatorSchema }) },
  refuses: ['unauthenticated', 'rate_limited'],
});

/** `POST /admin/v1/sign-in` */
export const signIn = contract({
  summary: 'Sign in with password and authenticator app: a session of one hour.',
  body: jsonBody(z.strictObject({ email: emailAddress, password: z.string().min(1).max(128), code }), BOUNDS),
  answer: {
    status: 201,
    means: 'The session’s token, for the Authorization header.',
    schema: z.strictObject({ token: z.string(), expires_at: z.iso.datetime(), operator: operatorSchema }),
  },
  refuses: ['unauthenticated', 'rate_limited'],
});
