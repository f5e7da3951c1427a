/** What lists of accounts may be sorted by. */
export { ACCOUNT_SORTS } from '../../db/queries/accounts.ts'
