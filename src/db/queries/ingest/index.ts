export * from './posts.ts'
export * from './profiles.ts'
export * from './transaction.ts'
