/** The pages' only script: hands a passkey's options to the browser and its answer to the form. Allowed by its hash. */
export const PASSKEY_SCRIPT = `
const known = window.PublicKeyCredential;
for (const button of document.querySelectorAll('[data-passkey]')) {
  if (!known || !known.parseCreationOptionsFromJSON || !known.parseRequestOptionsFromJSON) continue;
  const form = button.form;
  const problem = form.querySelector('.passkey-problem');
  button.hidden = false;
  button.addEventListener('click', async () => {
    problem.hidden = true;
    try {
      const options = JSON.parse(button.dataset.options);
      const made = button.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(options) });
      form.elements.credential.value = JSON.stringify(made.toJSON());
      form.submit();
    } catch {
      problem.hidden = false;
    }
  });
}
`;
