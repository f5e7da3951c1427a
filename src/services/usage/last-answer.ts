import type { CallOperation, ConnectorContext } from '../../ports.ts'

interface LastAnswer {
  host: string | null
  operation: CallOperation
  /** The JSON of it. */
  body: unknown
}

const lastAnswers = new WeakMap<ConnectorContext, LastAnswer>()

/** Keeps what a call by way of a context was answered, in place of the one before. */
export function keepAnswer(context: ConnectorContext, answer: LastAnswer): void {
  lastAnswers.set(context, answer)
}

/** What the last call by way of a context was answered; for saying what could not be understood. */
export function lastAnswerOf(context: ConnectorContext): LastAnswer | null {
  return lastAnswers.get(context) ?? null
}
