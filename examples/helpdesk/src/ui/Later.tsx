/** What is loaded only when it is asked for, and what stands there until it has come or when it can't. */
import { Button, Center, Loader } from "@mantine/core"
import { IconPlugConnectedX } from "@tabler/icons-react"
import { Component, type ReactNode, Suspense } from "react"
import { Blank } from "./Blank.tsx"

/** The desk was replaced by a newer one while this page stood open, or can't be reached. */
class Guard extends Component<{ readonly children: ReactNode }, { readonly isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children
    return (
      <Blank
        icon={IconPlugConnectedX}
        title="This can't be shown"
        hint="The desk may have changed. Load the page again."
      >
        <Button variant="default" size="xs" onClick={() => location.reload()}>
          Load again
        </Button>
      </Blank>
    )
  }
}

export const Later = ({ children }: { readonly children: ReactNode }) => (
  <Guard>
    <Suspense
      fallback={
        <Center h="100%" mih={120}>
          <Loader aria-label="Loading" />
        </Center>
      }
    >
      {children}
    </Suspense>
  </Guard>
)
