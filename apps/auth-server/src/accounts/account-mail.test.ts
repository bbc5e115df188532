import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, loginFields, PASSWORD } from '../testing/auth-world.fixture.js';
import { withoutChance, type Browser } from '../testing/browser.fixture.js';
import { mailsTo, newestLinkTo } from '../testing/mailbox.fixture.js';

const NEW_PASSWORD = 'another correct horse';

describe('links by mail', () => {
  let world: AuthWorld;
  let acme: string;
  let account: string;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_LOGINS_PER_QUARTER_HOUR: '50' });
    acme = await world.addTenant('acme');
    account = `${world.url}/auth/account`;
  });
  afterAll(async () => world.close());

  async function person(name: string, isVerified = true): Promise<string> {
    const email = `${name}@acme.test`;
    const id = await world.addPerson(email, { [acme]: 'user' });
    if (!isVerified) await world.owner.query(`update accounts set email_verified_at = null where id = $1`, [id]);
    return email;
  }

  async function signedIn(email: string, password = PASSWORD): Promise<Browser> {
    const browser = world.browser();
    const page = await browser.submit(await browser.open(account), loginFields(email, password));
    if (!page.text.includes('Password and sign-in')) throw new Error(page.text);
    return browser;
  }

  async function askForLink(email: string) {
    const browser = world.browser();
    return browser.submit(await browser.open(`${account}/forgot`), { email });
  }

  test('are asked for with the same answer and the same writes, whether there is an account or not', async () => {
    const ana = await person('ana');
    const [known, unknown] = [await askForLink(ana), await askForLink('nobody@nowhere.test')];
    expect(known.status).toBe(200);
    expect(withoutChance(known.text)).toBe(withoutChance(unknown.text));
    expect(await mailsTo(world, ana)).toHaveLength(1);
    // Nobody's mail is written too, and thrown away by whoever sends mails.
    expect(await mailsTo(world, undefined)).toHaveLength(1);
  });

  test('are for nobody where an account has lost its address, and nobody signs in with it', async () => {
    const before = (await mailsTo(world, undefined)).length;
    const lost = 'somebody@lost.invalid';
    await world.addPerson(lost, { [acme]: 'user' });
    expect((await askForLink(lost)).status).toBe(200);
    expect([await mailsTo(world, lost), (await mailsTo(world, undefined)).length]).toEqual([[], before + 1]);
    await expect(signedIn(lost)).rejects.toThrow();
  });

  test('are in no table as they are: tokens are hashed, mails sealed', async () => {
    const eve = await person('eve');
    await askForLink(eve);
    const token = new URL(await newestLinkTo(world, eve)).searchParams.get('token') ?? '';
    expect(token).toMatch(/^[\w-]{43}$/);
    const { rows } = await world.owner.query<{ whole: string }>(
      `select (select string_agg(t::text, ' ') from account_tokens t)
         || (select string_agg(encode(sealed, 'escape'), ' ') from mail_outbox) as whole`,
    );
    expect(rows[0]?.whole).not.toContain(token);
    expect(rows[0]?.whole).not.toContain(eve);
  });

  test('give a new password once, end every browser session, and are told to the person and their tenants', async () => {
    const bob = await person('bob');
    const browsers = [await signedIn(bob), await signedIn(bob)];
    await askForLink(bob);
    const link = await newestLinkTo(world, bob);
    const [visitor, second] = [world.browser(), world.browser()];
    const form = await visitor.open(link);
    expect(form.text).toContain('bob@acme.test');
    const late = await second.open(link);
    expect((await visitor.submit(form, { token: tokenOf(link), new: 'short' })).status).toBe(422);
    const done = await visitor.submit(form, { token: tokenOf(link), new: NEW_PASSWORD });
    expect(done.text).toContain('You have a new password');
    expect((await second.submit(late, { token: tokenOf(link), new: PASSWORD })).status).toBe(400);
    expect((await visitor.open(link)).status).toBe(400);
    for (const browser of browsers) expect((await browser.open(account)).text).toContain('name="password"');
    await signedIn(bob, NEW_PASSWORD);
    expect((await mailsTo(world, bob)).at(-1)?.subject).toBe('Your password for Wharf was changed');
    expect(await world.audited(acme)).toContain('account.password_changed ok');
  });

  test('do not work when their time is over', async () => {
    const cat = await person('cat');
    await askForLink(cat);
    const link = await newestLinkTo(world, cat);
    await world.owner.query(`update account_tokens set expires_at = now() - interval '1 second'`);
    const page = await world.browser().open(link);
    expect(page.status).toBe(400);
    expect(page.text).toContain('This link does not work any more');
  });

  test('prove an address when their button is pressed, not when a mail filter opens them; and once', async () => {
    const dan = await person('dan', false);
    const browser = await signedIn(dan);
    const page = await browser.open(account);
    expect(page.text).toContain('Not confirmed yet');
    expect((await browser.submit(page, { action: 'send-link' })).text).toContain('a mail is on its way');
    const link = await newestLinkTo(world, dan);
    const form = await world.browser().open(link);
    expect((await browser.open(account)).text).toContain('Not confirmed yet');
    const visitor = world.browser();
    expect((await visitor.submit(await visitor.open(link), { token: tokenOf(link) })).text).toContain('is confirmed');
    expect((await browser.open(account)).text).not.toContain('Not confirmed yet');
    expect((await visitor.open(link)).status).toBe(400);
    expect((await visitor.submit(form, { token: tokenOf(link) })).status).toBe(400);
    expect(await world.audited(acme)).toContain('account.email_verified ok');
  });

  test('for one thing do not work for another', async () => {
    const fay = await person('fay');
    await askForLink(fay);
    const link = await newestLinkTo(world, fay);
    expect((await world.browser().open(link.replace('/reset', '/verify'))).status).toBe(400);
  });

  test('are sent five times an hour to one account, with the same answer afterwards', async () => {
    const gil = await person('gil');
    const answers = [];
    for (let count = 0; count < 7; count += 1) answers.push(withoutChance((await askForLink(gil)).text));
    expect(new Set(answers).size).toBe(1);
    expect(await mailsTo(world, gil)).toHaveLength(5);
  });

  test('whoever has not proved their address signs in, but sets up nothing that would outlast the owner’s reset', async () => {
    const hal = await person('hal', false);
    const browser = await signedIn(hal);
    const page = await browser.open(account);
    expect(page.text).not.toContain('set-up-app');
    expect(page.text).not.toContain('add-passkey');
    await browser.submit(page, { action: 'set-up-app' });
    expect((await browser.open(`${account}/app`)).text).not.toContain('<svg');
    const { rows } = await world.owner.query(`select 1 from account_totp`);
    expect(rows).toEqual([]);
  });

  test('a change of password asks for the old one, keeps this browser and ends the others', async () => {
    const ida = await person('ida');
    const [browser, other] = [await signedIn(ida), await signedIn(ida)];
    const page = await browser.open(account);
    const wrong = await browser.submit(page, { action: 'change-password', old: 'wrong', new: NEW_PASSWORD });
    expect([wrong.status, wrong.text.includes('The present password is wrong')]).toEqual([401, true]);
    expect((await other.open(account)).text).toContain('Password and sign-in');
    const done = await browser.submit(page, { action: 'change-password', old: PASSWORD, new: NEW_PASSWORD });
    expect(done.text).toContain('Your password was changed');
    expect((await other.open(account)).text).toContain('name="password"');
    await signedIn(ida, NEW_PASSWORD);
  });

  test('a form of these pages without this browser’s token changes nothing', async () => {
    const jon = await person('jon');
    const browser = await signedIn(jon);
    const forged = await browser.post(account, {
      csrf: 'made-up',
      action: 'change-password',
      old: PASSWORD,
      new: NEW_PASSWORD,
    });
    expect(forged.status).toBe(400);
    expect((await world.browser().post(`${account}/forgot`, { email: jon })).status).toBe(400);
    expect(await mailsTo(world, jon)).toEqual([]);
  });

  test('speak the language the browser asks for', async () => {
    const page = await fetch(`${account}/forgot`, { headers: { 'accept-language': 'fr, de-AT;q=0.8, en;q=0.5' } });
    const text = await page.text();
    expect(text).toContain('<html lang="de">');
    expect(text).toContain('Passwort vergessen?');
  });

  test('one address that asks too often waits', async () => {
    const statuses = [];
    for (let count = 0; count < 31; count += 1) statuses.push((await askForLink(`somebody${count}@else.test`)).status);
    expect(statuses.at(-1)).toBe(429);
  });
});

function tokenOf(link: string): string {
  return new URL(link).searchParams.get('token') ?? '';
}
