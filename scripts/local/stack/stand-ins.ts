import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Mailbox, startMailbox } from '../mail/index.ts'
import { startNeonHttp } from '../neon-http/server.ts'
import { type Platforms, type PlatformsOptions, startPlatforms } from '../platforms/index.ts'
import { type RedisHandle, startRedis } from '../redis.ts'
import { startUpstashRest } from '../upstash-rest/index.ts'
import { databaseUrl, OWNER_ROLE } from './configuration.ts'
import { prepareDatabase } from './database.ts'
import type { StackLayout } from './layout.ts'
import type { Ports } from './ports.ts'
import { type KeptPostgres, keepPostgres } from './postgres-keeper.ts'
import type { Secrets } from './secrets.ts'
import type { Stoppers } from './stoppers.ts'

export interface StandInOptions {
  layout: StackLayout
  ports: Ports
  secrets: Secrets
  stoppers: Stoppers
  log: (line: string) => void
  onFailure: (error: Error) => void
}

/** The same demo everywhere. */
const WORLD_SEED = 'tidemark'

const WorldNote = z.object({ seed: z.string(), epoch: z.number() })

export interface StartedDatabase {
  postgres: KeptPostgres
  /** Its address as its owner, who sees every workspace. */
  ownerUrl: string
}

/** Postgres with a migrated database, and the HTTP endpoint in front of it. */
export async function startDatabase(options: StandInOptions & { appUrl: string }): Promise<StartedDatabase> {
  const { layout, ports, secrets, stoppers, log, onFailure } = options
  const postgres = await keepPostgres({ dataDir: layout.postgres, port: ports.postgres, log, onFailure })
  stoppers.add('Postgres', () => postgres.stop())
  const ownerUrl = databaseUrl(OWNER_ROLE, secrets.databaseOwnerPassword, ports.postgres)
  await prepareDatabase({
    adminUrl: postgres.adminUrl,
    ownerUrl,
    ownerPassword: secrets.databaseOwnerPassword,
    appUrl: options.appUrl,
    log,
  })
  const neon = await startNeonHttp({ port: ports.neon, postgres, log })
  stoppers.add('The database endpoint', () => neon.stop())
  return { postgres, ownerUrl }
}

/** @param redisUrl an existing Redis that is to be used instead of one's own */
export async function startCache(
  options: StandInOptions & { redisUrl: string | undefined },
): Promise<RedisHandle> {
  const { layout, ports, secrets, stoppers, log, redisUrl } = options
  const redis = await startRedis({ dataDir: layout.redis, log, ...(redisUrl && { url: redisUrl }) })
  stoppers.add('Redis', () => redis.stop())
  const rest = await startUpstashRest({ port: ports.redis, token: secrets.redisToken, redis, log })
  stoppers.add('The Redis endpoint', () => rest.stop())
  return redis
}

/** What the Worker sends mail to; none of it leaves the machine. */
export async function startMail({ layout, ports, secrets, stoppers, log }: StandInOptions): Promise<Mailbox> {
  const mail = await startMailbox({
    port: ports.mail,
    apiKey: secrets.mailApiKey,
    dataFile: layout.mailFile,
    log,
  })
  stoppers.add('The mailbox', () => mail.stop())
  return mail
}

/** What may be said of the simulated platforms: their clock, who is there, what they allow and show. */
export type WorldChoice = Pick<PlatformsOptions, 'now' | 'accounts' | 'epoch' | 'limits' | 'shownMs'>

/** @param world what is to be otherwise than usual */
export async function startWorld(options: StandInOptions & { world: WorldChoice }): Promise<Platforms> {
  const { layout, ports, stoppers, world } = options
  const known = WorldNote.safeParse(parseJson(await readFile(layout.worldFile, 'utf8').catch(() => '')))
  const platforms = await startPlatforms({
    ...(known.success ? known.data : { seed: WORLD_SEED }),
    ...world,
    stateFile: layout.interventionsFile,
    ports,
  })
  stoppers.add('The simulated platforms', () => platforms.stop())
  const { seed, epoch } = platforms.world
  await writeFile(layout.worldFile, JSON.stringify({ seed, epoch }))
  return platforms
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
