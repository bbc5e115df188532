import { signInAsPerson } from '#libs/journey';
import type { Fixture } from './fixture.js';
import { runSuite, type SuiteRun } from './suite.js';
import { freePort } from '#libs/embedded';

const AUTHORIZATION_URL = /https?:\/\/\S*\/authorize\?\S+/;

async function register(issuer: string, redirectUri: string): Promise<string> {
  const metadata = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { registration_endpoint: endpoint } = (await metadata.json()) as { registration_endpoint: string }; // our own document
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance suite',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }),
  });
  if (answer.status !== 201) throw new Error(`registration was answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { client_id: string }).client_id;
}

/** Runs `conformance authorization`; a scripted person signs in at the URL that it prints. */
export async function runAuthorization(issuer: string, fixture: Fixture): Promise<SuiteRun> {
  const port = await freePort();
  const clientId = await register(issuer, `http://127.0.0.1:${port}/callback`);
  let signedIn: Promise<unknown> | undefined;
  const args = [
    'authorization',
    '--url',
    issuer,
    '--client-id',
    clientId,
    '--resource',
    fixture.tenantUrl,
    '--port',
    String(port),
  ];
  const onOutput = (output: string): void => {
    const url = AUTHORIZATION_URL.exec(output)?.[0];
    if (url === undefined) return;
    signedIn ??= signInAsPerson(new URL(url), fixture.owner.person).then((callback) => fetch(callback));
  };
  const run = await runSuite(args, { onOutput });
  await signedIn;
  return run;
}
