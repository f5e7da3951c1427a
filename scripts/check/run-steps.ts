import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** One check: says what is wrong, or `''` when nothing is. */
export interface Step {
  name: string
  run(): Promise<string>
}

export interface StepResult {
  name: string
  /** `''` where nothing is wrong. */
  problems: string
  durationMs: number
}

/**
 * Runs steps, at most `parallelism` at once, in their order. A step that throws has failed; the others go on.
 * @param onResult told of each as it ends
 */
export async function runSteps(
  steps: readonly Step[],
  parallelism: number,
  onResult: (result: StepResult) => void = () => {},
): Promise<StepResult[]> {
  const waiting = [...steps]
  const results: StepResult[] = []
  const worker = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const startedAt = performance.now()
      const problems = await step.run().catch((error: unknown) => messageOf(error))
      const result = { name: step.name, problems, durationMs: performance.now() - startedAt }
      results.push(result)
      onResult(result)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, parallelism) }, worker))
  return results
}

/** One line about a step that has ended. */
export function resultLine({ name, problems, durationMs }: StepResult): string {
  return `${problems === '' ? 'ok  ' : 'FAIL'}  ${name.padEnd(12)}  ${(durationMs / 1000).toFixed(1)} s`
}

/** What failed, in full, and a last line that says how much did. */
export function summary(results: readonly StepResult[]): string {
  const failed = results.filter(({ problems }) => problems !== '')
  const details = failed.map(({ name, problems }) => `── ${name} ──\n${problems.trimEnd()}\n`)
  const verdict =
    failed.length === 0
      ? `All ${results.length} checks passed.`
      : `${failed.length} of ${results.length} checks failed: ${failed.map(({ name }) => name).join(', ')}.`
  return [...details, verdict].join('\n')
}

/** Runs a program of Node's; what it prints is the problem where it exits with anything but 0. */
export async function runTool(args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code, signal]: unknown[] = await once(child, 'close')
  if (code === 0) return ''
  return output.trim() === '' ? `ended with ${String(code ?? signal)} and said nothing` : output
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? (error.stack ?? error.message) : String(error)) || 'failed without a word'
}
