/** The least that a Worker of the product's framework can be. */
import { Hono } from 'hono'

const app = new Hono()
app.get('*', (c) => c.text('ok'))

export default app
