import { createRoot } from "react-dom/client"
import "@mantine/core/styles.css"
import "@mantine/notifications/styles.css"
import "@mantine/charts/styles.css"
import "./style/app.css"
import "./style/inbox.css"
import "./style/conversation.css"
import "./style/dashboard.css"
import "./style/health.css"
import "./style/search.css"
import { App } from "./App.tsx"

const root = document.getElementById("root")
if (root) createRoot(root).render(<App />)
