/** Where the run's set-up has found bubblewrap. */
export function bubblewrapOfTheRun(): Record<string, string> {
  const names = ['WHARF_BUBBLEWRAP', 'WHARF_BUBBLEWRAP_LIBRARIES'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
