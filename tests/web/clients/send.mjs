// Sends messages with one of the libraries, as a shop would: `node send.mjs FOLDER < told.json`.
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

// Segment's library for browsers, in a page of the shop.
async function page({ address, key, messages }) {
  const { JSDOM } = require('jsdom')
  const { window } = new JSDOM('<!doctype html>', { url: 'https://shop.example/beans' })
  const { document, location, localStorage, navigator } = window
  for (const [name, value] of Object.entries({ window, document, location, localStorage, navigator })) {
    Object.defineProperty(globalThis, name, { value, configurable: true })
  }
  const fetched = globalThis.fetch
  let left = messages.length
  const all = new Promise((done) => {
    window.fetch = globalThis.fetch = async (...asked) => {
      const answer = await fetched(...asked)
      if (!answer.ok) errors.push(String(answer.status))
      left -= 1
      if (left === 0) done()
      return answer
    }
  })
  const { AnalyticsBrowser } = require('@segment/analytics-next')
  const { host, protocol } = new URL(address)
  const analytics = AnalyticsBrowser.load(
    { writeKey: key, cdnSettings: { integrations: { 'Segment.io': { apiKey: key } } } },
    { integrations: { 'Segment.io': { apiHost: `${host}/v1`, protocol: protocol.slice(0, -1) } } },
  )
  const calls = {
    identify: ({ userId, traits }) => analytics.identify(userId, traits),
    track: ({ event, properties }) => analytics.track(event, properties),
    page: ({ name, properties }) => analytics.page(name, properties),
    group: ({ groupId, traits }) => analytics.group(groupId, traits),
    alias: ({ userId, previousId }) => analytics.alias(userId, previousId),
  }
  for (const { type, ...message } of messages) await calls[type](message)
  await all
}

const told = JSON.parse(readFileSync(0, 'utf8'), (name, value) => (name === 'timestamp' ? new Date(value) : value))
await { segment, rudderstack, page }[told.library](told)
process.stdout.write(JSON.stringify({ errors }))
process.exit(0) // timers of theirs would keep it waiting
