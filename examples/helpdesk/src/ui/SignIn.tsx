import { Alert, Button, Paper, PasswordInput, Skeleton, Stack, Text, Title, UnstyledButton } from "@mantine/core"
import { IconChevronRight } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import * as DeskClient from "./DeskClient.ts"
import { Face } from "./Face.tsx"
import { toWords } from "./Format.ts"
import { Mark } from "./Mark.tsx"
import { toSentence } from "./Problems.ts"

export const SignIn = ({ onSignedIn, fault }: { readonly onSignedIn: () => void; readonly fault: Error | null }) => {
  const choices = useQuery({ queryKey: ["signInChoices"], queryFn: DeskClient.signInChoices })
  const [password, setPassword] = useState("switchboard")
  const [busy, setBusy] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(fault ? toSentence(fault) : null)

  const enter = async (agentId: string): Promise<void> => {
    setBusy(agentId)
    setProblem(null)
    try {
      await DeskClient.signIn(agentId, password)
      onSignedIn()
    } catch (error) {
      setProblem(toSentence(error))
      setBusy(null)
    }
  }

  return (
    <main className="sign-in">
      <Paper className="sign-in-card" withBorder radius="lg" shadow="sm">
        <Stack gap="lg">
          <Stack gap={6}>
            <Mark size={40} />
            <Title order={1} fz={24} mt={8}>
              Welcome back
            </Title>
            <Text c="dimmed">Choose who you are to open the help desk.</Text>
          </Stack>
          {(problem ?? choices.error) && (
            <Alert color="red" variant="light" role="alert">
              {problem ?? toSentence(choices.error)}
            </Alert>
          )}
          <PasswordInput
            label="Password"
            description="The demo's password is filled in for you."
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="current-password"
          />
          <Stack gap={8} component="ul" className="bare">
            {choices.isPending && [0, 1, 2].map((key) => <Skeleton key={key} h={62} radius="md" component="li" />)}
            {choices.data?.map((choice) => (
              <li key={choice.id}>
                <UnstyledButton className="sign-in-agent" onClick={() => enter(choice.id)} disabled={busy !== null}>
                  <Face name={choice.name} size={38} />
                  <span className="grow">
                    <Text fw={600} truncate>
                      {choice.name}
                    </Text>
                    <Text fz="sm" c="dimmed" truncate>
                      {[toWords(choice.role), ...choice.teams.map(toWords)].join(" · ")}
                    </Text>
                  </span>
                  {busy === choice.id ? <Text fz="sm">Signing in…</Text> : <IconChevronRight size={18} aria-hidden />}
                </UnstyledButton>
              </li>
            ))}
          </Stack>
          {choices.isError && (
            <Button variant="default" onClick={() => choices.refetch()}>
              Try again
            </Button>
          )}
        </Stack>
      </Paper>
    </main>
  )
}
