import { type Deployment, getDeployment } from '../api/auth.ts'
import { type Resource, useResource } from './resource.ts'

/** Who may sign up here, and whether mail can be sent. */
export function useDeployment(): Resource<Deployment> {
  return useResource('deployment', getDeployment)
}
