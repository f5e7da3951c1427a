import { z } from 'zod'
import { type RawConfiguration, WORKER_VARIABLES } from '../configuration.ts'

/** What the Worker is given when it is uploaded. */
export interface Upload {
  /** Arguments of `wrangler deploy`. */
  variables: string[]
  /** Of the file for `--secrets-file`. Secrets that are left out keep their values. */
  secrets: Record<string, string>
}

/** Divides a configuration into what may be seen and what may not; what only operators need stays here. */
export function divideConfiguration(raw: RawConfiguration): Upload {
  const upload: Upload = { variables: [], secrets: {} }
  for (const [name, kind] of Object.entries(WORKER_VARIABLES)) {
    const value: unknown = Reflect.get(raw, name)
    if (typeof value !== 'string') continue
    if (kind === 'secret') upload.secrets[name] = value
    else upload.variables.push('--var', `${name}:${value}`)
  }
  return upload
}

const DeployEvent = z.object({ type: z.literal('deploy'), targets: z.array(z.string()).default([]) })

/**
 * The address under which a Worker answers, from the file that wrangler writes (WRANGLER_OUTPUT_FILE_PATH,
 * a JSON value in every line). A domain of one's own goes before the one that Cloudflare gives.
 */
export function publicUrlOf(wranglerOutput: string): string | null {
  const targets = wranglerOutput
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      const event = DeployEvent.safeParse(JSON.parse(line))
      return event.success ? event.data.targets : []
    })
  const own = targets.map((target) => /^([a-z0-9.-]+) \(custom domain\b/i.exec(target)?.[1]).find(Boolean)
  if (own !== undefined) return `https://${own}`
  return targets.map((target) => /^https:\/\/[^\s/]+/.exec(target)?.[0]).find(Boolean) ?? null
}
