/**
 * How many accounts a workspace may have, those that were removed not counted. An overview reads two rows of each
 * (its period and the one before), and no statement is to return more than 10,000; a team that runs more than
 * this has a workspace for each of its clients.
 */
export const MAX_ACCOUNTS = 5_000
