/** What a client is: an app that keeps no secret, an app that does, or an agent that acts for itself. */
export const CLIENT_KINDS = ['public', 'confidential', 'machine'] as const;

/** How a client proves itself at the token endpoint. */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
