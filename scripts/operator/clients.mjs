// `npm run operator -- clients …`: clients that are registered by hand.
export const clients = { help: "", options: {}, commands: {} };
