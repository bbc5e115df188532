import type { Command } from 'commander';
import { Output } from '../output/output.js';
import { Profiles } from '../session/profiles.js';
import { Session, type SessionOptions } from '../session/session.js';

/** What every command is given of the world around it. */
export interface Surroundings {
  /** Where profiles and kept checkpoints are. */
  readonly folder: string;
}

/** One run of a command: where it writes and who it is. */
export class Run {
  readonly output: Output;
  readonly profiles: Profiles;

  constructor(
    readonly options: SessionOptions & { readonly json?: boolean },
    readonly surroundings: Surroundings,
  ) {
    this.output = new Output(options.json === true);
    this.profiles = new Profiles(surroundings.folder);
  }

  /** The profile that is named, on the line or else in the environment. */
  get profileName(): string | undefined {
    return this.options.profile ?? this.options.environment.profile;
  }

  session(): Promise<Session> {
    return Session.open(this.options, this.profiles, this.output);
  }
}

/** Adds a room's commands to the program. */
export type AddCommands = (program: Command, run: () => Run) => void;
