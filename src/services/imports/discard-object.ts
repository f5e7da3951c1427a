import type { ServiceDeps } from '../context.ts'

/** Removes a stored file that nobody needs any more. A failure costs some storage and is only logged. */
export async function discardObject(
  deps: Pick<ServiceDeps, 'objects' | 'log'>,
  objectKey: string,
): Promise<void> {
  try {
    await deps.objects.delete(objectKey)
  } catch (error) {
    deps.log.warn('object not removed', { objectKey, error })
  }
}
