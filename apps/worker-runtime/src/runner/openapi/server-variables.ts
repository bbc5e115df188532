import { at, type Problems } from '../build-checks/problems.js';
import { didYouMean } from '../checks/closest.js';
import { listOr, objectOr, own, textOf, type JsonObject } from '../openapi-document/node.js';

const SHOWN_MAX = 12;

/** The values of the variables in server URLs: what the release source gives, else the document's defaults. */
export class ServerVariables {
  readonly #problems: Problems;
  readonly #given: Readonly<Record<string, string>>;
  readonly #declared = new Set<string>();

  constructor(problems: Problems, given: Readonly<Record<string, string>>) {
    this.#problems = problems;
    this.#given = given;
  }

  /** The URL with every `{variable}` replaced; undefined after noting which has no value. */
  fill(pointer: string, template: string, variables: JsonObject): string | undefined {
    let complete = true;
    const url = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      this.#declared.add(name);
      const value = this.#valueOf(pointer, name, objectOr(own(variables, name)));
      if (value === undefined) complete = false;
      return value ?? '';
    });
    return complete ? url : undefined;
  }

  /** Notes the values for variables that no server URL has. */
  refuseUnknown(): void {
    for (const name of Object.keys(this.#given)) {
      if (!this.#declared.has(name))
        this.#problems.add(
          at('/serverVariables', name),
          `No server URL that is used has the variable ${JSON.stringify(name)}.${didYouMean(name, this.#declared)}`,
        );
    }
  }

  #valueOf(pointer: string, name: string, variable: JsonObject): string | undefined {
    const given = textOf(own(this.#given, name));
    if (given !== undefined) return this.#allowed(name, given, listOr(own(variable, 'enum')));
    const value = textOf(own(variable, 'default'));
    if (value === undefined)
      this.#problems.add(
        at(pointer, name, 'default'),
        `The server variable ${JSON.stringify(name)} has no default. Give one in "serverVariables", or give "baseUrl".`,
      );
    return value;
  }

  #allowed(name: string, given: string, values: readonly unknown[]): string | undefined {
    if (values.length === 0 || values.includes(given)) return given;
    const shown = values.slice(0, SHOWN_MAX).map((value) => JSON.stringify(value));
    this.#problems.add(at('/serverVariables', name), `The document allows ${shown.join(', ')} only.`);
    return undefined;
  }
}
