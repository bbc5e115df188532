/** How many rows the two acceptance tables have: `M-01` to `M-30` of MCP endpoints, `O-01` to `O-42` of authorization. */
export const ROWS = { M: 30, O: 42 } as const;

/** Rows without a test, each with the reason; an entry whose row has a test by now fails. */
export const WITHOUT_A_TEST: Readonly<Record<string, string>> = {
  'M-14': 'no tool of a release can ask for a capability of the client yet',
  'M-22': 'no tool answers with a request state yet',
  'O-38': 'no server of a tenant is itself a client of another MCP server’s authorization yet',
};
