import { render } from 'preact'
import { App } from './app.tsx'
import { followTheme } from './state/theme.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/shell.css'
import './styles/panels.css'
import './styles/overview.css'
import './styles/lists.css'
import './styles/accounts.css'
import './styles/sign-in.css'
import './styles/people.css'
import './styles/access.css'
import './styles/operator.css'

followTheme()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
