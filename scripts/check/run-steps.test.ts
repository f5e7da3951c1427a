import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { resultLine, runSteps, runTool, summary } from './run-steps.ts'
import { chooseSteps, STEPS } from './steps.ts'

const step = (name: string, run: () => Promise<string>) => ({ name, run })
const result = (name: string, problems = '') => ({ name, problems, durationMs: 1234 })

it('runs so many steps at once, and no more', async () => {
  let running = 0
  let most = 0
  const steps = Array.from({ length: 6 }, (_, at) =>
    step(`step ${at}`, async () => {
      running += 1
      most = Math.max(most, running)
      await delay(5)
      running -= 1
      return ''
    }),
  )
  expect(await runSteps(steps, 2)).toHaveLength(6)
  expect(most).toBe(2)
})

it('goes on after a step that fails or throws', async () => {
  const seen: string[] = []
  const results = await runSteps(
    [
      step('throws', () => Promise.reject(new Error('cannot be read'))),
      step('fails', async () => 'src/a.ts:1  wrong'),
      step('passes', async () => ''),
    ],
    1,
    ({ name }) => seen.push(name),
  )
  expect(seen).toEqual(['throws', 'fails', 'passes'])
  expect(results.map(({ problems }) => problems.split('\n')[0])).toEqual([
    'Error: cannot be read',
    'src/a.ts:1  wrong',
    '',
  ])
})

it('ends with the failures, and with how many there are', () => {
  expect(summary([result('lint', 'x\n'), result('types'), result('layers', 'y')])).toBe(
    '── lint ──\nx\n\n── layers ──\ny\n\n2 of 3 checks failed: lint, layers.',
  )
  expect(summary([result('types')])).toBe('All 1 checks passed.')
  expect(resultLine(result('types'))).toBe('ok    types         1.2 s')
  expect(resultLine(result('types', 'x'))).toBe('FAIL  types         1.2 s')
})

it('shows what a tool printed, on either stream, when it fails', async () => {
  const run = (code: string) => runTool(['-e', code], '.')
  expect(await run('console.log("fine")')).toBe('')
  expect(await run('console.log("a"); console.error("b"); process.exitCode = 3')).toMatch(/^(a\nb|b\na)\n$/)
  expect(await run('process.exit(3)')).toBe('ended with 3 and said nothing')
  expect(await run('process.kill(process.pid, "SIGKILL")')).toBe('ended with SIGKILL and said nothing')
})

it('chooses steps by name', () => {
  expect(chooseSteps([])).toBe(STEPS)
  expect(chooseSteps(['layers', 'types']).map(({ name }) => name)).toEqual(['types', 'layers'])
  expect(() => chooseSteps(['layers', 'everything'])).toThrow(
    'There is no check "everything". There are: types,',
  )
})
