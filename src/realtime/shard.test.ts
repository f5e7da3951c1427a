import { describe, expect, it } from 'vitest'
import { createRandom } from '../../scripts/local/platforms/random.ts'
import type { FakeSocket } from '../../test/live/harness.ts'
import { createWorkspaceRig } from '../../test/live/shards.ts'

/** What a client makes of its frames: what came again is known by its number. */
function heard(socket: FakeSocket, since: number | null): { missing: string[]; last: number; twice: number } {
  const [hello, ...frames] = socket.frames
  let last = since ?? hello?.seq ?? 0
  let twice = 0
  const missing: string[] = []
  for (const { type, seq, prevSeq } of frames) {
    if (type === 'resync') last = seq
    else if (seq <= last) twice += 1
    else {
      if (prevSeq > last) missing.push(`${last} to ${prevSeq}`)
      last = seq
    }
  }
  return { missing, last, twice }
}

describe.each(['a', 'b', 'c', 'd'])('a workspace with shards, in the run %s', (seed) => {
  it.each([0, 0.1])('tells everybody everything, where %d of the calls are lost', async (failureShare) => {
    const random = createRandom('shards', seed, failureShare)
    const workspace = createWorkspaceRig(random, failureShare)
    const { rig, shards } = workspace
    const clients: { socket: FakeSocket; since: number | null }[] = []
    let generation = 0
    for (let step = 0; step < 250; step += 1) {
      const roll = random.next()
      if (roll < 0.55) {
        generation += 1
        const events = Array.from({ length: random.int(1, 3) }, () => ({ type: 'report.ready', data: {} }))
        rig.hub.publish([{ generation, events }])
      } else if (roll < 0.75 && clients.length < 14) {
        const since = random.chance(0.5) ? random.int(0, rig.hub.state.seq) : null
        const connecting = workspace.connect(`client${step}`, since)
        workspace.watch(
          connecting.then((socket) => {
            if (socket !== null) clients.push({ socket, since })
          }),
        )
        if (random.chance(0.5)) await connecting
      } else if (roll < 0.82) workspace.evict(random.chance(0.3) ? null : random.int(1, 4))
      else await new Promise((resolve) => setTimeout(resolve, random.int(0, 3)))
    }
    await workspace.settle()
    // As the alarm does.
    for (let i = 0; i < 20; i += 1) {
      rig.hub.remind()
      await workspace.settle()
    }
    expect(clients.length).toBeGreaterThan(8)
    expect(shards.size).toBeGreaterThan(1)
    for (const { socket, since } of clients) {
      const { missing, last, twice } = heard(socket, since)
      expect({ missing, last }).toEqual({ missing: [], last: rig.hub.state.seq })
      expect(twice).toBe(0)
    }
  })
})
