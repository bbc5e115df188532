/** How many rows the two acceptance tables have: `M-01` to `M-30` of MCP endpoints, `O-01` to `O-42` of authorization. */
export const ROWS = { M: 30, O: 42 } as const;

/** Rows without a test, each with the reason; an entry whose row has a test by now fails. */
export const WITHOUT_A_TEST: Readonly<Record<string, string>> = {};
