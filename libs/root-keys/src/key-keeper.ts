/** Where a master key is kept that the configuration does not hold itself. */
export interface KeyKeeper {
  /** What the texts begin with that it opens. */
  readonly scheme: 'file:' | 'aws-kms:' | 'vault:';
  /** The master key that a text of the configuration stands for. @throws ConfigError that says what to do */
  open(text: string): Promise<string>;
}

/** A keeper that can also wrap: it gives the text that a master key is to be named by. */
export interface WrappingKeeper extends KeyKeeper {
  /** @throws ConfigError that says what to do */
  wrap(masterKey: string): Promise<string>;
}
