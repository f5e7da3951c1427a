import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type LocalStack, startLocalStack } from './local/stack/stack.ts'

const DEFAULT_DIRECTORY = fileURLToPath(new URL('../.local', import.meta.url))
const DEFAULT_PORT = 8787
const STOP_TIMEOUT_MS = 9_500
/** A terminal sends Ctrl-C to everyone in it, and npm passes it on: what comes this close together is one. */
const SAME_SIGNAL_MS = 1_000

const USAGE = `Usage: npm start [-- --reset] [-- --empty]

  --reset    begin anew: throw away what the local stack has kept
  --empty    leave the demo workspace without accounts
  PORT       the port to listen on (${DEFAULT_PORT})
  STATE_DIR  where everything is kept (.local)

Variables of the Worker's configuration (.dev.vars.example) are passed through.`

interface Arguments {
  reset: boolean
  empty: boolean
  port: number
}

/** Exits where the arguments make no sense. */
function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        reset: { type: 'boolean', default: false },
        empty: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const port = Number(process.env.PORT || DEFAULT_PORT)
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error('PORT must be a number from 1 to 65535')
    return { reset: values.reset, empty: values.empty, port }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

function printInstance({ instance, layout }: LocalStack): void {
  const rule = '─'.repeat(72)
  console.log(
    [
      '',
      rule,
      `  Dashboard   ${instance.url}`,
      `  Email       ${instance.email}`,
      `  Password    ${instance.password}`,
      `  API key     ${instance.apiKey}`,
      `  API docs    ${instance.url}/docs`,
      `  Mail        ${instance.mailUrl}`,
      rule,
      `  The same is in ${layout.instanceFile}; the Worker's log in ${layout.workerLog},`,
      `  that of its background work in ${layout.syncLog}.`,
      '  Ctrl-C stops everything; what is stored stays.',
      '',
    ].join('\n'),
  )
}

const startedMs = performance.now()
const log = (line: string): void => {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${line}`)
}

/** Resolves with the exit code once everything has stopped. */
async function run({ reset, empty, port }: Arguments): Promise<number> {
  const interruption = new AbortController()
  let failure: Error | undefined
  const ended = new Promise<void>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  interruption.signal.addEventListener('abort', () =>
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref(),
  )
  stopOnSignals(() => interruption.abort())
  try {
    const stack = await startLocalStack({
      directory: resolve(process.env.STATE_DIR || DEFAULT_DIRECTORY),
      port,
      reset,
      empty,
      variables: process.env,
      log,
      signal: interruption.signal,
      onFailure: (error) => {
        failure ??= error
        interruption.abort()
      },
    })
    if (!interruption.signal.aborted) {
      log('Ready')
      printInstance(stack)
      await ended
    }
    await stack.stop()
  } catch (error) {
    // Whoever interrupts a start knows why it did not finish.
    if (!interruption.signal.aborted) failure ??= error instanceof Error ? error : new Error(String(error))
  }
  if (failure === undefined) {
    log('Stopped')
    return 0
  }
  console.error(`\n${messageOf(failure)}`)
  return 1
}

/** The first signal stops in order, within the time that a person waits; another one at once. */
function stopOnSignals(stop: () => void): void {
  let firstAtMs: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAtMs === undefined) {
        firstAtMs = performance.now()
        log('Stopping …')
        stop()
      } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
        process.exit(130)
      }
    })
  }
}

/** The chain of causes, each on its line. */
function messageOf(error: Error): string {
  const lines = [error.message]
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    lines.push(`  because: ${cause.message}`)
  return lines.join('\n')
}

// A terminal that was closed takes no more lines; that is no reason to end without stopping in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exit(await run(readArguments()))
