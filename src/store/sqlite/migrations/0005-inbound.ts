/** Calls may come in as well; all that there were before went out. */
export const inbound = `
ALTER TABLE calls ADD COLUMN inbound INTEGER NOT NULL DEFAULT 0;
`;
