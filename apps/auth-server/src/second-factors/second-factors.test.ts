import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret, TOTP } from 'otpauth';
import { AuthWorld, loginFields, type TestClient } from '../testing/auth-world.fixture.js';
import type { Browser } from '../testing/browser.fixture.js';
import { mailsTo } from '../testing/mailbox.fixture.js';

interface Enrolled {
  readonly email: string;
  readonly browser: Browser;
  readonly totp: TOTP;
  readonly codes: readonly string[];
}

describe('a second factor', () => {
  let world: AuthWorld;
  let acme: string;
  let client: TestClient;
  let mcp: string;
  let account: string;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_LOGINS_PER_QUARTER_HOUR: '5' });
    acme = await world.addTenant('acme');
    client = await world.register();
    mcp = `${world.url}/t/acme/mcp`;
    account = `${world.url}/auth/account`;
  });
  afterAll(async () => world.close());

  async function enrol(name: string): Promise<Enrolled> {
    const email = `${name}@acme.test`;
    await world.addPerson(email, { [acme]: 'user' });
    const browser = world.browser();
    const page = await browser.submit(await browser.open(account), loginFields(email));
    const setUp = await browser.submit(page, { action: 'set-up-app' });
    expect(setUp.text).toContain('<svg');
    const secret = /<pre>([A-Z2-7 ]+)<\/pre>/.exec(setUp.text)?.[1]?.replaceAll(' ', '') ?? '';
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    expect((await browser.submit(setUp, { action: 'confirm', code: wrongCode(totp) })).status).toBe(422);
    // The step before, so that the present one is still to be used.
    const done = await browser.submit(setUp, { action: 'confirm', code: codeOf(totp, -1) });
    const codes = [...done.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code]) => code ?? '');
    return { email, browser, totp, codes };
  }

  async function passwordGiven(email: string) {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    return { browser, page: await browser.submit(login, loginFields(email)) };
  }

  test('by app is asked for after the password, and the interaction goes on where it was', async () => {
    const { email, totp, codes } = await enrol('ana');
    expect(codes).toHaveLength(10);
    const { browser, page } = await passwordGiven(email);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Confirm that it is you');
    expect(page.text).not.toContain('value="allow"');
    const wrong = await browser.submit(page, { action: 'login', code: wrongCode(totp) });
    expect([wrong.status, wrong.text.includes('That was not accepted')]).toEqual([401, true]);
    const consent = await browser.submit(page, { action: 'login', code: codeOf(totp, 0) });
    expect(consent.text).toContain('value="allow"');
    expect((await browser.submit(consent, { action: 'allow' })).headers.get('location')).toContain('code=');
    const events = await world.audited(acme);
    expect(events).toEqual(
      expect.arrayContaining(['second_factor.enrolled ok', 'second_factor.failed refused', 'login.succeeded ok']),
    );
    expect(events.filter((event) => event === 'login.succeeded ok')).toHaveLength(1);
    expect((await mailsTo(world, email)).map(({ subject }) => subject)).toEqual([
      'How you sign in to Wharf was changed',
    ]);
  });

  test('the code of one step works once (RFC 6238 §5.2), and not for another browser or interaction', async () => {
    const { email, totp } = await enrol('bob');
    const code = codeOf(totp, 0);
    const first = await passwordGiven(email);
    const second = await passwordGiven(email);
    expect((await first.browser.submit(first.page, { action: 'login', code })).text).toContain('value="allow"');
    expect((await second.browser.submit(second.page, { action: 'login', code })).status).toBe(401);
    // A ticket is bound to its interaction: another one of the same browser begins with the password.
    const other = await second.browser.open(world.authorizeUrl(client, mcp));
    expect(other.text).toContain('name="password"');
  });

  test('a recovery code works once in place of the app', async () => {
    const { email, codes } = await enrol('cat');
    const code = (codes[0] ?? '').toUpperCase();
    const first = await passwordGiven(email);
    expect((await first.browser.submit(first.page, { action: 'login', code })).text).toContain('value="allow"');
    const second = await passwordGiven(email);
    expect((await second.browser.submit(second.page, { action: 'login', code })).status).toBe(401);
  });

  test('new recovery codes end the old ones; without the app none are left and the password is enough', async () => {
    const { email, browser, codes } = await enrol('dan');
    const renewed = await browser.submit(await browser.open(account), { action: 'renew-codes' });
    expect(renewed.text).not.toContain(codes[0] ?? 'none');
    const old = await passwordGiven(email);
    expect((await old.browser.submit(old.page, { action: 'login', code: codes[0] ?? '' })).status).toBe(401);
    await browser.submit(await browser.open(account), { action: 'remove-app' });
    expect((await passwordGiven(email)).page.text).toContain('value="allow"');
    expect(await world.audited(acme)).toEqual(
      expect.arrayContaining(['recovery_codes.renewed ok', 'second_factor.removed ok']),
    );
    const { rows } = await world.owner.query(
      `select 1 from recovery_codes join accounts on id = account_id where email = $1`,
      [email],
    );
    expect(rows).toEqual([]);
  });

  test('guessing stops: after five wrong codes even the right one waits', async () => {
    const { email, totp } = await enrol('eve');
    const { browser, page } = await passwordGiven(email);
    for (let count = 0; count < 5; count += 1) {
      expect((await browser.submit(page, { action: 'login', code: wrongCode(totp) })).status).toBe(401);
    }
    const limited = await browser.submit(page, { action: 'login', code: codeOf(totp, 0) });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is changed only by who signed in a short time ago', async () => {
    const { email, browser } = await enrol('fay');
    const page = await browser.open(account);
    const now = Date.now;
    Date.now = () => now() + 20 * 60 * 1_000;
    const asked = await browser.submit(page, { action: 'remove-app' }).finally(() => (Date.now = now));
    expect(asked.text).toContain('name="password"');
    expect((await passwordGiven(email)).page.text).toContain('Confirm that it is you');
  });

  test('nothing of it is readable in the database', async () => {
    const { totp, codes } = await enrol('gil');
    const { rows } = await world.owner.query<{ whole: string }>(
      `select (select string_agg(encode(sealed, 'hex'), ' ') from account_totp)
         || (select string_agg(code_hash, ' ') from recovery_codes) as whole`,
    );
    expect(rows[0]?.whole).not.toContain(Buffer.from(totp.secret.bytes).toString('hex'));
    expect(rows[0]?.whole).not.toContain(codes[0] ?? 'none');
  });
});

function codeOf(totp: TOTP, steps: number): string {
  return totp.generate({ timestamp: Date.now() + steps * 30_000 });
}

/** A code that is right in none of the steps that count. */
function wrongCode(totp: TOTP): string {
  const right = new Set([-2, -1, 0, 1, 2].map((steps) => codeOf(totp, steps)));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.has(code)) ?? '';
}
