import { parentPort, workerData } from 'node:worker_threads'
import { Client } from 'pg'
import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { parseEnv } from '../../../src/env.ts'
import { createWorld } from '../platforms/index.ts'
import { seedDemo } from './seed-demo.ts'

/** What a thread that makes a part of the history is given; its world is the same as everybody's. */
export const SeedTask = z.object({
  /** Of the Worker. */
  bindings: z.record(z.string(), z.string()),
  workspaceId: z.string(),
  world: z.object({ seed: z.string(), epoch: z.number(), stateFile: z.string() }),
  platforms: z.array(z.enum(PLATFORMS)),
  mastodonHost: z.string(),
  /** As the owner, who may refresh statistics. */
  ownerUrl: z.string(),
})
export type SeedTask = z.infer<typeof SeedTask>

export const FromSeedThread = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), percent: z.number() }),
  z.object({ type: z.literal('done'), accounts: z.number() }),
])
export type FromSeedThread = z.infer<typeof FromSeedThread>

if (parentPort !== null) {
  const tell = (message: FromSeedThread) => parentPort?.postMessage(message)
  const { bindings, world, ownerUrl, ...task } = SeedTask.parse(workerData)
  const owner = new Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    const accounts = await seedDemo({
      ...task,
      env: parseEnv(bindings),
      world: createWorld({ ...world, now: Date.now }),
      analyse: async () => void (await owner.query('ANALYZE')),
      onProgress: (percent) => tell({ type: 'progress', percent }),
    })
    tell({ type: 'done', accounts })
  } finally {
    await owner.end()
  }
}
