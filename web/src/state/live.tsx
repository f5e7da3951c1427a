import { type ComponentChildren, createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { createTicket, getMe } from '../api/endpoints.ts'
import { asApiError } from '../api/http.ts'
import { createLiveClient, type LiveClient, type LiveState } from '../live/client.ts'
import { Refresher } from './refresher.ts'
import { type Resource, useResource } from './resource.ts'
import { useSession } from './session.tsx'

/** An event as pages see it. `resync`: something was missed, so everything may have changed. */
export interface PageEvent {
  type: string
  data: unknown
}

type Listener = (event: PageEvent) => void

/** How often pages ask by themselves while no events arrive. */
const POLL_INTERVAL_MS = 30_000

/** For ten seconds after a change of access the hub takes no ticket of the person's. */
const RETURN_AFTER_MS = 11_000
/** More endings than that in the life of a page are no accident. */
const MAX_RETURNS = 20

/** How often an answer that failed, or that is an old one, is asked for again. */
const RECOVERY_INTERVAL_MS = 15_000

/** The workspace's live events, and the highest generation that anything told of. */
export class LiveStore {
  #generation = 0
  #state: LiveState = 'stopped'
  #lastUpdateMs: number | null = null
  readonly #listeners = new Set<Listener>()
  readonly #observers = new Set<() => void>()
  readonly #client: LiveClient
  #isWanted = false

  /** @param onAccessEnded called when the hub, or whoever gives tickets, lets this page in no longer */
  constructor(onAccessEnded: () => void) {
    this.#client = createLiveClient({
      getTicket: createTicket,
      onEvent: (frame) => {
        this.noteGeneration(frame.generation)
        this.noteUpdate()
        this.#emit({ type: frame.type, data: frame.data })
      },
      onResync: ({ generation }) => {
        this.noteGeneration(generation)
        this.#emit({ type: 'resync', data: null })
      },
      onHello: ({ generation }) => {
        // A generation above ours: something changed while nobody was listening.
        const missed = this.#generation > 0 && generation > this.#generation
        this.noteGeneration(generation)
        this.noteUpdate()
        if (missed) this.#emit({ type: 'resync', data: null })
      },
      onStateChange: (state) => {
        this.#state = state
        this.#observe()
        if (state === 'stopped' && this.#isWanted) onAccessEnded()
      },
    })
  }

  get state(): LiveState {
    return this.#state
  }

  /** When the page last heard that it is up to date, or became so; milliseconds since 1970. */
  get lastUpdateMs(): number | null {
    return this.#lastUpdateMs
  }

  /** What requests give as `minGeneration`; `undefined` while nothing is known. */
  get generation(): number | undefined {
    return this.#generation === 0 ? undefined : this.#generation
  }

  start(): void {
    this.#isWanted = true
    this.#client.start()
  }

  stop(): void {
    this.#isWanted = false
    this.#client.stop()
  }

  noteGeneration(generation: number): void {
    this.#generation = Math.max(this.#generation, generation)
  }

  noteUpdate(): void {
    this.#lastUpdateMs = Date.now()
    this.#observe()
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  observe(observer: () => void): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  #emit(event: PageEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #observe(): void {
    for (const observer of this.#observers) observer()
  }
}

const LiveContext = createContext<LiveStore | null>(null)

export function LiveProvider({ children }: { children: ComponentChildren }) {
  const { refresh } = useSession()
  const [endings, setEndings] = useState(0)
  const [store] = useState(() => new LiveStore(() => setEndings((count) => count + 1)))
  useEffect(() => {
    store.start()
    return () => store.stop()
  }, [store])

  // Connections end when something changed about who may be here; whoever still may comes back.
  useEffect(() => {
    if (endings === 0 || endings > MAX_RETURNS) return
    let isOver = false
    const comeBack = async () => {
      try {
        await getMe()
      } catch (error) {
        // 401: signed out by now. Of anything else the page is told when it asks for itself.
        const { status } = asApiError(error)
        if (status !== 403 && status !== 404) return
      }
      await refresh()
      if (!isOver) store.start()
    }
    const timer = setTimeout(() => void comeBack(), RETURN_AFTER_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [endings, refresh, store])
  return <LiveContext.Provider value={store}>{children}</LiveContext.Provider>
}

export function useLive(): LiveStore {
  const store = useContext(LiveContext)
  if (store === null) throw new Error('useLive needs a LiveProvider above it.')
  return store
}

/** The connection's state and the time of the last update; renders again when they change. */
export function useLiveStatus(): { state: LiveState; lastUpdateMs: number | null } {
  const live = useLive()
  const [status, setStatus] = useState({ state: live.state, lastUpdateMs: live.lastUpdateMs })
  useEffect(() => {
    const update = () => setStatus({ state: live.state, lastUpdateMs: live.lastUpdateMs })
    update()
    return live.observe(update)
  }, [live])
  return status
}

/** Calls back for events of these types, and for `resync`. */
export function useLiveEvents(types: readonly string[], onEvent: Listener): void {
  const live = useLive()
  const latest = useRef(onEvent)
  latest.current = onEvent
  const wanted = types.join(' ')
  useEffect(() => {
    const chosen = new Set([...wanted.split(' '), 'resync'])
    return live.listen((event) => {
      if (chosen.has(event.type)) latest.current(event)
    })
  }, [live, wanted])
}

/** Asks again when an event of these types says that the answer changed, and now and then while none can arrive. */
export function useLiveReload(
  types: readonly string[],
  reload: () => Promise<void>,
  options: { minIntervalMs?: number; matters?: (event: PageEvent) => boolean } = {},
): void {
  const minIntervalMs = options.minIntervalMs ?? 1_000
  const live = useLive()
  const latest = useRef(reload)
  latest.current = reload
  const refresher = useRef<Refresher | null>(null)

  useEffect(() => {
    const created = new Refresher({ minIntervalMs, run: () => latest.current() })
    refresher.current = created
    const look = () => created.hold(document.visibilityState === 'hidden')
    look()
    document.addEventListener('visibilitychange', look)
    const timer = setInterval(() => {
      if (live.state !== 'live') created.request()
    }, POLL_INTERVAL_MS)
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearInterval(timer)
      created.stop()
    }
  }, [live, minIntervalMs])

  useLiveEvents(types, (event) => {
    if (event.type === 'resync' || (options.matters?.(event) ?? true)) refresher.current?.request()
  })
}

/** Asks again and again while something is under way, for those who missed the event of its end. */
export function usePoll(active: boolean, reload: () => Promise<void>, everyMs: number): void {
  useEffect(() => {
    if (!active) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void reload()
    }, everyMs)
    return () => clearInterval(timer)
  }, [active, reload, everyMs])
}

/**
 * A resource that keeps itself fresh: it never accepts a state older than the newest change that this page
 * was told of.
 */
export function useLiveResource<T extends { generation: number; stale: boolean }>(
  key: string | null,
  types: readonly string[],
  load: (minGeneration: number | undefined, signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const live = useLive()
  const resource = useResource(key, async (signal) => {
    const answer = await load(live.generation, signal)
    live.noteGeneration(answer.generation)
    live.noteUpdate()
    return answer
  })
  const { data, error, outdated, reload } = resource
  useLiveReload(types, async () => {
    // Several events may tell of changes that one answer holds already.
    const upToDate =
      data !== undefined && !outdated && error === undefined && data.generation >= (live.generation ?? 0)
    if (!upToDate || live.state !== 'live') await reload()
  })
  usePoll(error !== undefined || data?.stale === true, reload, RECOVERY_INTERVAL_MS)
  return resource
}
