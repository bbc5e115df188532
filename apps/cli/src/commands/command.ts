import type { Command } from 'commander';
import { Output } from '../output/output.js';
import { Profiles } from '../session/profiles.js';
import { HttpDoor } from '#libs/journey';
import { CliProblem } from '../problem.js';
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

  /** The operators' API. @throws CliProblem where it was not said which, or as whom */
  operatorDoor(): HttpDoor {
    const { environment } = this.options;
    const url = this.options.url ?? environment.url;
    if (url !== undefined && environment.operatorKey !== undefined)
      return new HttpDoor(url.replace(/\/+$/, ''), environment.operatorKey);
    throw new CliProblem(
      'This is for operators of the installation.',
      'Set WHARF_URL (or --url) and WHARF_OPERATOR_KEY, a key that `POST /admin/v1/me/keys` made.',
    );
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
