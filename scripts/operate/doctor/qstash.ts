import { z } from 'zod'
import { compareSchedules, type ScheduleReport } from '../../../src/domain/schedules.ts'
import { type CheckResult, messageOf, ok, problem, solvedByDeploying, warning } from '../report.ts'
import { listSchedules } from '../schedules.ts'

const TIMEOUT_MS = 10_000
const SigningKeys = z.object({ current: z.string(), next: z.string() })

/** Signatures are valid for minutes; a clock that is off by more than this will be noticed elsewhere, too. */
const MAX_SKEW_MS = { warning: 5_000, problem: 60_000 }

/** The `Date` header has whole seconds. */
const DATE_RESOLUTION_MS = 1_000

export interface QStashSettings {
  url: string
  token: string
  /** What the schedules have to call. */
  callbacksUrl: string | undefined
  currentSigningKey: string | undefined
  nextSigningKey: string | undefined
}

/** Examines QStash: the token, the signing keys, the schedules, and by its clock that of this machine. */
export async function checkQStash(settings: QStashSettings): Promise<CheckResult[]> {
  const startedMs = Date.now()
  let response: Response
  try {
    response = await fetch(new URL('/v2/keys', settings.url), {
      headers: { authorization: `Bearer ${settings.token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch (error) {
    return [problem('qstash', `does not answer: ${messageOf(error)}`, 'check QSTASH_URL and the network')]
  }
  const clock = checkClock(response.headers.get('date'), startedMs, Date.now())
  if (!response.ok) {
    await response.body?.cancel()
    const advice = 'compare QSTASH_TOKEN and QSTASH_URL (of the right region) with the Upstash console'
    return [problem('qstash', `refuses the token (${response.status})`, advice), ...clock]
  }
  const keys = SigningKeys.safeParse(await response.json().catch(() => undefined))
  if (!keys.success) {
    return [problem('qstash', 'gives no signing keys', 'check that QSTASH_URL is that of QStash'), ...clock]
  }
  return [
    ok('qstash', 'accepts the token'),
    ...checkKeys(settings, keys.data),
    ...(await checkSchedules(settings)),
    ...clock,
  ]
}

/** Compares the configured signing keys with those in use. */
export function checkKeys(
  { currentSigningKey, nextSigningKey }: Pick<QStashSettings, 'currentSigningKey' | 'nextSigningKey'>,
  keys: z.infer<typeof SigningKeys>,
): CheckResult[] {
  if (!currentSigningKey || !nextSigningKey) return []
  const advice =
    'copy both keys from the Upstash console to QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY'
  if (currentSigningKey === keys.current && nextSigningKey === keys.next) {
    return [ok('qstash', 'signs with the configured keys')]
  }
  if (nextSigningKey === keys.current || currentSigningKey === keys.current) {
    return [warning('qstash', 'the signing keys were rotated: the next rotation will lock it out', advice)]
  }
  return [problem('qstash', 'signs with other keys: every callback is refused', advice)]
}

async function checkSchedules({ url, token, callbacksUrl }: QStashSettings): Promise<CheckResult[]> {
  if (callbacksUrl === undefined) return []
  try {
    const schedules = await listSchedules({ qstashUrl: url, token })
    return describeSchedules(compareSchedules(schedules, callbacksUrl))
  } catch (error) {
    return [problem('schedules', `cannot be read: ${messageOf(error)}`, 'check QSTASH_TOKEN')]
  }
}

const REGISTER = '`npm run deploy` registers them'

/** Says of every schedule that is not as it should be what is wrong with it. */
export function describeSchedules(schedules: readonly ScheduleReport[]): CheckResult[] {
  const results = schedules.flatMap(describeSchedule)
  return results.length > 0 ? results : [ok('schedules', `all ${schedules.length} are registered`)]
}

function describeSchedule({ id, state, destination }: ScheduleReport): CheckResult[] {
  switch (state) {
    case 'missing':
      return [solvedByDeploying(problem('schedules', `${id} is missing`, REGISTER))]
    case 'elsewhere': {
      const advice = `${REGISTER}; two deployments need two QStash accounts`
      return [solvedByDeploying(problem('schedules', `${id} calls ${destination}`, advice))]
    }
    case 'different':
      return [solvedByDeploying(warning('schedules', `${id} was changed`, REGISTER))]
    case 'paused':
      return [warning('schedules', `${id} is paused`, 'resume it in the Upstash console')]
    case 'ok':
      return []
  }
}

/**
 * Compares this machine's clock with the `Date` of an answer.
 * @param startedMs when the request began, `endedMs` when the answer was there: the header is of between
 */
export function checkClock(date: string | null, startedMs: number, endedMs: number): CheckResult[] {
  const theirMs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(theirMs)) return []
  const aheadMs = startedMs - (theirMs + DATE_RESOLUTION_MS)
  const behindMs = theirMs - endedMs
  const skewMs = Math.max(aheadMs, behindMs, 0)
  if (skewMs < MAX_SKEW_MS.warning) return [ok('clock', 'agrees with that of QStash')]
  const finding = `is ${Math.round(skewMs / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of QStash`
  const advice = 'turn on time synchronisation (NTP)'
  return [
    skewMs < MAX_SKEW_MS.problem ? warning('clock', finding, advice) : problem('clock', finding, advice),
  ]
}
