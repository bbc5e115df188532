import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { newPassword } from '../signup/signup.schema.js';

/** `PUT /admin/v1/me/password` */
export const changePassword = contract({
  summary: 'Change your password, with the one you have and a code of your app; your other sessions end.',
  description: 'Impersonations that you began end too; your keys stay. For who has signed in alone.',
  body: jsonBody(
    z.strictObject({
      password: z.string().min(1).max(128).meta({ description: 'The one you have.' }),
      code: z.string().regex(/^\d{6}$/, 'the six digits that the authenticator app shows'),
      new_password: newPassword,
    }),
    { bytesMax: 16 * 1024 },
  ),
  answer: { status: 204, means: 'The new password is yours.' },
  refuses: ['conflict', 'unprocessable', 'rate_limited'],
});
