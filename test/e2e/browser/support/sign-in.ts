import type { Page } from 'playwright-core'

/** Fills the form of the sign-in page, and sends it. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Leaves by the menu. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Your account and theme' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
}
