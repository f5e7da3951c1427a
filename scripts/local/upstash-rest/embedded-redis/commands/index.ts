import type { CommandTable } from './command.ts'
import { hashCommands } from './hashes.ts'
import { keyCommands } from './keys.ts'
import { listCommands } from './lists.ts'
import { setCommands } from './sets.ts'
import { sortedSetAlgebraCommands } from './sorted-set-algebra.ts'
import { sortedSetRangeCommands } from './sorted-set-ranges.ts'
import { sortedSetCommands } from './sorted-sets.ts'
import { stringCommands } from './strings.ts'

/** Every command on keys, by its name in lower case. A map, so that `constructor` is no command. */
export const dataCommands = new Map(
  Object.entries({
    ...keyCommands,
    ...stringCommands,
    ...hashCommands,
    ...listCommands,
    ...setCommands,
    ...sortedSetCommands,
    ...sortedSetRangeCommands,
    ...sortedSetAlgebraCommands,
  } satisfies CommandTable),
)
