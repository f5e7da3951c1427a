import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { createApi, json, problems } from '../openapi.ts'

const Deployment = z
  .object({
    signup: z.enum(['open', 'invite', 'closed']).describe('Who may sign up, once somebody has'),
    claimed: z.boolean().describe('Whether the first person has come, who may always sign up'),
    mail: z.boolean().describe('Whether mail can be sent: forgotten passwords need it'),
  })
  .openapi('Deployment')

const deploymentRoute = createRoute({
  method: 'get',
  path: '/public/deployment',
  tags: ['Access'],
  'x-permission': 'public',
  security: [],
  summary: 'What a page for signing in has to know',
  responses: { 200: json(Deployment, 'How people come in'), ...problems(503) },
})

/** For pages that are shown before anybody has signed in. */
export const deploymentRoutes = createApi().openapi(deploymentRoute, async (c) => {
  const { config, directory, services } = c.var.deps
  const claimed = await directory.isClaimed()
  return c.json({ signup: config.signupMode, claimed, mail: services.mailer !== null }, 200, {
    'cache-control': 'no-store',
  })
})
