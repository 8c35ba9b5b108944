// Sends messages with one of the libraries, as a shop's server would: `node send.mjs FOLDER < told.json`.
// FOLDER is where the libraries are installed; told is {library, address, key, options, messages}. Once everything
// is sent, what the library reported as lost is written out as {errors}.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.argv[2]}/package.json`)
const errors = []

async function segment({ address, key, options, messages }) {
  const { Analytics } = require('@segment/analytics-node')
  const analytics = new Analytics({ writeKey: key, host: address, ...options })
  analytics.on('error', (error) => errors.push(String(error.reason)))
  for (const { type, ...message } of messages) analytics[type](message)
  await analytics.closeAndFlush()
}

async function rudderstack({ address, key, options, messages }) {
  const Rudder = require('@rudderstack/rudder-sdk-node')
  const errorHandler = (error) => errors.push(error.message)
  const analytics = new Rudder(key, { dataPlaneUrl: address, errorHandler, logLevel: 'none', ...options })
  const sent = messages.map(({ type, ...message }) => new Promise((done) => analytics[type](message, done)))
  while (analytics.queue.length > 0) await analytics.flush()
  await Promise.all(sent)
}

const told = JSON.parse(readFileSync(0, 'utf8'), (name, value) => (name === 'timestamp' ? new Date(value) : value))
await { segment, rudderstack }[told.library](told)
process.stdout.write(JSON.stringify({ errors }))
process.exit(0) // timers of theirs would keep it waiting
