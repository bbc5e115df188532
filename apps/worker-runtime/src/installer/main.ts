import { InstallFault, RegistryUnreachable } from './install-fault.js';
import { installPackage, type InstallAnswer, type InstallOrder } from './install-package.js';

/** The program that installs one package in the sandbox of a build: its order is its argument, its answer one line. */
async function answer(order: InstallOrder): Promise<InstallAnswer> {
  try {
    return await installPackage(order);
  } catch (error) {
    if (error instanceof InstallFault) return { kind: 'refused', problems: error.problems };
    if (error instanceof RegistryUnreachable) return { kind: 'unreachable' };
    throw error;
  }
}

const order = JSON.parse(process.argv[2] ?? '') as InstallOrder; // the runner wrote it
// Of an installation that failed, parts may still be under way.
process.stdout.write(`${JSON.stringify(await answer(order))}\n`, () => process.exit(0));
