import { loginFields, type AuthWorld } from './auth-world.fixture.js';
import type { Visited } from './browser.fixture.js';

/** Does what a person does with the code that a device shows: enters it, compares it, signs in and allows. */
export async function allowDevice(world: AuthWorld, code: string, email: string): Promise<void> {
  const browser = world.browser();
  const url = `${world.url}/auth/device`;
  const press = async (page: Visited, fields: Readonly<Record<string, string>>): Promise<Visited> => {
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    return browser.post(url, { xsrf, user_code: code, ...fields });
  };
  let page = await press(await browser.open(url), {});
  page = await press(page, { confirm: 'yes' });
  page = await browser.submit(page, loginFields(email));
  await browser.submit(page, { action: 'allow' });
}
