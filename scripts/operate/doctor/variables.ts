import { parseEnv } from '../../../src/env.ts'
import type { RawConfiguration } from '../configuration.ts'
import { type CheckResult, messageOf, ok, problem, solvedByDeploying, warning } from '../report.ts'

const AREA = 'configuration'
const GENERATE = '`openssl rand -base64 32` makes one'

const WITHOUT_HTTPS = {
  PUBLIC_URL: 'browsers refuse the session cookie',
  CALLBACKS_URL: 'messages can be read on the way',
}

/** Below this a signing secret can be guessed by trying. */
const MIN_SECRET_BITS = 96

/** Examines the variables by themselves. */
export function checkVariables(raw: RawConfiguration): CheckResult[] {
  return [
    ...checkShape(raw),
    ...checkSecrets(raw),
    ...checkAddresses(raw),
    ...checkEmail(raw),
    ...checkChoices(raw),
  ]
}

function checkShape(raw: RawConfiguration): CheckResult[] {
  const missingOwner = raw.MIGRATION_DATABASE_URL
    ? []
    : [problem(AREA, 'MIGRATION_DATABASE_URL is missing', 'migrating needs it; see .dev.vars.example')]
  const problems = problemsOf(raw).map((text) => {
    if (text === 'PUBLIC_URL is missing') {
      return solvedByDeploying(
        problem(AREA, text, 'set it, or take the address that `npm run deploy` prints'),
      )
    }
    return problem(AREA, text, `set ${text.split(' ')[0]}; see .dev.vars.example`)
  })
  const count = Object.keys(raw).length
  return problems.length + missingOwner.length > 0
    ? [...problems, ...missingOwner]
    : [ok(AREA, `${count} variables are set, and well-formed`)]
}

function problemsOf(raw: RawConfiguration): string[] {
  try {
    parseEnv(raw)
    return []
  } catch (error) {
    const named: unknown = error instanceof Error ? Reflect.get(error, 'problems') : undefined
    return Array.isArray(named) ? named.map(String) : [messageOf(error)]
  }
}

function checkSecrets(raw: RawConfiguration): CheckResult[] {
  const { BETTER_AUTH_SECRET: secret } = raw
  const keys = (raw.CREDENTIALS_KEY ?? '').split(',').map((key) => key.trim())
  const results: CheckResult[] = []
  if (secret && estimateBits(secret) < MIN_SECRET_BITS) {
    results.push(problem('secrets', 'BETTER_AUTH_SECRET is easy to guess', GENERATE))
  }
  if (!raw.CREDENTIALS_KEY) {
    const finding = 'CREDENTIALS_KEY is missing: no account can be connected with credentials of its own'
    results.push(warning('secrets', finding, GENERATE))
  } else results.push(...checkKeys(keys))
  if (secret && keys.includes(secret)) {
    results.push(
      problem('secrets', 'BETTER_AUTH_SECRET and CREDENTIALS_KEY are the same', 'make one for each'),
    )
  }
  const isComplete = results.length === 0 && secret !== undefined
  return isComplete ? [ok('secrets', 'long and random')] : results
}

/** Examines the keys that seal credentials; of several all but the first only open what they have sealed. */
function checkKeys(keys: readonly string[]): CheckResult[] {
  const bytes = keys.map((key) => Buffer.from(key, 'base64'))
  if (bytes.some((key, i) => key.length !== 32 || key.toString('base64') !== keys[i]))
    return [problem('secrets', 'CREDENTIALS_KEY is not 32 bytes in base64', GENERATE)]
  if (bytes.some((key) => new Set(key).size < 16))
    return [problem('secrets', 'CREDENTIALS_KEY is not random', GENERATE)]
  if (new Set(keys).size < keys.length)
    return [
      problem(
        'secrets',
        'CREDENTIALS_KEY names the same key twice',
        'put the new key first, then the old one',
      ),
    ]
  return []
}

/** How hard a secret is to guess, by how often its characters recur: an estimate from above. */
export function estimateBits(secret: string): number {
  const counts = new Map<string, number>()
  for (const character of secret) counts.set(character, (counts.get(character) ?? 0) + 1)
  const { length } = [...secret]
  return [...counts.values()].reduce((bits, count) => bits - count * Math.log2(count / length), 0)
}

function checkAddresses(raw: RawConfiguration): CheckResult[] {
  return [...checkAddress('PUBLIC_URL', raw), ...checkAddress('CALLBACKS_URL', raw)]
}

function checkAddress(name: 'PUBLIC_URL' | 'CALLBACKS_URL', raw: RawConfiguration): CheckResult[] {
  const address = URL.parse(raw[name] ?? '')
  if (!address) return []
  const qstash = URL.parse(raw.QSTASH_URL ?? '')
  const results: CheckResult[] = []
  if (isLoopback(address) && !(qstash && isLoopback(qstash))) {
    const finding = `${name} is ${address.origin}, where QStash cannot reach it`
    results.push(problem(AREA, finding, 'give the address that the Worker has on the internet'))
  } else if (address.protocol === 'http:' && !isLoopback(address)) {
    results.push(problem(AREA, `${name} is not https: ${WITHOUT_HTTPS[name]}`, 'use https'))
  }
  if (address.pathname !== '/' || address.search !== '') {
    results.push(problem(AREA, `${name} has a path`, `use ${address.origin}: the Worker answers at the root`))
  }
  return results
}

function checkEmail(raw: RawConfiguration): CheckResult[] {
  if (!raw.EMAIL_API_KEY) {
    const finding =
      'EMAIL_API_KEY is missing: nobody can reset a forgotten password, and invitations are not sent'
    return [warning(AREA, finding, 'make a key at Resend, and set EMAIL_FROM too; see docs/operating.md')]
  }
  const url = URL.parse(raw.EMAIL_API_URL ?? '')
  if (url?.protocol === 'http:' && !isLoopback(url)) {
    const finding = 'EMAIL_API_URL is not https: the key and everything in a mail can be read on the way'
    return [problem(AREA, finding, 'use https')]
  }
  return []
}

function checkChoices(raw: RawConfiguration): CheckResult[] {
  const results: CheckResult[] = []
  if (raw.ALLOW_PRIVATE_HOSTS === 'true' || raw.ALLOW_PRIVATE_HOSTS === '1') {
    const finding =
      'ALLOW_PRIVATE_HOSTS is on: whoever adds an account makes the Worker call hosts in its network'
    results.push(warning(AREA, finding, 'turn it off outside of a machine of your own'))
  }
  const publicUrl = URL.parse(raw.PUBLIC_URL ?? '')
  if (raw.SIGNUP_MODE === 'open' && publicUrl && !isLoopback(publicUrl)) {
    const finding = 'SIGNUP_MODE is open: anybody can sign up and spend the budgets of this deployment'
    results.push(warning(AREA, finding, 'use invite unless that is wanted'))
  }
  return results
}

/** Whether an address is of the machine itself. */
function isLoopback({ hostname }: URL): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127\./.test(hostname) ||
    hostname.endsWith('.localhost')
  )
}
