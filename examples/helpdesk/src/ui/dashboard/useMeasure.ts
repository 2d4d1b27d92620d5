import { useQuery } from "@tanstack/react-query"
import * as DeskClient from "../DeskClient.ts"
import type { Range } from "./Range.ts"

/** A measure over a range; with `by`, split by a dimension. */
export const useMeasure = (measure: string, { fromMs, toMs, stepMs }: Range, by?: string) =>
  useQuery({
    queryKey: ["metrics", measure, fromMs, toMs, stepMs, by],
    queryFn: ({ signal }) =>
      DeskClient.metrics({ measure, fromMs, toMs, stepMs, ...(by !== undefined && { by }) }, signal),
    refetchInterval: 30_000,
    placeholderData: (before) => before
  })
