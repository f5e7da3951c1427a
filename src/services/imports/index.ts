export { getImport } from './get-import.ts'
export { processImport } from './process-import.ts'
export { startImport } from './start-import.ts'
