import * as z from 'zod'
import type { QueueMessage } from '../../ports.ts'

/** Take an import in from `offset` on. Checked when it comes back: an older deployment may have written it. */
export const ProcessImportMessage = z.object({
  workspaceId: z.uuid(),
  importId: z.uuid(),
  offset: z.int().min(0),
})
export type ProcessImportMessage = z.infer<typeof ProcessImportMessage>

/** Deliveries of one workspace at once: they wait for each other at its lock anyway. */
const PARALLEL_PER_WORKSPACE = 2

/** One message for each place that an import reaches: asked for twice, it is delivered once. */
export function processImportMessage(body: ProcessImportMessage): QueueMessage {
  return {
    topic: 'imports/process',
    body,
    deduplicationId: `import-${body.importId}-${body.offset}`,
    flow: { key: `imports.${body.workspaceId}`, parallelism: PARALLEL_PER_WORKSPACE },
  }
}
