/** The least that a Worker can be. */
export default {
  fetch: (): Response => new Response('ok'),
}
