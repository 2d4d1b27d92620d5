#!/usr/bin/env node
import { main } from "@switchboard/operations/Program"

process.exitCode = await main(process.argv.slice(2))
