import { parseArgs } from 'node:util'
import { chaos } from './chaos.ts'

const DEFAULT_MINUTES = 30
const DEFAULT_SEED = 'one'
/** For stopping in order; a start that hangs is not waited for. */
const STOP_TIMEOUT_MS = 30_000
/** A terminal sends Ctrl-C to everyone in it, and npm passes it on: what comes this close together is one. */
const SAME_SIGNAL_MS = 1_000

const USAGE = `Usage: npm run chaos [-- --minutes N] [--seed TEXT] [--verbose]

Starts the whole local stack with data of its own, and for so many minutes (${DEFAULT_MINUTES}) kills the Workers, Redis
and Postgres, delivers the queue's messages late, twice and without their answers, and lets the simulated
platforms fail, while people post, like, edit and delete. Then everything has to be as the platforms know it.
Exits with 1 where anything differs. Needs a redis-server or valkey-server in the PATH.

  --seed     what happens, and in which order; when exactly is up to the machine
  --verbose  also tells what the stack and the Worker tell`

interface Arguments {
  minutes: number
  seed: string
  isVerbose: boolean
}

/** Exits where the arguments make no sense. */
function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
        seed: { type: 'string', default: DEFAULT_SEED },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const minutes = Number(values.minutes)
    if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error('--minutes must be a number of minutes')
    return { minutes, seed: values.seed, isVerbose: values.verbose }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

const startedMs = performance.now()

function log(line: string): void {
  const seconds = Math.floor((performance.now() - startedMs) / 1_000)
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  console.log(`${clock.padStart(6)}  ${line}`)
}

/** The first signal stops in order; another one, or one that takes too long, at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  let firstMs: number | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (firstMs !== undefined && performance.now() - firstMs < SAME_SIGNAL_MS) return
      if (firstMs !== undefined) process.exit(130)
      firstMs = performance.now()
      log('Stopping …')
      controller.abort(new Error(`Stopped by ${name}`))
      setTimeout(() => process.exit(130), STOP_TIMEOUT_MS).unref()
    })
  return controller.signal
}

const { minutes, seed, isVerbose } = readArguments()
const signal = interruption()
try {
  const verdict = await chaos({ minutes, seed, log, trace: isVerbose ? log : () => {}, signal })
  for (const line of verdict.lines) console.log(line)
  console.log(verdict.isGood ? '\nEverything is true.' : '\nSomething is not as it should be.')
  process.exitCode = verdict.isGood ? 0 : 1
} catch (error) {
  if (!signal.aborted) console.error(error)
  process.exitCode = signal.aborted ? 130 : 1
}
// What a lost connection still waits for is of no interest any more.
process.exit()
