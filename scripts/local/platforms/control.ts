import { ZodError } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { ACTION_VERBS, findAccount, momentSchema, runAction } from './actions.ts'
import { InterventionError } from './interventions.ts'
import { type MastodonTokens, TOKEN_ACTIONS } from './mastodon-tokens.ts'
import type { WebHandler } from './platform-handler.ts'
import type { Stats } from './stats.ts'
import { truthOf } from './truth.ts'
import { typedNameOf } from './typed.ts'
import type { PlatformName } from './types.ts'
import type { World } from './world.ts'

export interface ControlOptions {
  /** Of the platforms that are simulated. */
  stats: Partial<Record<PlatformName, Stats>>
  /** `host:port` of the Mastodon server, for the handles that people type. */
  mastodonHost: string
  tokens: MastodonTokens
}

const HOUR_MS = 3_600_000

/**
 * The control interface:
 * `POST /control/<verb>` with a JSON body (see `ACTION_VERBS` and `TOKEN_ACTIONS`; `reset-stats` takes none),
 * `GET /control/truth?account=&platform=&at=&from=`, `/control/stats`, `/control/accounts`, `/control/trends?hours=`,
 * `/control/interventions`.
 */
export function createControlHandler(world: World, options: ControlOptions): WebHandler {
  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const verb = /^\/control\/([a-z0-9-]+)$/.exec(url.pathname)?.[1]
    if (verb === undefined) return Response.json({ error: 'Not found' }, { status: 404 })
    if (request.method === 'POST') return act(request, verb)
    if (request.method !== 'GET') return Response.json({ error: 'Use GET or POST' }, { status: 405 })
    return read(url.searchParams, verb)
  }

  const act = async (request: Request, verb: string): Promise<Response> => {
    if (verb === 'reset-stats') {
      for (const stats of Object.values(options.stats)) stats.reset()
      return Response.json({})
    }
    const text = await request.text()
    const body: unknown = text === '' ? {} : JSON.parse(text)
    const tokenAction = TOKEN_ACTIONS[verb]
    if (tokenAction !== undefined) {
      const idOf = (reference: string) => findAccount(world, reference, 'mastodon').id
      return Response.json(tokenAction(options.tokens, body, idOf))
    }
    const applied = runAction(world, verb, body)
    return Response.json({
      postId: applied[0]?.postId ?? null,
      interventions: applied.map((one) => one.intervention),
    })
  }

  const read = (params: URLSearchParams, verb: string): Response => {
    switch (verb) {
      case 'truth': {
        const account = findAccount(world, params.get('account') ?? '', platformParam(params))
        const from = momentParam(params, 'from')
        const t = momentParam(params, 'at') ?? world.now()
        return Response.json(truthOf(world, account, t, from === undefined ? {} : { from }))
      }
      case 'stats':
        return Response.json(
          Object.fromEntries(
            Object.entries(options.stats).map(([platform, stats]) => [platform, stats.snapshot()]),
          ),
        )
      case 'accounts':
        return Response.json({
          accounts: world.accounts().map((account) => describe(account.platform, account.id)),
        })
      case 'trends': {
        const now = world.now()
        const hours = Number(params.get('hours') ?? 48)
        const trends = world.trends(now - hours * HOUR_MS, now + 1).filter((trend) => trend.startAt <= now)
        return Response.json({
          trends: trends.map(({ spellings, startAt, endAt }) => ({
            tag: spellings[0],
            spellings,
            startAt,
            endAt,
          })),
        })
      }
      case 'interventions':
        return Response.json({ interventions: world.interventions() })
      default:
        return Response.json(
          {
            error: `Unknown; verbs to POST are ${[...ACTION_VERBS, ...Object.keys(TOKEN_ACTIONS)].join(', ')}`,
          },
          { status: 404 },
        )
    }
  }

  const describe = (platform: PlatformName, id: string): object => {
    const account = findAccount(world, id, platform)
    const { handle, displayName, status } = world.namesAt(account, world.now())
    // What a person types to connect the account.
    const typed = typedNameOf(account, handle, options.mastodonHost)
    return { platform, id, handle, typed, displayName, status, postsPerDay: account.postsPerDay }
  }

  return async (request) => {
    try {
      return await answer(request)
    } catch (error) {
      if (error instanceof ZodError)
        return Response.json({ error: 'Malformed', issues: error.issues }, { status: 400 })
      if (error instanceof InterventionError || error instanceof SyntaxError) {
        return Response.json({ error: error.message }, { status: 400 })
      }
      console.error('platform control:', error)
      return Response.json({ error: 'Internal error' }, { status: 500 })
    }
  }
}

function platformParam(params: URLSearchParams): PlatformName | undefined {
  const name = params.get('platform')
  return PLATFORMS.find((platform) => platform === name)
}

function momentParam(params: URLSearchParams, name: string): number | undefined {
  const text = params.get(name)
  return text === null ? undefined : momentSchema.parse(text)
}
