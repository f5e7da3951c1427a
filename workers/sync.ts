import { waitUntil } from 'cloudflare:workers'
import { createIsolate } from '../src/app/isolate.ts'
import { createJobsApp } from '../src/app/jobs.ts'
import type { Bindings } from '../src/deps.ts'

const { depsOf, configure } = createIsolate({ waitUntil, openColoCache: () => caches.default })
const app = createJobsApp(depsOf)

/** What the queue calls, away from the isolates that answer people (docs/decisions/0015). */
export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    return configure(env) ?? (await app.fetch(request))
  },
}
