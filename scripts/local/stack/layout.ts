import { join } from 'node:path'

/** Where a stack keeps what. */
export interface StackLayout {
  directory: string
  postgres: string
  redis: string
  qstashFile: string
  interventionsFile: string
  worldFile: string
  mailFile: string
  worker: string
  workerLog: string
  sync: string
  syncLog: string
  secretsFile: string
  portsFile: string
  laterPortsFile: string
  instanceFile: string
  /** Stands while the demo's history is being made. */
  historyMarker: string
}

export function layOutStack(directory: string): StackLayout {
  return {
    directory,
    postgres: join(directory, 'postgres'),
    redis: join(directory, 'redis'),
    qstashFile: join(directory, 'qstash.sqlite'),
    interventionsFile: join(directory, 'interventions.jsonl'),
    worldFile: join(directory, 'world.json'),
    mailFile: join(directory, 'mail.json'),
    worker: join(directory, 'worker'),
    workerLog: join(directory, 'worker.log'),
    sync: join(directory, 'sync'),
    syncLog: join(directory, 'sync.log'),
    secretsFile: join(directory, 'secrets.json'),
    portsFile: join(directory, 'ports.json'),
    laterPortsFile: join(directory, 'worker-ports.json'),
    instanceFile: join(directory, 'instance.json'),
    historyMarker: join(directory, 'history-unfinished'),
  }
}
