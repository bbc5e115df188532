import { loginFields, type AuthWorld } from './auth-world.fixture.js';
import type { Browser, Visited } from './browser.fixture.js';

/** Does what a person does with the code that a device shows: enters it, compares it and signs in; where that leads. */
export async function enterDeviceCode(
  world: AuthWorld,
  { code, email, browser }: { readonly code: string; readonly email: string; readonly browser: Browser },
): Promise<Visited> {
  const url = `${world.url}/auth/device`;
  const press = async (page: Visited, fields: Readonly<Record<string, string>>): Promise<Visited> => {
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    return browser.post(url, { xsrf, user_code: code, ...fields });
  };
  let page = await press(await browser.open(url), {});
  page = await press(page, { confirm: 'yes' });
  return page.text.includes('name="password"') ? browser.submit(page, loginFields(email)) : page;
}

/** The same, and allows it. */
export async function allowDevice(world: AuthWorld, code: string, email: string): Promise<void> {
  const browser = world.browser();
  await browser.submit(await enterDeviceCode(world, { code, email, browser }), { action: 'allow' });
}
