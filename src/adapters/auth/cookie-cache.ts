/** The signed copy of a session in its cookie, as the sign-in library reads it. */
export { getCookieCache } from 'better-auth/cookies'
