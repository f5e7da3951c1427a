export { getImport } from './get-import.ts'
export { type ProcessedImport, processImport } from './process-import.ts'
export { type StartImport, startImport } from './start-import.ts'
