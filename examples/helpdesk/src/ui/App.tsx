import { Center, Loader, MantineProvider } from "@mantine/core"
import { useMediaQuery } from "@mantine/hooks"
import { Notifications } from "@mantine/notifications"
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { lazy, useEffect } from "react"
import { Away } from "./Away.tsx"
import * as DeskClient from "./DeskClient.ts"
import { MeProvider } from "./Directory.ts"
import { Inbox } from "./inbox/Inbox.tsx"
import { Later } from "./Later.tsx"
import * as Live from "./Live.ts"
import { OfferDock } from "./OfferDock.tsx"
import { usePlace } from "./Place.ts"
import { SignIn } from "./SignIn.tsx"
import { resolver, theme } from "./Theme.ts"
import { TopBar } from "./TopBar.tsx"

const Dashboard = lazy(() => import("./dashboard/Dashboard.tsx"))
const Health = lazy(() => import("./health/Health.tsx"))

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      retry: (count, error) => error instanceof DeskClient.DeskFault && error.isPassing && count < 3
    }
  }
})
DeskClient.onSignedOut(() => queries.setQueryData(["me"], null))

/** The page's own nonce: the one under which Mantine may add its style elements. */
const nonce = document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? ""

const Desk = () => {
  const place = usePlace()
  const me = useQuery({ queryKey: ["me"], queryFn: DeskClient.me, staleTime: Number.POSITIVE_INFINITY })
  const agentId = me.data?.id
  useEffect(() => Live.watch(place.conversationId), [place.conversationId])
  useEffect(() => (agentId === undefined ? undefined : Live.follow(queries)), [agentId])
  if (me.isPending)
    return (
      <Center h="100dvh">
        <Loader aria-label="Loading" />
      </Center>
    )
  if (!me.data) return <SignIn onSignedIn={() => void queries.resetQueries()} fault={me.error} />
  return (
    <MeProvider value={me.data}>
      <div className="app">
        <div>
          <TopBar page={place.page} />
          <Away />
        </div>
        {place.page === "inbox" ? (
          <Inbox conversationId={place.conversationId} />
        ) : (
          <Later key={place.page}>{place.page === "dashboard" ? <Dashboard /> : <Health />}</Later>
        )}
        <OfferDock />
      </div>
    </MeProvider>
  )
}

/** Where a message covers nothing that is pressed: over the end of the card, if there is one. */
const Messages = () =>
  useMediaQuery("(min-width: 1180px)", true, { getInitialValueInEffect: false }) ? (
    <Notifications position="bottom-right" limit={4} containerWidth={300} />
  ) : (
    <Notifications position="top-center" limit={4} containerWidth={420} />
  )

export const App = () => (
  <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto" getStyleNonce={() => nonce}>
    <QueryClientProvider client={queries}>
      <Messages />
      <Desk />
    </QueryClientProvider>
  </MantineProvider>
)
