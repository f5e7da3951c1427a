import { availableParallelism } from 'node:os'
import { resultLine, runSteps, summary } from './check/run-steps.ts'
import { chooseSteps } from './check/steps.ts'

/** `npm run check [-- NAME …]`: everything about the code that can be checked without running it. */
try {
  const steps = chooseSteps(process.argv.slice(2))
  const results = await runSteps(steps, availableParallelism(), (result) => console.log(resultLine(result)))
  console.log(`\n${summary(results)}`)
  if (results.some(({ problems }) => problems !== '')) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
