/** The live hub of a workspace, through the binding of its Durable Object. */
import { AppError } from '../errors.ts'
import type { HubPublisher } from '../ports.ts'
import {
  type FanoutShardNamespace,
  GRANT_HEADER,
  grant,
  shardName,
  type WorkspaceHubNamespace,
  type WorkspaceHubStub,
} from '../realtime/rpc.ts'
import { within } from '../resilience/timeout.ts'

export interface HubAdapter extends HubPublisher {
  /** Hands a WebSocket upgrade to the workspace's hub, or to the shard that it names. */
  connect(workspaceId: string, request: Request): Promise<Response>
}

export interface HubAdapterOptions {
  /** How long a call to the hub may take. */
  timeoutMs?: number
  /** Attempts at a call that may be repeated. */
  attempts?: number
}

/**
 * Reaches hubs through their binding. Every method throws `AppError` `unavailable` when the hub does not
 * answer. Calls that may be repeated (all but `announce` and `connect`) are tried again at once where the
 * runtime says that the failure was passing and not one of overload.
 */
export function createHubAdapter(
  namespace: WorkspaceHubNamespace,
  shards: FanoutShardNamespace | undefined,
  { timeoutMs = 5_000, attempts = 3 }: HubAdapterOptions = {},
): HubAdapter {
  async function call<Result>(
    workspaceId: string,
    tries: number,
    method: (hub: WorkspaceHubStub) => Promise<Result>,
  ): Promise<Result> {
    try {
      // A stub is of no more use after an exception: each attempt takes a new one.
      return await within(timeoutMs, method(namespace.getByName(workspaceId)))
    } catch (error) {
      if (tries > 1 && isWorthRepeating(error)) return await call(workspaceId, tries - 1, method)
      throw new AppError('unavailable', 'The live hub did not answer.', { cause: error })
    }
  }

  return {
    publish: (workspaceId, batches) => call(workspaceId, attempts, (hub) => hub.publish(batches)),
    announce: (workspaceId, events) => call(workspaceId, 1, (hub) => hub.announce(events)),
    issueTicket: (workspaceId, ticket) => call(workspaceId, attempts, (hub) => hub.issueTicket(ticket)),
    revoke: (workspaceId, userId) => call(workspaceId, attempts, (hub) => hub.revoke(userId)),
    async connect(workspaceId, request) {
      const answer = await call(workspaceId, 1, (hub) => hub.fetch(request))
      const granted = answer.headers.get(GRANT_HEADER)
      if (granted === null) return answer
      if (shards === undefined) throw new Error('This Worker has no shards to send connections to.')
      const { slot } = grant().parse(JSON.parse(granted))
      const headers = new Headers(request.headers)
      headers.set(GRANT_HEADER, granted)
      const upgrade = new Request(request.url, { headers })
      try {
        return await within(timeoutMs, shards.getByName(shardName(workspaceId, slot)).fetch(upgrade))
      } catch (error) {
        throw new AppError('unavailable', 'The live hub did not answer.', { cause: error })
      }
    },
  }
}

/** Exceptions of Durable Objects say whether they are passing, and whether the object has too much to do. */
function isWorthRepeating(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return Reflect.get(error, 'retryable') === true && Reflect.get(error, 'overloaded') !== true
}
